"""Rate of change of a quantity: over the whole experiment, and around each moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.linalg import toeplitz

from icefloe.physics.quantity import CONFIDENCE, Quantity, sample_std
from icefloe.statistics.autocorrelation import lag_one_correlation

Array = NDArray[np.float64]

MIN_IMAGES = 3
"""A slope of fewer has no residuals to judge it by."""

LEAST_WINDOW = 7
"""Images in the window of a local parabola, at least; shorter series get a straight line throughout."""

WINDOW_SHARE = 1 / 3


@dataclass(frozen=True, eq=False)
class Slope:
    """A rate with the two parts of its uncertainty.

    The members' part is the spread of the rates of each member's whole series: what a member gets wrong in
    every image alike is in it, which errors taken image by image would miss. The residual part is what the
    ensemble's own series scatters about a parabola, with that scatter's correlation from one image to the
    next. The scatter of a member's own is in both, so together they err on the wide side. Not in
    them: errors that all members share, growing or shrinking with the crystal.

    Attributes
    ----------
    values : float64, shape () , (T,), (N,) or (T, N)
        Per second; negative where the quantity shrinks.
    members : float64, shape (M, ...)
        The same rates for each of the M members.
    residual_std : float64, shape of `values`
        Standard error from the scatter.
    residual_dof : float64, shape of `values`
        Degrees of freedom behind it.
    widening
        Factor on the members' part, as in `Quantity`.
    """

    values: Array
    members: Array
    residual_std: Array
    residual_dof: Array
    widening: float = 1.0

    @property
    def member_std(self) -> Array:
        """Sample standard deviation over members; NaN below two."""
        return sample_std(self.members)

    @property
    def std(self) -> Array:
        """Standard deviation of the rate: one more member's, and the scatter's, added in squares."""
        return np.sqrt(self._variances().sum(axis=0))

    def interval(self, confidence: float = CONFIDENCE) -> tuple[Array, Array]:
        """Student-t interval with the degrees of freedom of Welch and Satterthwaite."""
        parts = self._variances()
        dof_members = np.maximum(np.isfinite(self.members).sum(axis=0) - 1.0, 1.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            dof = parts.sum(axis=0) ** 2 / (parts[0] ** 2 / dof_members + parts[1] ** 2 / self.residual_dof)
        half = np.where(self.std > 0, stats.t.ppf((1.0 + confidence) / 2.0, dof) * self.std, self.std)
        return self.values - half, self.values + half

    def _variances(self) -> Array:
        """Of members and of scatter, shape (2, ...); masks, which have no members, have only the second."""
        n = np.isfinite(self.members).sum(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            between = (self.widening * self.member_std) ** 2 * (1.0 + 1.0 / n)
        return np.stack([between if len(self.members) else np.zeros_like(between), self.residual_std**2])


@dataclass(frozen=True, eq=False)
class Rate:
    """Change of one quantity per second.

    Attributes
    ----------
    quantity
        Name of the quantity that changes.
    unit
        Unit of the rate, such as `nm2_per_s`.
    overall : Slope, of shape () or (N,)
        Slope of the straight line (least squares) over all images with ice. Where the rate changes it is
        an average that weighs the middle of the experiment most.
    local : Slope, of shape (T,) or (T, N)
        Slope of a parabola fitted around each image (tricube weights); NaN where there is no ice.
    window_s
        Width of the local fit in the middle of the series.
    """

    quantity: str
    unit: str
    overall: Slope
    local: Slope
    window_s: float


def rate_of(
    quantity: Quantity, times_s: Array, present: NDArray[np.bool_], window_s: float | None = None
) -> Rate:
    """Rate of one quantity.

    Every image has the same weight: a spread over a few members is too poor an estimate for weights.

    Parameters
    ----------
    quantity
        Quantity with values of shape (T,) or (T, N).
    times_s : float64, shape (T,)
        Increasing; need not be even.
    present : bool, shape (T,)
        Which images have ice: without it a crystal's area stays at 0 and has no rate.
    window_s
        Width of the local fit; None: a third of the images, at least seven.
    """
    values = quantity.values.reshape(len(times_s), -1)
    members = quantity.members.reshape(len(quantity.members), *values.shape)
    fits = [
        _fit(times_s, values[:, line], members[:, :, line], present, window_s)
        for line in range(values.shape[1])
    ]
    overall, local, windows = zip(*fits, strict=True)
    shape = quantity.values.shape[1:]
    return Rate(
        quantity=quantity.name,
        unit=f"{quantity.unit}_per_s" if quantity.unit else "per_s",
        overall=_joined(overall, shape, quantity.widening),
        local=_joined(local, shape, quantity.widening),
        window_s=float(np.fmax.reduce(windows)),
    )


def _joined(slopes: Sequence[Slope], shape: tuple[int, ...], widening: float) -> Slope:
    """Slopes of several lines as one, with `shape` behind the axes that they have."""

    def joined(name: str) -> Array:
        parts = [getattr(slope, name) for slope in slopes]
        return np.stack(parts, axis=-1).reshape((*parts[0].shape, *shape))

    return Slope(
        joined("values"), joined("members"), joined("residual_std"), joined("residual_dof"), widening
    )


def _fit(
    times_s: Array, values: Array, members: Array, present: NDArray[np.bool_], window_s: float | None
) -> tuple[Slope, Slope, float]:
    """Overall and local slope of one series (T,) and its members' (M, T), and the window."""
    used = present & np.isfinite(values)
    overall = np.full(3, np.nan)
    local = np.full((3, len(values)), np.nan)
    overall_members, local_members = np.full(len(members), np.nan), np.full(members.shape, np.nan)
    window = np.nan
    if used.sum() >= MIN_IMAGES:
        times, series = times_s[used], values[used]
        slopes, derivative, window = _operators(tuple(times), window_s)
        covariance, dof = _scatter(times, series)
        overall[:] = slopes @ series, np.sqrt(slopes @ covariance @ slopes), dof
        local[0, used] = derivative @ series
        local[1, used] = np.sqrt(((derivative @ covariance) * derivative).sum(axis=1))
        local[2, used] = dof
        for index, member in enumerate(members):
            known = used & np.isfinite(member)
            if known.sum() < MIN_IMAGES:
                continue
            own = (slopes, derivative)
            if (known != used).any():  # ice that this member does not see
                own = _operators(tuple(times_s[known]), window_s)[:2]
            overall_members[index] = own[0] @ member[known]
            local_members[index, known] = own[1] @ member[known]
    return (
        Slope(overall[0, ...], overall_members, overall[1, ...], overall[2, ...]),
        Slope(local[0], local_members, local[1], local[2]),
        window,
    )


def _line(times: Array) -> Array:
    """Weights whose product with a series is its least-squares slope."""
    centred = times - times.mean()
    return np.asarray(centred / (centred @ centred))


@lru_cache(maxsize=4)  # the radial lines have them in common
def _operators(moments: tuple[float, ...], window_s: float | None) -> tuple[Array, Array, float]:
    """Weights of the overall slope (n,) and of the local ones (n, n), each for a series (n,); the window."""
    times, n = np.array(moments), len(moments)
    slopes = _line(times)
    if n < LEAST_WINDOW:
        return slopes, np.tile(slopes, (n, 1)), float(times[-1] - times[0])
    step = float(np.median(np.diff(times)))
    n_requested = round(n * WINDOW_SHARE) if window_s is None else round(window_s / step) + 1
    n_window = min(max(n_requested, LEAST_WINDOW), n)
    derivative = np.zeros((n, n))
    for i, moment in enumerate(moments):
        near = np.argsort(np.abs(times - moment), kind="stable")[:n_window]
        reach = abs(times[near[-1]] - moment) + step / 2.0  # the furthest image keeps a little weight
        along = (times[near] - moment) / reach
        weights = (1.0 - np.abs(along) ** 3) ** 1.5
        design = np.vander(along, 3, increasing=True)
        derivative[i, near] = (np.linalg.pinv(design * weights[:, None]) * weights)[1] / reach
    return slopes, derivative, (n_window - 1) * step


def _scatter(times: Array, series: Array) -> tuple[Array, float]:
    """Covariance of the scatter (n, n), and the degrees of freedom behind its size.

    Scatter is what departs from one parabola over the whole series, from a straight line where that is short.
    It is taken for a first-order autoregression (`lag_one_correlation`). Slow errors look like a trend: over
    30 images whose errors have r = 0, 0.3, 0.5, 0.7 the 95 % interval of the slope held it in 95, 94, 90,
    86 % of 1,500 draws.
    """
    n = len(series)
    design = np.vander((times - times.mean()) / np.ptp(times), 3 if n >= LEAST_WINDOW else 2)
    rest = np.eye(n) - design @ np.linalg.pinv(design)
    residuals = rest @ series
    squares, parameters = float(residuals @ residuals), design.shape[1]
    shape = toeplitz(lag_one_correlation([residuals], n_parameters=parameters) ** np.arange(n))
    projected = rest @ shape
    variance = squares / np.trace(projected)
    return variance * shape, float(np.trace(projected) ** 2 / (projected * projected.T).sum())
