"""Confidence interval of a mean over the few, correlated images of one experiment."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from icefloe.statistics.autocorrelation import HIGHEST, lag_one_correlation
from icefloe.statistics.interval import Interval

Float64Array = NDArray[np.float64]


MOST_IMAGES = 100
"""Nobody holds out more images of one experiment to decide on a first version."""


def default_block_length(n: int) -> int:
    """Frames per block, `n ** (1/3)` rounded: the order that is optimal for a mean (Hall et al. 1995)."""
    return max(1, round(float(n ** (1 / 3))))


def mean_interval(
    values: ArrayLike,
    *,
    confidence: float = 0.95,
    n_resamples: int = 10_000,
    block_length: int | None = None,
    rng: np.random.Generator,
) -> Interval:
    """The wider, at each end, of a moving-block bootstrap interval and a t interval.

    Frames of one experiment resemble their neighbours, and a dataset has 3 to 30 of them: the plain
    percentile or BCa bootstrap (`scipy.stats.bootstrap`, which has no blocks) is too narrow for both reasons.
    So each end is the safer of two intervals':

    * BCa bootstrap (Efron 1987) over circular moving blocks, its normal quantile replaced by that of
      `sqrt(n / (n - 1)) * t`, t having one degree of freedom less than there are blocks ("expanded",
      Hesterberg 2015). Where no more than `n_resamples` resamples exist, all are enumerated;
    * t interval, its standard error times `sqrt((1 + r) / (1 - r))` as for a first-order autoregression, r
      being the lag-1 autocorrelation corrected for its small-sample bias, at least 0.

    Coverage of the nominal 95 % over 1,000 simulated samples a cell (in brackets the plain BCa bootstrap's):

    ======================  ===========  ===========  ===========  ===========
    values                  n = 3        n = 5        n = 8        n = 25
    ======================  ===========  ===========  ===========  ===========
    normal                  .95 (.73)    .97 (.83)    .97 (.89)    .97 (.93)
    exponential             .89 (.68)    .89 (.79)    .91 (.86)    .96 (.91)
    log-normal, sigma 1     .84 (.63)    .87 (.74)    .88 (.79)    .93 (.89)
    AR(1), r = .3           .89 (.62)    .92 (.72)    .93 (.77)    .95 (.83)
    AR(1), r = .6           .81 (.44)    .84 (.53)    .84 (.60)    .90 (.61)
    AR(1), r = .8           .68 (.32)    .71 (.37)    .74 (.41)    .83 (.44)
    ======================  ===========  ===========  ===========  ===========

    A handful of strongly skewed or correlated values stays below the nominal level: no method can know from
    five images what the sixth would have shown.

    Parameters
    ----------
    values : shape (n,)
        One value per image, in time order; the order matters only through `block_length`.
    confidence
        Two-sided level, in (0, 1).
    n_resamples
        Number of bootstrap resamples.
    block_length
        Images per block; None: `default_block_length`. 1 declares the images independent.
    rng
        Source of the bootstrap's resamples.
    """
    x = np.asarray(values, dtype=np.float64)
    n = len(x)
    if n < 2:
        return Interval(mean=float(x.mean()), n=n)
    if np.ptp(x) == 0:
        return Interval(mean=float(x[0]), low=float(x[0]), high=float(x[0]), n=n)
    length = min(n, default_block_length(n) if block_length is None else block_length)
    by_blocks = _expanded_bca(x, length, confidence, n_resamples, rng)
    by_t = _t_interval(x, confidence, independent=length == 1)
    low, high = min(by_blocks[0], by_t[0]), max(by_blocks[1], by_t[1])
    return Interval(mean=float(x.mean()), low=low, high=high, n=n)


def images_needed(values: ArrayLike, *, confidence: float = 0.95) -> int | None:
    """About how many values of the same mean and spread would show that their mean is above 0.

    By the t interval, its standard error as in `mean_interval`.

    Parameters
    ----------
    values : shape (n,)
        One value per image, in time order.
    confidence
        Two-sided level, in (0, 1).

    Returns
    -------
    int or None
        More than n and at most `MOST_IMAGES`; None if more would be needed, the mean is not above 0, or one
        value shows no spread.
    """
    x = np.asarray(values, dtype=np.float64)
    if len(x) < 2 or not x.mean() > 0:
        return None
    numbers = np.arange(len(x) + 1, MOST_IMAGES + 1)
    half = special.stdtrit(numbers - 1, (1 + confidence) / 2) * _deviation(x) / np.sqrt(numbers)
    enough = numbers[half < x.mean()]
    return int(enough[0]) if len(enough) else None


def block_means(x: Float64Array, length: int, n_resamples: int, rng: np.random.Generator) -> Float64Array:
    """Means of circular moving-block resamples of `x`, each of `len(x)` values.

    Returns
    -------
    float64, shape (R,)
        R = `n_resamples`, or every possible resample once where there are fewer.
    """
    n = len(x)
    n_blocks = -(-n // length)
    if n**n_blocks <= n_resamples:
        starts = np.indices((n,) * n_blocks).reshape(n_blocks, -1).T
    else:
        starts = rng.integers(0, n, size=(n_resamples, n_blocks))
    last = n - (n_blocks - 1) * length  # the last block is cut so that a resample has n values
    whole_sums, last_sums = _circular_sums(x, length), _circular_sums(x, last)
    means: Float64Array = (whole_sums[starts[:, :-1]].sum(axis=1) + last_sums[starts[:, -1]]) / n
    return means


def _circular_sums(x: Float64Array, length: int) -> Float64Array:
    wrapped = np.concatenate([x, x[: length - 1]])
    return np.asarray(np.lib.stride_tricks.sliding_window_view(wrapped, length).sum(axis=1))


def _expanded_bca(
    x: Float64Array, length: int, confidence: float, n_resamples: int, rng: np.random.Generator
) -> tuple[float, float]:
    n = len(x)
    means = block_means(x, length, n_resamples, rng)
    below = (np.mean(means < x.mean()) + np.mean(means <= x.mean())) / 2
    bias = special.ndtri(np.clip(below, 0.5 / len(means), 1 - 0.5 / len(means)))
    deviations = x - x.mean()
    acceleration = (deviations**3).sum() / (6 * (deviations**2).sum() ** 1.5)
    z = np.sqrt(n / (n - 1)) * special.stdtrit(max(n / length - 1, 1), (1 + confidence) / 2)

    def level(shifted: float) -> float:
        remaining = 1 - acceleration * shifted
        # Past the pole of the acceleration the bound is the extreme resample.
        if remaining <= 0:
            return float(shifted > 0)
        return float(special.ndtr(bias + shifted / remaining))

    low, high = np.quantile(means, [level(bias - z), level(bias + z)])
    return float(low), float(high)


def _t_interval(x: Float64Array, confidence: float, *, independent: bool) -> tuple[float, float]:
    n = len(x)
    deviation = float(x.std(ddof=1)) if independent else _deviation(x)
    half = float(special.stdtrit(n - 1, (1 + confidence) / 2) * deviation / np.sqrt(n))
    return float(x.mean()) - half, float(x.mean()) + half


def _deviation(x: Float64Array) -> float:
    """Standard deviation, widened for values that resemble their neighbours."""
    # The correlation of three values or fewer cannot be estimated.
    r = lag_one_correlation([x - x.mean()], highest=HIGHEST if len(x) > 3 else 0.0)
    return float(x.std(ddof=1) * np.sqrt((1 + r) / (1 - r)))
