"""What follows from learning curves: labels and minutes saved, and which strategy is best."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from icefloe.statistics.interval import Interval
from icefloe.statistics.monotone import first_crossing, rising
from icefloe.statistics.multiple import simultaneous
from icefloe.statistics.repetitions import Seeds, over_seeds, resampled_seeds
from studies.kit.study import Record
from studies.kit.tables import in_words
from studies.label_cost.annotation_time import SCRATCH_MINUTES
from studies.label_cost.design import BASELINES
from studies.label_cost.replay import Outcome

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Curves:
    """Learning curves on one dataset: of A strategies, with S seeds, at N numbers of labels.

    Attributes
    ----------
    dataset
        Name of the dataset that arrived.
    strategies
        Names of the A strategies, the baselines first.
    labels : float64, shape (N,)
        Numbers of labels, 0 first.
    dice, iou, minutes : float64, shape (A, S, N)
        Dice and IoU in [0, 1], and minutes of correcting, as in `Outcome`.
    """

    dataset: str
    strategies: tuple[str, ...]
    labels: Array
    dice: Array
    iou: Array
    minutes: Array

    @classmethod
    def of(cls, dataset: str, outcomes: Iterable[Outcome]) -> "Curves":
        """From the outcomes on one dataset, among others."""
        table = {(o.strategy, o.seed, o.labels): o for o in outcomes if o.dataset == dataset}
        strategies, seeds, labels = (list(dict.fromkeys(key)) for key in zip(*table, strict=True))
        labels.sort()
        values = [
            [[[getattr(table[a, s, n], name) for n in labels] for s in seeds] for a in strategies]
            for name in ("dice", "iou", "minutes")
        ]
        return cls(dataset, tuple(strategies), np.array(labels, dtype=np.float64), *map(np.array, values))

    def estimates(self, measure: str, strategy: str) -> list[Interval]:
        """`dice`, `iou` or `minutes` at each number of labels, over seeds."""
        return [over_seeds(values) for values in getattr(self, measure)[self.row(strategy)].T]

    def row(self, strategy: str) -> int:
        """Position of a strategy in every array."""
        return self.strategies.index(strategy)

    @property
    def areas(self) -> Array:
        """Area under Dice over the logarithm of labels, from the first label on, over its width.

        In [0, 1], shape (A, S); twice the labels are worth as much anywhere on the curve.
        """
        if len(self.labels) == 2:
            return self.dice[..., 1]
        position = np.log(self.labels[1:])
        return np.asarray(np.trapezoid(self.dice[..., 1:], position) / (position[-1] - position[0]))

    @property
    def target_labels(self) -> int:
        """Labels of a baseline whose Dice a strategy has to reach: the last number but one.

        The last leaves room to see what a strategy costs that needs more.
        """
        return int(self.labels[-2] if len(self.labels) > 2 else self.labels[-1])

    def mean_curve(self, strategy: str, seeds: Seeds) -> Array:
        """Mean Dice over some seeds, made to rise, shape (N,)."""
        return rising(self.dice[self.row(strategy), seeds].mean(axis=0))

    def target(self, baseline_curve: Array) -> float:
        """The Dice of a baseline's mean curve at `target_labels`."""
        return float(baseline_curve[self.labels == self.target_labels][0])


def cost_to_reach(cost: Array, dice: Array, target: float) -> float:
    """What a curve costs where it first reaches a Dice; its last cost if it ends below.

    Both are float64 of shape (N,); the cost rises, and the Dice never falls (`rising`).
    """
    return min(first_crossing(cost, dice, target), float(cost[-1]))


def minutes_needed(
    curves: Curves, strategy: str, baseline: str, seeds: Seeds, minutes_a_label: float | None
) -> float:
    """Minutes until a strategy's mean curve has the Dice of a baseline's at `target_labels`.

    So many a label or, with None, those of correcting what the ensemble drew.
    """
    if minutes_a_label is None:
        cost = curves.minutes[curves.row(strategy), seeds].mean(axis=0)
    else:
        cost = minutes_a_label * curves.labels
    target = curves.target(curves.mean_curve(baseline, seeds))
    return cost_to_reach(cost, curves.mean_curve(strategy, seeds), target)


class MinutesNeeded(Record):
    """Minutes to the Dice of uniform draws, all datasets: from scratch, and correcting."""

    strategy: str
    from_scratch: Interval
    correcting: Interval


def minutes_to_target(arrivals: Sequence[Curves], strategy: str) -> MinutesNeeded:
    """Over all datasets, each to the Dice of uniform draws."""

    def needed(minutes_a_label: float | None) -> Interval:
        def total(seeds: Seeds) -> float:
            return sum(minutes_needed(c, strategy, BASELINES[0], seeds, minutes_a_label) for c in arrivals)

        return resampled_seeds(total, arrivals[0].dice.shape[1])

    return MinutesNeeded(strategy=strategy, from_scratch=needed(SCRATCH_MINUTES), correcting=needed(None))


def labels_saved(arrivals: Sequence[Curves], strategy: str, baseline: str, seeds: Seeds) -> float:
    """How many labels fewer a strategy needs than a baseline, for the same Dice; all datasets together.

    The Dice is the baseline's at `target_labels`. From the labels that the baseline needs for it, those of
    the strategy are taken off: where the baseline's curve is flat, it could have stopped sooner. A strategy
    that never gets there counts with the largest number of labels tried.
    """
    saved = 0.0
    for curves in arrivals:
        theirs, ours = (curves.mean_curve(name, seeds) for name in (baseline, strategy))
        costs = [cost_to_reach(curves.labels, each, curves.target(theirs)) for each in (theirs, ours)]
        saved += costs[0] - costs[1]
    return saved


def mean_areas(arrivals: Sequence[Curves]) -> Array:
    """Areas averaged over datasets, shape (A, S)."""
    return np.asarray(np.mean([curves.areas for curves in arrivals], axis=0))


class Comparison(Record):
    """A strategy against a baseline.

    Attributes
    ----------
    strategy, baseline
        Names of the strategy, and of the baseline that it is compared with.
    gain
        Area under the learning curve less the baseline's, seed by seed, mean over datasets.
    saved, saved_by_dataset
        Number of labels saved, all datasets together and one by one.

    Intervals of `gain` and `saved` hold for all strategies against a baseline together, those by dataset
    each for itself.
    """

    strategy: str
    baseline: str
    gain: Interval
    saved: Interval
    saved_by_dataset: dict[str, Interval]

    @property
    def verdict(self) -> str:
        """Whether labels are saved, as far as the interval tells."""
        return in_words(self.saved, "saves labels", "costs labels", "no saving shown")


def compare(arrivals: Sequence[Curves], strategies: Sequence[str]) -> tuple[Comparison, ...]:
    """Every strategy against every baseline."""
    areas, row = mean_areas(arrivals), arrivals[0].row
    n_seeds = areas.shape[1]
    confidence = simultaneous(len(strategies))

    def saved(curves: Sequence[Curves], strategy: str, baseline: str, confidence: float) -> Interval:
        return resampled_seeds(
            lambda seeds: labels_saved(curves, strategy, baseline, seeds), n_seeds, confidence
        )

    return tuple(
        Comparison(
            strategy=strategy,
            baseline=baseline,
            gain=over_seeds(areas[row(strategy)] - areas[row(baseline)], confidence),
            saved=saved(arrivals, strategy, baseline, confidence),
            saved_by_dataset={each.dataset: saved([each], strategy, baseline, 0.95) for each in arrivals},
        )
        for baseline in BASELINES
        for strategy in strategies
    )


class CrossValidatedBest(Record):
    """The best strategy, chosen on all seeds but one and measured on that one, in turn.

    Attributes
    ----------
    baseline
        Name of the baseline that it is compared with.
    chosen
        For each seed, the strategy with the largest mean area on the other seeds.
    gain
        Its area less the baseline's on that seed, over seeds.
    """

    baseline: str
    chosen: tuple[str, ...]
    gain: Interval


def cross_validated_best(
    arrivals: Sequence[Curves], strategies: Sequence[str], baseline: str
) -> CrossValidatedBest | None:
    """Leave each seed out of choosing the best strategy, and compare on it.

    The strategy that arrivals out best of several did so partly by luck, and its own difference is too large;
    this one is not favoured so. Its seeds share what they were chosen by, so the interval is approximate. A
    single seed gives None.
    """
    areas, row = mean_areas(arrivals), arrivals[0].row
    of_strategies = areas[[row(name) for name in strategies]]
    n_seeds = areas.shape[1]
    if n_seeds < 2:
        return None
    best = [int(np.delete(of_strategies, seed, axis=1).mean(axis=1).argmax()) for seed in range(n_seeds)]
    gains = of_strategies[best, np.arange(n_seeds)] - areas[row(baseline)]
    chosen = tuple(strategies[each] for each in best)
    return CrossValidatedBest(baseline=baseline, chosen=chosen, gain=over_seeds(gains))
