"""Correlation of neighbours in time: the first-order autoregression of few images."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

HIGHEST = 0.9
"""Beyond it a dozen frames hold the information of less than one, and the estimate is noise."""


def lag_one_correlation(
    residuals: Sequence[Array], *, n_parameters: int = 1, by_pairs: bool = False, highest: float = HIGHEST
) -> float:
    """Correlation of neighbours in time, pooled over series, with its small-sample bias taken off.

    The raw estimate is biased towards negative values. With p fitted parameters it gains (p + (p + 2) r) / n,
    which for a mean, p = 1, is the correction of Kendall and of Marriott and Pope (Biometrika 41, 1954), and
    it is kept within [0, `highest`]. `statsmodels.tsa.stattools.acf` has neither correction nor pooling.

    Parameters
    ----------
    residuals : sequence of float64 arrays, shape (n_k,) or (n_k, L)
        Residuals of each series after the fit, in time order.
    n_parameters
        Parameters that the fit had.
    by_pairs
        Divide the products by the number of pairs, n - 1 a series, instead of by that of values.
    highest
        Upper limit of the value returned.

    Returns
    -------
    float
        0 where the residuals are all 0.
    """
    squares = sum(float((r**2).sum()) for r in residuals)
    if squares == 0:
        return 0.0
    products = sum(float((r[1:] * r[:-1]).sum()) for r in residuals)
    n_values = sum(len(r) for r in residuals)
    r = products / squares
    if by_pairs:
        r *= n_values / sum(len(r) - 1 for r in residuals)
    r += (n_parameters + (n_parameters + 2) * r) / (n_values / len(residuals))
    return float(np.clip(r, 0.0, highest))
