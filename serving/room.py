"""Room on the workspace's disk."""

import shutil

from icefloe.settings import Settings

LOW_BYTES = 5 * 2**30
"""Checkpoints of a training and a data version may take as much."""


def free_bytes(settings: Settings) -> int:
    """What is free where the workspace keeps its state."""
    place = settings.state if settings.state.exists() else settings.workspace
    return shutil.disk_usage(place).free
