"""What follows from learning curves: labels and minutes saved, and the best strategy met anew."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special
from scipy.optimize import isotonic_regression

from icefloe.studies.intervals import Estimate, over_seeds
from icefloe.studies.label_cost.curves import Array, Curves

Seeds = NDArray[np.int64]
"""Rows of seeds, any number of them, repeated or not."""

RESAMPLES = 1000


def cost_to_reach(cost: Array, dice: Array, target: float) -> float:
    """What a curve costs where it first reaches a Dice, between its points along straight lines.

    Parameters
    ----------
    cost, dice : float64, shape (N,)
        Rising cost, and a Dice that never falls (`rising`).
    target
        Dice to reach.

    Returns
    -------
    float
        The curve's last cost if it ends below.
    """
    above = np.flatnonzero(dice >= target)
    if not len(above):
        return float(cost[-1])
    first = above[0]
    if first == 0:
        return float(cost[0])
    step = (target - dice[first - 1]) / (dice[first] - dice[first - 1])
    return float(cost[first - 1] + step * (cost[first] - cost[first - 1]))


def rising(dice: Array) -> Array:
    """The nearest curve that never falls, by least squares: a dip with more labels is taken for chance."""
    return np.asarray(isotonic_regression(dice).x, dtype=np.float64)


def labels_needed(curves: Curves, contender: str, baseline: str, seeds: Seeds) -> float:
    """Labels until a contender's mean curve has the Dice of a baseline's at `curves.asked` labels."""
    return _needed(curves, curves.labels.astype(np.float64), contender, baseline, seeds)


def minutes_needed(
    curves: Curves, contender: str, baseline: str, seeds: Seeds, minutes_a_label: float | None
) -> float:
    """The same in minutes: so many a label or, with None, those of correcting what the ensemble drew."""
    if minutes_a_label is None:
        cost = curves.minutes[curves.row(contender), seeds].mean(axis=0)
    else:
        cost = minutes_a_label * curves.labels
    return _needed(curves, cost, contender, baseline, seeds)


def labels_saved(arrivals: Sequence[Curves], contender: str, baseline: str, seeds: Seeds) -> float:
    """How many labels fewer a contender needs than a baseline, for the same Dice; all arrivals together.

    The baseline's own need is subtracted from, not `curves.asked`: where its curve is flat it could have
    stopped sooner. A contender that never gets there counts with the largest number of labels tried.
    """
    return sum(
        labels_needed(curves, baseline, baseline, seeds) - labels_needed(curves, contender, baseline, seeds)
        for curves in arrivals
    )


def of_mean_curves(statistic: Callable[[Seeds], float], n_seeds: int, confidence: float = 0.95) -> Estimate:
    """A statistic of the seeds' mean curves, with the wider, at each end, of two intervals over seeds.

    * Bootstrap percentiles, widened for few seeds ("expanded", Hesterberg 2015): the quantile is that of
      sqrt(n / (n - 1)) t. No resample goes beyond the extreme seeds, which is too little for three or four.
    * The jackknife's, with t (Tukey 1958). It follows kinks of a statistic badly, however many seeds.

    Of 300 simulated studies a case (strategies alike, better, skewed, flat; 3, 4, 6, 8 seeds) 95 % intervals
    held the truth in .91 to .99; the bootstrap alone in .77 with 3, the jackknife alone in .78 with 8.

    Parameters
    ----------
    statistic
        From rows of seeds to a figure.
    n_seeds
        How many there are.
    confidence
        Of the interval.
    """
    everyone = np.arange(n_seeds)
    estimate = statistic(everyone)
    if n_seeds < 2:
        return Estimate(estimate, np.nan, np.nan, n_seeds)
    t = special.stdtrit(n_seeds - 1, (1 + confidence) / 2)
    rng = np.random.default_rng(0)
    resampled = [statistic(rng.integers(n_seeds, size=n_seeds)) for _ in range(RESAMPLES)]
    quantile = t * np.sqrt(n_seeds / (n_seeds - 1))
    low, high = np.quantile(resampled, [special.ndtr(-quantile), special.ndtr(quantile)])
    without = np.array([statistic(np.delete(everyone, seed)) for seed in everyone])
    # Its pseudo-values n * estimate - (n - 1) * without have this standard error of their mean.
    half = t * (n_seeds - 1) * without.std(ddof=1) / np.sqrt(n_seeds)
    return Estimate(estimate, min(float(low), estimate - half), max(float(high), estimate + half), n_seeds)


def simultaneous(n_comparisons: int, confidence: float = 0.95) -> float:
    """Confidence of each of several intervals, for that of all together (Bonferroni)."""
    return 1 - (1 - confidence) / n_comparisons


def mean_areas(arrivals: Sequence[Curves]) -> Array:
    """Areas averaged over arrivals, shape (A, S)."""
    return np.asarray(np.mean([curves.areas for curves in arrivals], axis=0))


@dataclass(frozen=True)
class MetAnew:
    """The best strategy, chosen on some seeds and measured on another.

    Attributes
    ----------
    chosen
        For each seed, the strategy with the largest mean area on the other seeds.
    gain
        Its area less the baseline's on that seed, over seeds.
    """

    chosen: tuple[str, ...]
    gain: Estimate


def best_met_anew(arrivals: Sequence[Curves], strategies: Sequence[str], baseline: str) -> MetAnew | None:
    """Leave each seed out of choosing the best strategy, and compare on it.

    The strategy that came out best of several did so partly by luck, and its own difference is too large;
    this one is not favoured so. Its seeds share what they were chosen by, so the interval is approximate.

    Parameters
    ----------
    arrivals
        The curves.
    strategies
        Names to choose from.
    baseline
        Name to compare with.

    Returns
    -------
    MetAnew or None
        None with a single seed.
    """
    areas, row = mean_areas(arrivals), arrivals[0].row
    of_strategies = areas[[row(name) for name in strategies]]
    n_seeds = areas.shape[1]
    if n_seeds < 2:
        return None
    best = [int(np.delete(of_strategies, seed, axis=1).mean(axis=1).argmax()) for seed in range(n_seeds)]
    gains = of_strategies[best, np.arange(n_seeds)] - areas[row(baseline)]
    return MetAnew(tuple(strategies[each] for each in best), over_seeds(gains))


def _needed(curves: Curves, cost: Array, contender: str, baseline: str, seeds: Seeds) -> float:
    at = int(np.flatnonzero(curves.labels == curves.asked)[0])
    target = rising(curves.dice[curves.row(baseline), seeds].mean(axis=0))[at]
    return cost_to_reach(cost, rising(curves.dice[curves.row(contender), seeds].mean(axis=0)), target)
