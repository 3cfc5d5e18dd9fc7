"""Each strategy against each baseline, in words that the numbers choose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from icefloe.statistics.interval import Interval
from icefloe.statistics.multiple import simultaneous
from icefloe.statistics.repetitions import over_seeds
from studies.label_cost.contenders import BASELINES
from studies.label_cost.curves import Curves
from studies.label_cost.savings import (
    MetAnew,
    labels_saved,
    mean_areas,
    of_mean_curves,
)


@dataclass(frozen=True)
class Comparison:
    """A strategy against a baseline.

    Attributes
    ----------
    strategy, baseline
        Their names.
    gain
        Area under the learning curve less the baseline's, seed by seed, mean over arrivals.
    saved
        Labels, all arrivals together.
    saved_by_dataset
        Labels, arrival by arrival.
    asked
        Labels of the baseline that `saved` is out of.

    Intervals of `gain` and `saved` hold for all strategies against a baseline together, those by dataset
    each for itself.
    """

    strategy: str
    baseline: str
    gain: Interval
    saved: Interval
    saved_by_dataset: dict[str, Interval]
    asked: int

    @property
    def verdict(self) -> str:
        """Whether labels are saved, as far as the interval tells."""
        if self.saved.n < 2:
            return "one seed can't tell"
        if self.saved.low > 0:
            return "saves labels"
        return "costs labels" if self.saved.high < 0 else "no saving shown"

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "strategy": self.strategy,
            "baseline": self.baseline,
            "gain": self.gain.model_dump(),
            "saved": self.saved.model_dump(),
            "saved_by_dataset": {name: each.model_dump() for name, each in self.saved_by_dataset.items()},
            "asked": self.asked,
            "verdict": self.verdict,
        }


def compare(arrivals: Sequence[Curves], strategies: Sequence[str]) -> list[Comparison]:
    """Every strategy against every baseline."""
    areas, row = mean_areas(arrivals), arrivals[0].row
    n_seeds = areas.shape[1]
    confidence = simultaneous(len(strategies))

    def saved(curves: Sequence[Curves], strategy: str, baseline: str, confidence: float) -> Interval:
        return of_mean_curves(
            lambda seeds: labels_saved(curves, strategy, baseline, seeds), n_seeds, confidence
        )

    return [
        Comparison(
            strategy=strategy,
            baseline=baseline,
            gain=over_seeds(areas[row(strategy)] - areas[row(baseline)], confidence),
            saved=saved(arrivals, strategy, baseline, confidence),
            saved_by_dataset={each.dataset: saved([each], strategy, baseline, 0.95) for each in arrivals},
            asked=sum(curves.asked for curves in arrivals),
        )
        for baseline in BASELINES
        for strategy in strategies
    ]


def in_words(
    best: str, met_anew: Mapping[str, MetAnew | None], comparisons: Sequence[Comparison]
) -> list[str]:
    """What the study found, a line each.

    Parameters
    ----------
    best
        The strategy with the largest area.
    met_anew
        By baseline, what a strategy chosen on the other seeds gains on each.
    comparisons
        Every strategy against every baseline.
    """
    lines = []
    for baseline, met in met_anew.items():
        of_baseline = [each for each in comparisons if each.baseline == baseline]
        (own,) = (each for each in of_baseline if each.strategy == best)
        lines.append(
            f"Best strategy against {baseline}: {best}, area under the learning curve {signed(own.gain)}. It "
            f"is the best of {len(of_baseline)} on these very seeds, which favours it. {_met_anew(met)}"
        )
        by_verdict: dict[str, list[str]] = {}
        for each in of_baseline:
            by_verdict.setdefault(each.verdict, []).append(f"{each.strategy} {signed(each.saved, 1)}")
        said = "; ".join(f"{verdict}: {', '.join(names)}" for verdict, names in by_verdict.items())
        lines.append(f"Labels saved against {baseline}, of {of_baseline[0].asked}: {said}.")
    return lines


def _met_anew(met: MetAnew | None) -> str:
    if met is None:
        return "With a single seed nothing more can be said."
    if met.gain.low > 0:
        verdict = "better than the baseline"
    elif met.gain.high < 0:
        verdict = "worse than the baseline"
    else:
        verdict = "no difference shown"
    names = ", ".join(dict.fromkeys(met.chosen))
    gain = signed(met.gain)
    return f"Chosen on the other seeds and measured on the one left out ({names}): {gain}, {verdict}."


def signed(estimate: Interval, digits: int = 3) -> str:
    """A difference with its interval."""
    bounds = "" if estimate.n < 2 else f" [{estimate.low:+.{digits}f}, {estimate.high:+.{digits}f}]"
    return f"{estimate.mean:+.{digits}f}{bounds}"
