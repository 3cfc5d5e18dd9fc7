"""Intervals over repetitions of a whole experiment, such as seeds: these are independent, frames are not."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from icefloe.errors import IcefloeError
from icefloe.statistics.interval import Interval

Seeds = NDArray[np.int64]
"""Positions of repetitions, any number of them, repeated or not."""

RESAMPLES = 1000


def over_seeds(values: ArrayLike, confidence: float = 0.95) -> Interval:
    """Mean and t interval of one number per repetition.

    It covers what differs between the repetitions (first weights, draws, chosen images), not the choice of
    datasets.

    Parameters
    ----------
    values : float, shape (n,)
        One value for each seed; for a comparison, the differences seed by seed.
    confidence
        Level of the interval, in (0, 1).

    Raises
    ------
    IcefloeError
        If there is no value.
    """
    numbers = np.asarray(values, dtype=np.float64)
    n = len(numbers)
    if n == 0:
        raise IcefloeError("An interval needs at least one repetition. Run one or more seeds.")
    mean = float(numbers.mean())
    if n == 1:
        return Interval(mean=mean, n=1)
    half = float(stats.t.ppf((1 + confidence) / 2, n - 1) * numbers.std(ddof=1) / np.sqrt(n))
    return Interval(mean=mean, low=mean - half, high=mean + half, n=n)


def resampled_seeds(statistic: Callable[[Seeds], float], n_seeds: int, confidence: float = 0.95) -> Interval:
    """A statistic of all repetitions together, with the wider, at each end, of two intervals over them.

    * Bootstrap percentiles, widened for few seeds ("expanded", Hesterberg 2015): the quantile is that of
      sqrt(n / (n - 1)) t. No resample goes beyond the extreme seeds, which is too little for three or four.
    * The jackknife's, with t (Tukey 1958). It follows kinks of a statistic badly, however many seeds.

    Of 300 simulated studies of labels saved a case (strategies alike, better, skewed, flat; 3, 4, 6, 8 seeds)
    95 % intervals held the truth in .91 to .99; the bootstrap alone in .77 with 3, the jackknife alone in .78
    with 8.

    Parameters
    ----------
    statistic
        Function from positions of repetitions to a number.
    n_seeds
        Number of repetitions; one has no interval.
    confidence
        Level of the interval, in (0, 1).
    """
    all_seeds = np.arange(n_seeds)
    estimate = statistic(all_seeds)
    if n_seeds < 2:
        return Interval(mean=estimate, n=n_seeds)
    t = special.stdtrit(n_seeds - 1, (1 + confidence) / 2)
    rng = np.random.default_rng(0)
    resampled = [statistic(rng.integers(n_seeds, size=n_seeds)) for _ in range(RESAMPLES)]
    quantile = t * np.sqrt(n_seeds / (n_seeds - 1))
    low, high = np.quantile(resampled, [special.ndtr(-quantile), special.ndtr(quantile)])
    without = np.array([statistic(np.delete(all_seeds, seed)) for seed in all_seeds])
    # Its pseudo-values n * estimate - (n - 1) * without have this standard error of their mean.
    half = t * (n_seeds - 1) * without.std(ddof=1) / np.sqrt(n_seeds)
    return Interval(
        mean=estimate,
        low=min(float(low), estimate - half),
        high=max(float(high), estimate + half),
        n=n_seeds,
    )


def share_over_repetitions(holds: Sequence[NDArray[np.bool_]]) -> Interval:
    """Mean over repetitions of the share of their cases of which something holds; its 95 % t interval.

    The interval is over repetitions and lies within [0, 1]; one repetition has none, however many cases.

    Parameters
    ----------
    holds : sequence of bool arrays, shape (n_k,)
        Whether each case holds, for each repetition, such as an experiment.
    """
    estimate = over_seeds([float(cases.mean()) for cases in holds])
    if not estimate.is_bounded:
        return estimate
    return estimate.model_copy(update={"low": max(estimate.low, 0.0), "high": min(estimate.high, 1.0)})


def intraclass_correlation(values: Sequence[ArrayLike]) -> float:
    """Share of the variance that lies between repetitions, ICC(1) of a one-way analysis of variance.

    0: cases of one repetition are as good as cases of several; 1: one case says all of its repetition.

    Parameters
    ----------
    values : sequence of float arrays, shape (n,)
        Values of each repetition's cases, equally many, at least two.
    """
    table = np.stack([np.asarray(cases, dtype=np.float64) for cases in values])
    n = table.shape[1]
    between = n * table.mean(axis=1).var(ddof=1)
    within = table.var(axis=1, ddof=1).mean()
    return float((between - within) / (between + (n - 1) * within))


def pseudo_values(by_subset: Mapping[tuple[int, ...], float]) -> NDArray[np.float64]:
    """One number per seed, of something that was measured on sets of seeds that overlap.

    Jackknife pseudo-values (Tukey 1958), n U - (n - 1) U(without the seed), U being the mean over sets: their
    mean is U, and their t interval, from `over_seeds`, counts each seed once, however many sets it is in. It
    is wide rather than narrow (Efron and Stein 1981). Where each set holds one seed, these are the values
    themselves.

    Parameters
    ----------
    by_subset
        Set of seeds -> what was measured with it.

    Returns
    -------
    float64, shape (n,)
        Pseudo-values in the order of the n seeds.

    Raises
    ------
    IcefloeError
        If a seed is in every set, so that it cannot be left out.
    """
    seeds = sorted({seed for subset in by_subset for seed in subset})
    without = {seed: [value for subset, value in by_subset.items() if seed not in subset] for seed in seeds}
    if fixed := [seed for seed, values in without.items() if not values]:
        raise IcefloeError(
            f"Seed {fixed[0]} is in every set, so its contribution cannot be estimated. Run more seeds."
        )
    n, overall = len(seeds), float(np.mean(list(by_subset.values())))
    return np.array([n * overall - (n - 1) * np.mean(values) for values in without.values()])
