"""Intervals over repetitions of a whole experiment, such as seeds: these are independent, frames are not."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from icefloe.errors import IcefloeError


@dataclass(frozen=True)
class Estimate:
    """A mean over repetitions, and its two-sided 95 % t interval.

    Attributes
    ----------
    mean, low, high
        NaN bounds where one repetition shows no spread.
    n
        Repetitions.
    """

    mean: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        if self.n < 2:
            return f"{self.mean:.3f}"
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"

    def to_dict(self) -> dict[str, Any]:
        """Plain types; a bound that does not exist is None."""
        bounds = (None, None) if self.n < 2 else (self.low, self.high)
        return {"mean": self.mean, "low": bounds[0], "high": bounds[1], "n": self.n}


def over_seeds(values: ArrayLike, confidence: float = 0.95) -> Estimate:
    """Mean and t interval of one number a repetition.

    It covers what differs between the repetitions (first weights, draws, chosen images), not the choice of
    datasets.

    Parameters
    ----------
    values : float, shape (n,)
        For a comparison: the differences, seed by seed.
    confidence
        Of the interval.

    Raises
    ------
    IcefloeError
        If there is no value.
    """
    numbers = np.asarray(values, dtype=np.float64)
    n = len(numbers)
    if n == 0:
        raise IcefloeError("An interval over no repetitions. Run at least one seed.")
    mean = float(numbers.mean())
    if n == 1:
        return Estimate(mean, np.nan, np.nan, 1)
    half = float(stats.t.ppf((1 + confidence) / 2, n - 1) * numbers.std(ddof=1) / np.sqrt(n))
    return Estimate(mean, mean - half, mean + half, n)
