"""The promotion gate: is a challenger better than the champion, and has it forgotten nothing?"""

import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from icefloe.evaluation.columns import Columns, check_same_images, common, scores_by_dataset
from icefloe.evaluation.promotion import Comparison, Finding, PromotionReport, Verdict
from icefloe.evaluation.rule import HIGHER_IS_BETTER, METRICS, PromotionRule
from icefloe.statistics.interval import Interval
from icefloe.statistics.means import images_needed, mean_interval
from icefloe.statistics.multiple import simultaneous

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
) -> PromotionReport:
    """Judge a challenger on every dataset so far, image by image against the champion.

    Both must have been evaluated on the same held-out images: those of every earlier dataset, and the new
    dataset's images that neither was trained on.

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
    comparisons = tuple(
        _compare_metric(dataset, metric, *both, rule)
        for dataset in challenger_scores
        for metric in METRICS
        if all(both := common(challenger_scores[dataset][metric], champion_scores[dataset][metric]))
    )
    gains = _gains(challenger_scores, champion_scores, rule, new_dataset)
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
        warnings=_warnings(comparisons, rule),
    )


def _interval(
    challenger_scores: Mapping[str, float],
    champion_scores: Mapping[str, float],
    rule: PromotionRule,
    dataset: str,
) -> Interval:
    """Of the mean difference over the images of a dataset."""
    return mean_interval(
        [value - champion_scores[stem] for stem, value in challenger_scores.items()],
        confidence=rule.confidence,
        n_resamples=rule.n_resamples,
        block_length=rule.block_length,
        # By name, so that a dataset's intervals do not move when another dataset is added.
        rng=np.random.default_rng([rule.seed, zlib.crc32(dataset.encode())]),
    )


def _compare_metric(
    dataset: str,
    metric: str,
    challenger_scores: Mapping[str, float],
    champion_scores: Mapping[str, float],
    rule: PromotionRule,
    baseline: str | None = None,
) -> Comparison:
    interval = _interval(challenger_scores, champion_scores, rule, dataset)
    margin = rule.margin(metric)
    finding: Finding = "reported"
    if margin is not None:
        finding = interval.finding(margin, higher_is_better=metric in HIGHER_IS_BETTER)
    return Comparison(
        dataset=dataset,
        metric=metric,
        n_images=len(challenger_scores),
        challenger=float(np.mean(list(challenger_scores.values()))),
        reference=float(np.mean(list(champion_scores.values()))),
        difference=interval.mean,
        low=interval.low if interval.is_bounded else None,
        high=interval.high if interval.is_bounded else None,
        margin=margin,
        finding=finding,
        baseline=baseline,
    )


def _gains(
    challenger_scores: Columns, champion_scores: Columns, rule: PromotionRule, new_dataset: str | None
) -> dict[str, Interval]:
    """Dice gained on each dataset where the challenger may be better; none without a held-out image."""
    candidates: Sequence[str] = list(challenger_scores) if new_dataset is None else [new_dataset]
    corrected = rule.model_copy(update={"confidence": simultaneous(len(candidates), rule.confidence)})
    return {
        dataset: _interval(
            challenger_scores[dataset]["dice"], champion_scores[dataset]["dice"], corrected, dataset
        )
        for dataset in candidates
        if dataset in challenger_scores
    }


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


def _warnings(comparisons: Sequence[Comparison], rule: PromotionRule) -> tuple[str, ...]:
    warnings = []
    by_metric = {(c.dataset, c.metric): c for c in comparisons}
    for (dataset, metric), c in by_metric.items():
        if metric != "dice":
            continue
        if c.n_images == 1:
            warnings.append(f"{dataset} has only 1 held-out image, which shows no spread.")
        elif c.n_images < rule.min_images:
            warnings.append(
                f"{dataset} has only {c.n_images} images: its intervals assume normal differences."
            )
        uq = by_metric.get((dataset, "uq"))
        if uq and uq.high is not None and uq.high < 0 and c.difference < 0:
            warnings.append(f"On {dataset} the challenger is more certain although its Dice fell.")
    return tuple(warnings)


def _first_version(
    evaluation: "Evaluation", challenger_scores: Columns, rule: PromotionRule, challenger: str | None
) -> PromotionReport:
    """Judge a version that has no champion to beat: its Dice must lie above every trivial baseline's."""
    without_margin = rule.model_copy(update={"dice_margin": 0.0})
    verdicts: dict[str, Verdict] = {}
    comparisons, reasons = [], []
    for dataset, columns in challenger_scores.items():
        name, dice = _best_baseline(evaluation, dataset)
        constant = dict.fromkeys(columns["dice"], dice)
        comparison = _compare_metric(dataset, "dice", columns["dice"], constant, without_margin, name)
        if comparison.finding == "undecided":
            gains = [value - dice for value in columns["dice"].values()]
            needed = images_needed(gains, confidence=rule.confidence)
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
        warnings=_warnings(comparisons, rule),
    )


def _best_baseline(evaluation: "Evaluation", dataset: str) -> tuple[str, float]:
    """Name and Dice of the trivial baseline that does best on a dataset."""
    baselines = evaluation.baselines[dataset]
    name = max(baselines, key=lambda baseline: baselines[baseline].dice)
    return name, baselines[name].dice
