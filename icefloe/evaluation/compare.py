"""The promotion gate: is a challenger better than the champion, and has it forgotten nothing?"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from icefloe.evaluation.columns import Columns, check_same_images, common, partly_judged, scores_by_dataset
from icefloe.evaluation.prior import kind_of, learned_prior
from icefloe.evaluation.promotion import Comparison, Finding, PromotionReport, Verdict
from icefloe.evaluation.rule import HIGHER_IS_BETTER, METRICS, PromotionRule
from icefloe.statistics.interval import Interval
from icefloe.statistics.means import images_needed, mean_interval
from icefloe.statistics.multiple import simultaneous
from icefloe.statistics.posterior import ChangePosterior
from icefloe.statistics.predictive import experiment_means

if TYPE_CHECKING:
    from icefloe.evaluation.evaluate import Evaluation


def compare(
    challenger: "Evaluation",
    champion: "Evaluation | None",
    rule: PromotionRule,
    *,
    new_dataset: str | None = None,
    challenger_version: str | None = None,
    champion_version: str | None = None,
    earlier: Sequence[PromotionReport] = (),
) -> PromotionReport:
    """Judge a challenger on every dataset so far, image by image against the champion.

    Both must have been evaluated on the same images: held-out ones of every earlier dataset, and of the new
    dataset images that those who judge them, the whole versions or some members, were not trained on. Two are
    enough to decide on a clear gain: how much images scatter is learned from earlier rounds
    (`icefloe.statistics.posterior`).

    Parameters
    ----------
    challenger, champion
        Evaluations of the two; `champion` None: a first version, which has to beat the best trivial
        baseline's Dice on every dataset.
    rule
        What the challenger must show.
    new_dataset
        Dataset on which the challenger must be better. None: on at least one dataset, each tested at a level
        corrected for their number (Bonferroni).
    challenger_version
        Name of the challenger, for the report; None: it has none yet.
    champion_version
        Name of the champion; the registry promotes only over the version that a report names.
    earlier
        Reports of earlier rounds, whose images say how much images scatter.

    Raises
    ------
    IcefloeError
        If the two were evaluated on different images.
    """
    challenger_scores = scores_by_dataset(challenger)
    if champion is None:
        return _first_version(challenger, challenger_scores, rule, challenger_version)
    champion_scores = scores_by_dataset(champion)
    check_same_images(challenger_scores, champion_scores)
    changes = _changes(challenger, challenger_scores, champion_scores, new_dataset, earlier)
    comparisons = tuple(
        _compared(change, challenger_scores, champion_scores, rule) for change in changes.values()
    )
    gains = _gains(changes, rule, new_dataset)
    improvement, reason = _improvement(gains, rule, new_dataset)
    verdicts = {dataset: _dataset_verdict(comparisons, dataset) for dataset in challenger_scores}
    return PromotionReport(
        verdict=_combine([*verdicts.values(), improvement]),
        challenger=challenger_version,
        champion=champion_version,
        new_dataset=new_dataset,
        rule=rule,
        comparisons=comparisons,
        gains=gains,
        dataset_verdicts=verdicts,
        reasons=(reason, *_forgetting_reasons(comparisons)),
        warnings=_grew_certain(comparisons),
    )


@dataclass(frozen=True)
class _Change:
    """The change of a metric on a dataset: differences of its images, and what they say of the mean."""

    dataset: str
    metric: str
    differences: dict[str, float]
    posterior: ChangePosterior

    @property
    def spread(self) -> float | None:
        """Standard deviation of the differences."""
        values = list(self.differences.values())
        return float(np.std(values, ddof=1)) if len(values) > 1 else None

    def interval(self, confidence: float) -> Interval:
        """Of the mean change: a finding of one side of it holds with probability `confidence`."""
        low, high = self.posterior.interval(2 * confidence - 1)
        observed = float(np.mean(list(self.differences.values())))
        return Interval(mean=observed, low=low, high=high, n=len(self.differences))


def _changes(
    challenger: "Evaluation",
    challenger_scores: Columns,
    champion_scores: Columns,
    new_dataset: str | None,
    earlier: Sequence[PromotionReport],
) -> dict[tuple[str, str], _Change]:
    """(dataset, metric) -> its change, where both versions have the metric."""
    differences = {
        (dataset, metric): {stem: value - before[stem] for stem, value in after.items()}
        for dataset in challenger_scores
        for metric in METRICS
        for after, before in [common(challenger_scores[dataset][metric], champion_scores[dataset][metric])]
        if after
    }
    partly = partly_judged(challenger)
    changes = {}
    for metric in METRICS:
        values = {d: np.array(list(of.values())) for (d, m), of in differences.items() if m == metric}
        worth = dict(zip(values, experiment_means(list(values.values())), strict=True)) if values else {}
        for dataset, found in values.items():
            kind = kind_of(dataset, new_dataset)
            beside = [
                (float(other.var(ddof=1)), len(other))
                for name, other in values.items()
                if name != dataset and len(other) > 1 and kind_of(name, new_dataset) == kind
            ]
            prior = learned_prior(metric, kind, beside, earlier).judged_by_part(partly[dataset])
            posterior = ChangePosterior(found, prior, worth[dataset].n_effective)
            changes[dataset, metric] = _Change(dataset, metric, differences[dataset, metric], posterior)
    return {key: changes[key] for key in differences}


def _compared(
    change: _Change, challenger_scores: Columns, champion_scores: Columns, rule: PromotionRule
) -> Comparison:
    dataset, metric = change.dataset, change.metric
    interval, margin = change.interval(rule.confidence), rule.margin(metric)
    higher = metric in HIGHER_IS_BETTER
    finding: Finding = "reported"
    if margin is not None:
        finding = interval.finding(margin, higher_is_better=higher)
    above = change.posterior.above
    return Comparison(
        dataset=dataset,
        metric=metric,
        n_images=len(change.differences),
        challenger=float(np.mean([challenger_scores[dataset][metric][stem] for stem in change.differences])),
        reference=float(np.mean([champion_scores[dataset][metric][stem] for stem in change.differences])),
        difference=interval.mean,
        low=interval.low,
        high=interval.high,
        margin=margin,
        finding=finding,
        better=above(0.0) if higher else 1 - above(0.0),
        worse=None if margin is None else 1 - above(-margin) if higher else above(margin),
        spread=change.spread,
    )


def _gains(
    changes: Mapping[tuple[str, str], _Change], rule: PromotionRule, new_dataset: str | None
) -> dict[str, Interval]:
    """Dice gained on each dataset where the challenger may be better; none without a held-out image."""
    candidates = {
        dataset: change
        for (dataset, metric), change in changes.items()
        if metric == "dice" and new_dataset in (None, dataset)
    }
    confidence = simultaneous(max(1, len(candidates)), rule.confidence)
    return {dataset: change.interval(confidence) for dataset, change in candidates.items()}


def _improvement(
    gains: Mapping[str, Interval], rule: PromotionRule, new_dataset: str | None
) -> tuple[Verdict, str]:
    """Is the challenger's Dice shown to be higher where it should be?"""
    if not gains:
        return "inconclusive", (
            f"It is not shown to be better: {new_dataset} has no held-out label, all of them train. "
            "Label more of its images, or look at them and promote by hand."
        )
    requirement = (
        f"Dice gains more than {rule.min_improvement:g}" if rule.min_improvement else "Dice is higher"
    )
    better = [dataset for dataset, interval in gains.items() if interval.low > rule.min_improvement]
    if better:
        found = ", ".join(f"{d} ({gains[d].text(signed=True)})" for d in better)
        return "pass", f"{requirement} on {found}."
    spans = ", ".join(f"{d} {i.text(signed=True)}" for d, i in gains.items())
    if all(interval.high < rule.min_improvement for interval in gains.values()):
        return "fail", f"It is not better: Dice on {spans}."
    return "inconclusive", f"It is not shown to be better: Dice on {spans}."


def _dataset_verdict(comparisons: Sequence[Comparison], dataset: str) -> Verdict:
    findings = {c.finding for c in comparisons if c.dataset == dataset}
    if "worse" in findings:
        return "fail"
    return "inconclusive" if "undecided" in findings else "pass"


def _combine(verdicts: Sequence[Verdict]) -> Verdict:
    if "fail" in verdicts:
        return "fail"
    return "inconclusive" if "inconclusive" in verdicts else "pass"


def _forgetting_reasons(comparisons: Sequence[Comparison]) -> list[str]:
    reasons = []
    for finding, words in (
        ("worse", "is worse beyond the margin"),
        ("undecided", "may be worse beyond the margin"),
    ):
        for c in comparisons:
            if c.finding == finding:
                found = c.interval.text(4, signed=True)
                reasons.append(f"{METRICS[c.metric]} on {c.dataset} {words} of {c.margin:g}: {found}.")
    return reasons or ["No dataset is worse beyond the margins."]


def _grew_certain(comparisons: Sequence[Comparison]) -> tuple[str, ...]:
    by_metric = {(c.dataset, c.metric): c for c in comparisons}
    return tuple(
        f"On {dataset} the challenger is more certain although its Dice fell."
        for (dataset, metric), uq in by_metric.items()
        if metric == "uq"
        and uq.high is not None
        and uq.high < 0
        and by_metric[dataset, "dice"].difference < 0
    )


def _few_images(comparisons: Sequence[Comparison], rule: PromotionRule) -> tuple[str, ...]:
    return tuple(
        f"{c.dataset} has only 1 held-out image, which shows no spread."
        if c.n_images == 1
        else f"{c.dataset} has only {c.n_images} images: its intervals assume normal differences."
        for c in comparisons
        if c.n_images < rule.min_images
    )


def _first_version(
    evaluation: "Evaluation", challenger_scores: Columns, rule: PromotionRule, challenger: str | None
) -> PromotionReport:
    """Judge a version that has no champion to beat: its Dice must lie above every trivial baseline's."""
    verdicts: dict[str, Verdict] = {}
    comparisons, reasons = [], []
    for dataset, columns in challenger_scores.items():
        name, dice = _best_baseline(evaluation, dataset)
        comparison = _beside_baseline(dataset, columns["dice"], dice, name, rule)
        if comparison.finding == "undecided":
            gains = [value - dice for value in columns["dice"].values()]
            needed = images_needed(gains, confidence=2 * rule.confidence - 1)
            comparison = comparison.model_copy(update={"images_needed": needed})
        comparisons.append(comparison)
        if comparison.finding == "better":
            verdicts[dataset], words = "pass", "is above"
        elif comparison.finding == "worse":
            verdicts[dataset], words = "fail", "is below"
        else:
            verdicts[dataset], words = "inconclusive", "is not shown to be above"
        reasons.append(
            f"Dice on {dataset} {words} that of {name}: {comparison.interval.text(4, signed=True)}."
        )
    return PromotionReport(
        verdict=_combine(list(verdicts.values())),
        challenger=challenger,
        champion=None,
        new_dataset=None,
        rule=rule,
        comparisons=tuple(comparisons),
        dataset_verdicts=verdicts,
        reasons=tuple(reasons),
        warnings=_few_images(comparisons, rule),
    )


def _beside_baseline(
    dataset: str, scores: Mapping[str, float], baseline: float, name: str, rule: PromotionRule
) -> Comparison:
    """A first version's Dice minus a trivial baseline's, of which nothing is known before."""
    interval = mean_interval(
        [value - baseline for value in scores.values()],
        confidence=2 * rule.confidence - 1,
        n_resamples=rule.n_resamples,
        block_length=rule.block_length,
        # By name, so that a dataset's intervals do not move when another dataset is added.
        rng=np.random.default_rng([rule.seed, zlib.crc32(dataset.encode())]),
    )
    return Comparison(
        dataset=dataset,
        metric="dice",
        n_images=len(scores),
        challenger=float(np.mean(list(scores.values()))),
        reference=baseline,
        difference=interval.mean,
        low=interval.low if interval.is_bounded else None,
        high=interval.high if interval.is_bounded else None,
        margin=0.0,
        finding=interval.finding(0.0),
        baseline=name,
    )


def _best_baseline(evaluation: "Evaluation", dataset: str) -> tuple[str, float]:
    """Name and Dice of the trivial baseline that does best on a dataset."""
    baselines = evaluation.baselines[dataset]
    name = max(baselines, key=lambda baseline: baselines[baseline].dice)
    return name, baselines[name].dice
