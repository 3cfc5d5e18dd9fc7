"""What follows from learning curves: a person's seconds saved, and which strategy is best."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from icefloe.statistics.interval import Interval
from icefloe.statistics.monotone import first_crossing, rising
from icefloe.statistics.multiple import simultaneous
from icefloe.statistics.repetitions import Seeds, over_seeds, resampled_seeds
from studies.kit.study import Record
from studies.kit.tables import in_words
from studies.label_cost.replay import Outcome

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Curves:
    """Learning curves on one dataset: of A strategies, with S seeds, at the same N numbers of seconds.

    Attributes
    ----------
    dataset
        Name of the dataset that arrived.
    is_simulated
        Whether it was simulated.
    strategies
        Names of the A strategies.
    seconds : float64, shape (N,)
        A person's seconds, 0 first.
    dice, iou : float64, shape (A, S, N)
        Scores in [0, 1] at just these seconds. A round ends with a whole label, so a little later: between
        rounds they are read along straight lines.
    """

    dataset: str
    is_simulated: bool
    strategies: tuple[str, ...]
    seconds: Array
    dice: Array
    iou: Array

    @classmethod
    def of(cls, dataset: str, is_simulated: bool, outcomes: Iterable[Outcome]) -> "Curves":
        """From the outcomes on one dataset, among others."""
        table = {(o.strategy, o.seed, o.budget): o for o in outcomes if o.dataset == dataset}
        strategies, seeds, budgets = (list(dict.fromkeys(key)) for key in zip(*table, strict=True))
        budgets.sort()

        def scores(name: str, strategy: str, seed: int) -> Array:
            rounds = [table[strategy, seed, budget] for budget in budgets]
            spent = [each.seconds for each in rounds]
            return np.interp(budgets, spent, [getattr(each, name) for each in rounds])

        values = (
            np.array([[scores(name, a, s) for s in seeds] for a in strategies]) for name in ("dice", "iou")
        )
        return cls(dataset, is_simulated, tuple(strategies), np.array(budgets, dtype=np.float64), *values)

    def estimates(self, measure: str, strategy: str) -> list[Interval]:
        """`dice` or `iou` at each number of seconds, over seeds."""
        return [over_seeds(values) for values in getattr(self, measure)[self.row(strategy)].T]

    def row(self, strategy: str) -> int:
        """Position of a strategy in every array."""
        return self.strategies.index(strategy)

    @property
    def areas(self) -> Array:
        """Area under Dice over the logarithm of seconds, from the first round's end on, over its width.

        In [0, 1], shape (A, S); twice the seconds are worth as much anywhere on the curve.
        """
        if len(self.seconds) == 2:
            return self.dice[..., 1]
        position = np.log(self.seconds[1:])
        return np.asarray(np.trapezoid(self.dice[..., 1:], position) / (position[-1] - position[0]))

    @property
    def target_seconds(self) -> float:
        """Seconds of a baseline whose Dice a strategy has to reach: the last but one.

        The last leaves room to see what a strategy costs that needs more.
        """
        return float(self.seconds[-2] if len(self.seconds) > 2 else self.seconds[-1])

    def mean_curve(self, strategy: str, seeds: Seeds) -> Array:
        """Mean Dice over some seeds, made to rise, shape (N,)."""
        return rising(self.dice[self.row(strategy), seeds].mean(axis=0))

    def target(self, baseline_curve: Array) -> float:
        """The Dice of a baseline's mean curve at `target_seconds`."""
        return float(baseline_curve[self.seconds == self.target_seconds][0])


def cost_to_reach(cost: Array, dice: Array, target: float) -> float:
    """What a curve costs where it first reaches a Dice; its last cost if it ends below.

    Both are float64 of shape (N,); the cost rises, and the Dice never falls (`rising`).
    """
    return min(first_crossing(cost, dice, target), float(cost[-1]))


def seconds_saved(arrivals: Sequence[Curves], strategy: str, baseline: str, seeds: Seeds) -> float:
    """How many seconds fewer a strategy needs than a baseline, for the same Dice; all datasets together.

    The Dice is the baseline's at `target_seconds`. From the seconds that the baseline needs for it, those of
    the strategy are taken off: where the baseline's curve is flat, it could have stopped sooner. A strategy
    that never gets there counts with the most seconds tried.
    """
    saved = 0.0
    for curves in arrivals:
        theirs, ours = (curves.mean_curve(name, seeds) for name in (baseline, strategy))
        costs = [cost_to_reach(curves.seconds, each, curves.target(theirs)) for each in (theirs, ours)]
        saved += costs[0] - costs[1]
    return saved


def mean_areas(arrivals: Sequence[Curves]) -> Array:
    """Areas averaged over datasets, shape (A, S)."""
    return np.asarray(np.mean([curves.areas for curves in arrivals], axis=0))


def kinds(arrivals: Sequence[Curves]) -> dict[str, list[Curves]]:
    """Datasets by kind, `real` and `simulated`; kinds of which there is none are left out."""
    found: dict[str, list[Curves]] = {}
    for curves in arrivals:
        found.setdefault("simulated" if curves.is_simulated else "real", []).append(curves)
    return dict(sorted(found.items()))


class Comparison(Record):
    """A strategy against a baseline.

    Attributes
    ----------
    strategy, baseline
        Names of the strategy, and of the one that it is compared with.
    gain, gain_by_kind
        Area under the learning curve less the baseline's, seed by seed, mean over all datasets, and over
        those of a kind.
    saved, saved_by_dataset
        Number of seconds saved, all datasets together and one by one.

    Intervals of `gain`, `gain_by_kind` and `saved` hold for all strategies against a baseline together, those
    by dataset each for itself.
    """

    strategy: str
    baseline: str
    gain: Interval
    gain_by_kind: dict[str, Interval]
    saved: Interval
    saved_by_dataset: dict[str, Interval]

    @property
    def verdict(self) -> str:
        """Whether time is saved, as far as the interval tells."""
        return in_words(self.saved, "saves time", "costs time", "no saving shown")


def compare(
    arrivals: Sequence[Curves], strategies: Sequence[str], baselines: Sequence[str]
) -> tuple[Comparison, ...]:
    """Every strategy against every baseline that is another."""
    row = arrivals[0].row
    n_seeds = arrivals[0].dice.shape[1]

    def gain(curves: Sequence[Curves], strategy: str, baseline: str, confidence: float) -> Interval:
        areas = mean_areas(curves)
        return over_seeds(areas[row(strategy)] - areas[row(baseline)], confidence)

    def saved(curves: Sequence[Curves], strategy: str, baseline: str, confidence: float) -> Interval:
        return resampled_seeds(
            lambda seeds: seconds_saved(curves, strategy, baseline, seeds), n_seeds, confidence
        )

    found = []
    for baseline in baselines:
        others = [name for name in strategies if name != baseline]
        for strategy in others:
            pair, together = (strategy, baseline), simultaneous(len(others))
            by_kind = {kind: gain(curves, *pair, together) for kind, curves in kinds(arrivals).items()}
            found.append(
                Comparison(
                    strategy=strategy,
                    baseline=baseline,
                    gain=gain(arrivals, *pair, together),
                    gain_by_kind=by_kind,
                    saved=saved(arrivals, *pair, together),
                    saved_by_dataset={each.dataset: saved([each], *pair, 0.95) for each in arrivals},
                )
            )
    return tuple(found)


class CrossValidatedBest(Record):
    """The best strategy, chosen on all seeds but one and measured on that one, in turn.

    Attributes
    ----------
    baseline
        Name of the strategy that it is compared with.
    chosen
        For each seed, the strategy with the largest mean area on the other seeds.
    gain_by_kind
        Its area less the baseline's on that seed, over seeds, on the datasets of each kind.
    """

    baseline: str
    chosen: tuple[str, ...]
    gain_by_kind: dict[str, Interval]

    @property
    def is_better(self) -> bool:
        """Whether it is shown better on real and on simulated datasets."""
        return set(self.gain_by_kind) == {"real", "simulated"} and all(
            gain.finding() == "better" for gain in self.gain_by_kind.values()
        )


def cross_validated_best(
    arrivals: Sequence[Curves], strategies: Sequence[str], baseline: str
) -> CrossValidatedBest | None:
    """Leave each seed out of choosing the best strategy, and compare on it.

    The strategy that arrivals out best of several did so partly by luck, and its own difference is too large;
    this one is not favoured so. Its seeds share what they were chosen by, so the interval is approximate. A
    single seed gives None.
    """
    rows = [arrivals[0].row(name) for name in strategies]
    areas = mean_areas(arrivals)[rows]
    n_seeds = areas.shape[1]
    if n_seeds < 2:
        return None
    best = [int(np.delete(areas, seed, axis=1).mean(axis=1).argmax()) for seed in range(n_seeds)]

    def gain(of_kind: Mapping[str, Sequence[Curves]], kind: str) -> Interval:
        measured = mean_areas(of_kind[kind])
        of_best = measured[[rows[each] for each in best], np.arange(n_seeds)]
        return over_seeds(of_best - measured[arrivals[0].row(baseline)])

    by_kind = kinds(arrivals)
    return CrossValidatedBest(
        baseline=baseline,
        chosen=tuple(strategies[each] for each in best),
        gain_by_kind={kind: gain(by_kind, kind) for kind in by_kind},
    )
