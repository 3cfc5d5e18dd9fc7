"""Selective prediction: the risk that is left when the most uncertain items are set aside."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icefloe.errors import IcefloeError

Float64Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RiskCoverage:
    """A risk-coverage curve (El-Yaniv and Wiener 2010; Geifman and El-Yaniv 2017).

    Attributes
    ----------
    coverage : float64, shape (n,)
        Share that is kept: 1/n, 2/n, ... 1.
    risk : float64, shape (n,)
        Mean loss of the kept, the least uncertain.
    oracle : float64, shape (n,)
        The same if items were ranked by their loss itself: no score does better.
    """

    coverage: Float64Array
    risk: Float64Array
    oracle: Float64Array

    @property
    def aurc(self) -> float:
        """Area under the curve: the mean of the risk over all coverages."""
        return float(self.risk.mean())

    @property
    def random(self) -> float:
        """The area under the curve of a random score: the risk at full coverage."""
        return float(self.risk[-1])

    @property
    def excess(self) -> float:
        """Area above the oracle's (Geifman et al. 2019, E-AURC)."""
        return self.aurc - float(self.oracle.mean())

    @property
    def gain(self) -> float:
        """Position of the score between chance (0) and oracle (1); below 0: worse than chance.

        NaN where every item has the same loss, so that no ranking is better than another.
        """
        possible = self.random - float(self.oracle.mean())
        return (self.random - self.aurc) / possible if possible > 0 else np.nan


def risk_coverage(uncertainty: ArrayLike, loss: ArrayLike) -> RiskCoverage:
    """Set items aside by falling uncertainty.

    Items of equal uncertainty count with their mean loss, the expectation over a random order among them.

    Parameters
    ----------
    uncertainty : float, shape (n,)
        Uncertainty of each image or pixel; only its order matters.
    loss : float, shape (n,)
        Such as 1 - Dice of an image, or 1 where a pixel's class is wrong.

    Raises
    ------
    IcefloeError
        If there is no item.
    """
    uncertainty, loss = np.asarray(uncertainty), np.asarray(loss, np.float64)
    n = len(loss)
    if n == 0:
        raise IcefloeError(
            "A risk-coverage curve needs at least one value. Give images or pixels with a reference."
        )
    _, group, count = np.unique(uncertainty, return_inverse=True, return_counts=True)
    expected = (np.bincount(group, weights=loss) / count).repeat(count)
    kept = np.arange(1, n + 1)
    return RiskCoverage(kept / n, np.cumsum(expected) / kept, np.cumsum(np.sort(loss)) / kept)
