"""How much of the processor the work of workers takes where web processes want it."""

import os

NICENESS = 10


def step_back() -> None:
    """Let other processes go first: whoever labels waits for a page, a segmentation takes its time anyway."""
    os.nice(NICENESS)
