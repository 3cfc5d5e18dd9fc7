"""Difference of the means of two groups of independent values."""

import math

import numpy as np
from numpy.typing import ArrayLike

from icefloe.statistics.interval import Interval


def mean_difference(first: ArrayLike, second: ArrayLike, confidence: float = 0.95) -> Interval:
    """Mean of the first group minus that of the second, with Welch's t interval: spreads may differ.

    Parameters
    ----------
    first, second : float, shape (n,) and (m,)
        Independent values, at least one in each; the interval needs two in each, and a spread.
    confidence
        Level of the interval, in (0, 1).

    Returns
    -------
    Interval
        `n` is that of the smaller group.
    """
    from scipy import stats  # takes long to load, and few need it

    one, other = np.asarray(first, np.float64), np.asarray(second, np.float64)
    mean, n = float(one.mean() - other.mean()), min(len(one), len(other))
    if n < 2 or np.ptp(one) == np.ptp(other) == 0:
        return Interval(mean=mean, n=n)
    found = stats.ttest_ind(one, other, equal_var=False).confidence_interval(confidence)
    return Interval(mean=mean, low=float(found.low), high=float(found.high), n=n)


def group_size_needed(difference: Interval) -> int | None:
    """About how many values each group would need for the interval to leave 0 out; None: the mean is 0."""
    if difference.mean == 0 or not difference.is_bounded:
        return None
    half = (difference.high - difference.low) / 2
    return math.ceil(difference.n * (half / abs(difference.mean)) ** 2)
