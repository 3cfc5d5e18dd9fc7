"""A measured quantity over time with the spread of the ensemble's members."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]

CONFIDENCE = 0.95


@dataclass(frozen=True, eq=False)
class Quantity:
    """One quantity of every image, from the ensemble's map and from each member's.

    The interval is the one in which a further member of the ensemble's kind would fall: Student's prediction
    interval of half-width t(M - 1) s sqrt(1 + 1 / M), laid about the ensemble's own value. With three members
    t is 4.3, for three say little about a spread. It holds the truth as often as stated where the truth
    could pass for one more member. Errors that all members share are not in it.

    Attributes
    ----------
    name, unit
        Such as `area` and `nm2`; the unit is empty for a plain number.
    values : float64, shape (T,) or (T, N)
        Measured on the ensemble's mean probability; NaN where there is nothing to measure.
    members : float64, shape (M, T) or (M, T, N)
        Measured on each member's own map.
    limits
        Least and greatest possible value; intervals end there.
    widening
        Factor on the interval's half-width, such as the one that labelled images ask for (`Agreement`).
    """

    name: str
    unit: str
    values: Array
    members: Array
    limits: tuple[float, float] = (-np.inf, np.inf)
    widening: float = 1.0

    @property
    def label(self) -> str:
        """Name and unit as a column is called, such as `area_nm2`."""
        return f"{self.name}_{self.unit}" if self.unit else self.name

    @property
    def std(self) -> Array:
        """Sample standard deviation over members (divisor M - 1), shape of `values`; NaN below two."""
        return np.where(np.isfinite(self.values), sample_std(self.members), np.nan)

    def interval(self, confidence: float = CONFIDENCE) -> tuple[Array, Array]:
        """Lower and upper end, shapes of `values`; NaN where fewer than two members measured anything."""
        half = self.widening * prediction_factor(self.members, confidence) * self.std
        return np.clip(self.values - half, *self.limits), np.clip(self.values + half, *self.limits)


def significant(value: float) -> str:
    """A number with four significant digits; a dash if it is not known."""
    if not np.isfinite(value):
        return "–"
    rounded = float(f"{value:.4g}")
    return f"{rounded:,.0f}" if abs(rounded) >= 1000 else f"{rounded:g}"


def sample_std(members: Array) -> Array:
    """Standard deviation over axis 0 with divisor n - 1, over the members that are not NaN.

    Parameters
    ----------
    members : float64, shape (M, ...)
        Values of the members; NaN where a member has none.

    Returns
    -------
    float64, shape (...)
        NaN where fewer than two members have a value.
    """
    known = np.isfinite(members)
    n = known.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(known, members, 0.0).sum(axis=0) / n
        squares = np.where(known, (members - mean) ** 2, 0.0).sum(axis=0)
        return np.where(n >= 2, np.sqrt(squares / (n - 1)), np.nan)


def prediction_factor(members: Array, confidence: float = CONFIDENCE) -> Array:
    """Half-width of Student's prediction interval over the standard deviation: t(n - 1) sqrt(1 + 1 / n).

    Parameters
    ----------
    members : float64, shape (M, ...)
        n counts those that are not NaN.
    confidence
        Confidence of the interval, in (0, 1).

    Returns
    -------
    float64, shape (...)
        NaN where n < 2.
    """
    n = np.isfinite(members).sum(axis=0).astype(np.float64)
    n[n < 2] = np.nan
    return np.asarray(stats.t.ppf((1.0 + confidence) / 2.0, n - 1.0) * np.sqrt(1.0 + 1.0 / n))
