"""Isotonic curves, and where they cross a level."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import isotonic_regression


def rising(values: ArrayLike) -> NDArray[np.float64]:
    """The nearest sequence that never falls, by least squares; shape (N,)."""
    return np.asarray(isotonic_regression(values).x, dtype=np.float64)


def first_crossing(x: ArrayLike, y: ArrayLike, level: float) -> float:
    """First crossing of a level by a rising curve, linearly interpolated.

    Parameters
    ----------
    x : float, shape (N,)
        Positions in ascending order.
    y : float, shape (N,)
        Values that never fall (`rising`).
    level
        Value that the fitted curve must reach.

    Returns
    -------
    float
        The first `x` if the curve begins there already, infinite if it ends below.
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    above = np.flatnonzero(y >= level)
    if not len(above):
        return float("inf")
    first = above[0]
    if first == 0:
        return float(x[0])
    share = (level - y[first - 1]) / (y[first] - y[first - 1])
    return float(x[first - 1] + share * (x[first] - x[first - 1]))
