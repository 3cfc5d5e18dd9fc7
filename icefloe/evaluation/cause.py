"""The reason for the promotion gate's verdict, as a clause, and what would change it, as a sentence."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from icefloe.evaluation.rule import METRICS
from icefloe.statistics.interval import Interval

if TYPE_CHECKING:
    from icefloe.evaluation.promotion import Comparison, Finding, PromotionReport

Cause = tuple[str, str]
"""The finding that weighs most, without a full stop; what would change the verdict, empty after a pass."""


def weightiest(report: "PromotionReport") -> Cause:
    """The most important finding: worse on a dataset, then not better, then possibly worse."""
    if report.is_first:
        return _of_first_version(report)
    if worse := _worst(report, "worse"):
        dataset, margin = worse.dataset, f"{worse.margin:g}"
        return (
            f"{METRICS[worse.metric]} on {dataset} is worse by more than {margin} "
            f"({_interval_text(worse.interval)})",
            f"Label more of {dataset} and retrain.",
        )
    gains = report.gains or {
        c.dataset: c.interval
        for c in report.comparisons
        if (c.dataset, c.metric) == (report.new_dataset, "dice")
    }
    if not gains and report.new_dataset is None:  # an earlier version's file, which did not keep them
        return report.reasons[0].rstrip("."), ""
    if not gains:
        return (
            f"no image of {report.new_dataset} is held out, so it cannot be shown to be better",
            f"Label more of {report.new_dataset}, or look at its masks and promote by hand.",
        )
    min_improvement = report.rule.min_improvement
    higher = {dataset: gain for dataset, gain in gains.items() if gain.low > min_improvement}
    return _of_a_gain(report, higher) if higher else _without_gain(report, gains)


def _of_a_gain(report: "PromotionReport", gains: Mapping[str, Interval]) -> Cause:
    """Of a version that is better where it should be, and nowhere shown to be worse."""
    best = max(gains, key=lambda dataset: gains[dataset].mean)
    min_improvement = report.rule.min_improvement
    words = f"is higher by more than {min_improvement:g}" if min_improvement else "is higher"
    gained = f"Dice on {best} {words} ({_interval_text(gains[best])})"
    doubt = _worst(report, "undecided")
    if doubt is None:
        return f"{gained}, and no dataset is worse by more than its margin", ""
    on = doubt.dataset
    what = f"on {on} it" if doubt.metric == "dice" else f"{METRICS[doubt.metric]} on {on}"
    possible_loss = f"{what} may be worse by more than {doubt.margin:g} ({_interval_text(doubt.interval)})"
    return f"{gained}, but {possible_loss}", _label_more(on)


def _without_gain(report: "PromotionReport", gains: Mapping[str, Interval]) -> Cause:
    best = max(gains, key=lambda dataset: gains[dataset].mean)
    min_improvement = report.rule.min_improvement
    words = f"higher by more than {min_improvement:g}" if min_improvement else "higher"
    found = f"{words} ({_interval_text(gains[best])})"
    if report.verdict == "fail":
        return f"Dice on {best} is not {found}", f"Label more of {best} and retrain."
    return f"Dice on {best} is not shown to be {found}", _label_more(best)


def _of_first_version(report: "PromotionReport") -> Cause:
    weakest = (
        _worst(report, "worse")
        or _worst(report, "undecided")
        or min(report.comparisons, key=lambda comparison: comparison.difference)
    )
    on, difference = weakest.dataset, _interval_text(weakest.interval)
    if weakest.n_images == 1:
        difference = f"{weakest.difference:+.3f} on the only image held out, too few for an interval"
    baseline = f"that of {weakest.baseline}" if weakest.baseline else "the best trivial baseline's"
    if report.verdict == "fail":
        return f"Dice on {on} is below {baseline} ({difference})", f"Train longer, or label more of {on}."
    if report.verdict == "inconclusive":
        return f"Dice on {on} is not shown to be above {baseline} ({difference})", _to_settle(report, weakest)
    if len(report.comparisons) == 1:
        return f"Dice on {on} is above {baseline} ({difference})", ""
    return f"Dice is above every trivial baseline's, by least on {on} ({difference})", ""


def _to_settle(report: "PromotionReport", undecided: "Comparison") -> str:
    """What would show a first version to be above the baseline, or not."""
    on, n, needed = undecided.dataset, undecided.n_images, undecided.images_needed
    if needed is None and n > 1:
        return f"Train longer or with more labels: more held-out images of {on} will hardly show it."
    about = needed or report.rule.min_images
    there = f"there {'is 1' if n == 1 else f'are {n}'}"
    return f"Label more of {on}: about {about} held-out images would settle it, {there}."


def _worst(report: "PromotionReport", finding: "Finding") -> "Comparison | None":
    """Of the comparisons with a finding: Dice before the other metrics, then where the mean is worst."""
    order = list(METRICS)
    found = [c for c in report.comparisons if c.finding == finding]
    return min(found, key=lambda c: (order.index(c.metric), -c.harm), default=None)


def _interval_text(interval: Interval) -> str:
    return interval.text(signed=True)


def _label_more(dataset: str) -> str:
    return f"Label more of {dataset} to decide."
