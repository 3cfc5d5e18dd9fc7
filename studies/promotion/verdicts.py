"""What the promotion gate said of each arrival, as it decides now and as it did before, beside the truth."""

from collections.abc import Iterator, Mapping

import numpy as np

from icefloe.evaluation.columns import common, scores_by_dataset
from icefloe.evaluation.compare import compare
from icefloe.evaluation.evaluate import Evaluation
from icefloe.evaluation.promotion import PromotionReport, Verdict
from icefloe.evaluation.rule import HIGHER_IS_BETTER, METRICS, PromotionRule
from icefloe.statistics.interval import Interval
from icefloe.statistics.means import mean_interval
from studies.kit.study import Record
from studies.promotion.arrivals import NEW, Judged
from studies.promotion.design import Arrival


class Decided(Record):
    """One arrival.

    Attributes
    ----------
    arrival, departure, pace
        Its name, in what it departs from the standard, and the factor on the learning rate.
    before, now
        Verdict by intervals of the images held out alone (two-sided 95 %), and by the posterior.
    better, worse
        Posterior probability of a higher Dice on the experiment that arrived, and the largest one of being
        worse beyond a margin anywhere.
    seen, true
        Dice gained there, mean of the images held out, and of others by all members.
    excess
        By how much the truth is worse than a margin, where it is worst, in margins: 0 at it, -1 unchanged.
    """

    arrival: str
    departure: str
    pace: float
    before: Verdict
    now: Verdict
    better: float
    worse: float
    seen: float
    true: float
    excess: float


def decide(judged: Mapping[Arrival, Judged], rule: PromotionRule) -> list[Decided]:
    """Ask both gates; each world's earlier arrivals are the earlier rounds that spread is learned from."""
    rounds: dict[object, list[PromotionReport]] = {}
    decided = []
    for arrival, found in judged.items():
        challenger, champion = found.held_out
        earlier = rounds.setdefault(arrival.world, [])
        report = compare(challenger, champion, rule, new_dataset=NEW, earlier=earlier[-10:])
        earlier.append(report)
        (gain,) = (c for c in report.comparisons if (c.dataset, c.metric) == (NEW, "dice"))
        true = dict(_changes(*found.truth))
        decided.append(
            Decided(
                arrival=arrival.name,
                departure=found.departure,
                pace=found.pace,
                before=_by_intervals(challenger, champion, rule),
                now=report.verdict,
                better=gain.better or 0.0,
                worse=max(c.worse for c in report.comparisons if c.worse is not None),
                seen=gain.difference,
                true=float(true[NEW, "dice"].mean()),
                excess=_excess(true, rule),
            )
        )
    return decided


def _changes(challenger: Evaluation, champion: Evaluation) -> Iterator[tuple[tuple[str, str], np.ndarray]]:
    """(dataset, metric), and the differences of its images."""
    after, before = scores_by_dataset(challenger), scores_by_dataset(champion)
    for dataset in after:
        for metric in METRICS:
            one, other = common(after[dataset][metric], before[dataset][metric])
            if one:
                yield (dataset, metric), np.array(list(one.values())) - np.array(list(other.values()))


def _excess(changes: Mapping[tuple[str, str], np.ndarray], rule: PromotionRule) -> float:
    losses = [
        (-differences.mean() if metric in HIGHER_IS_BETTER else differences.mean()) / margin - 1
        for (_, metric), differences in changes.items()
        if (margin := rule.margin(metric))
    ]
    return float(max(losses))


def _by_intervals(challenger: Evaluation, champion: Evaluation, rule: PromotionRule) -> Verdict:
    """The verdict of versions of Icefloe up to November 2026: each dataset's images on their own."""
    changes = dict(_changes(challenger, champion))
    intervals: dict[tuple[str, str], Interval] = {
        key: mean_interval(differences, rng=np.random.default_rng(0)) for key, differences in changes.items()
    }
    findings = [
        interval.finding(margin, higher_is_better=metric in HIGHER_IS_BETTER)
        for (_, metric), interval in intervals.items()
        if (margin := rule.margin(metric)) is not None
    ]
    gain = intervals[NEW, "dice"]
    if "worse" in findings or gain.high < 0:
        return "fail"
    return "pass" if gain.low > 0 and "undecided" not in findings else "inconclusive"
