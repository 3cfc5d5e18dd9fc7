"""The learning rate as a function of the step alone, so that a resumed run has it without remembering it."""

import math

FLOOR = 0.01
"""Share of the peak at which the cosine ends."""


def learning_rate(step: int, n_steps: int, n_warmup: int, peak: float) -> float:
    """Linear rise over the warm-up, then a half cosine down to `FLOOR` times the peak.

    Parameters
    ----------
    step
        Number of the step, from 0 to n_steps - 1.
    n_steps, n_warmup
        Number of all steps, and of those in which the rate rises.
    peak
        Highest learning rate, after warm-up.
    """
    if step < n_warmup:
        return peak * (step + 1) / n_warmup
    done = (step - n_warmup) / max(1, n_steps - n_warmup)
    return peak * (FLOOR + (1 - FLOOR) * (1 + math.cos(math.pi * done)) / 2)
