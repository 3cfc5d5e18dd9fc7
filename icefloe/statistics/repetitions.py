"""Intervals over repetitions of a whole experiment, such as seeds: these are independent, frames are not."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from icefloe.errors import IcefloeError
from icefloe.statistics.interval import Interval


def over_seeds(values: ArrayLike, confidence: float = 0.95) -> Interval:
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
        return Interval(mean=mean, n=1)
    half = float(stats.t.ppf((1 + confidence) / 2, n - 1) * numbers.std(ddof=1) / np.sqrt(n))
    return Interval(mean=mean, low=mean - half, high=mean + half, n=n)


def pseudo_values(by_subset: Mapping[tuple[int, ...], float]) -> NDArray[np.float64]:
    """One number a seed, of something that was measured on sets of seeds that overlap.

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
        In the order of the n seeds.

    Raises
    ------
    IcefloeError
        If a seed is in every set, so that it can't be left out.
    """
    seeds = sorted({seed for subset in by_subset for seed in subset})
    without = {seed: [value for subset, value in by_subset.items() if seed not in subset] for seed in seeds}
    if stuck := [seed for seed, values in without.items() if not values]:
        raise IcefloeError(f"Seed {stuck[0]} is in every set, so nothing tells what it adds. Run more seeds.")
    n, overall = len(seeds), float(np.mean(list(by_subset.values())))
    return np.array([n * overall - (n - 1) * np.mean(values) for values in without.values()])
