"""Promotion gate: is a challenger better than the champion, and has it forgotten nothing?"""

import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from icefloe.datasets.dataset import natural_key
from icefloe.errors import IcefloeError
from icefloe.statistics.interval import Interval
from icefloe.statistics.means import mean_interval
from icefloe.statistics.multiple import simultaneous

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from icefloe.evaluation.evaluate import Evaluation

Verdict = Literal["pass", "fail", "inconclusive"]
Finding = Literal["better", "not worse", "worse", "undecided", "reported"]

METRICS = {"dice": "Dice", "pca": "pCA", "ece": "ECE", "uq": "UQ"}
"""Column of the evaluation's per-image table -> the name people read."""
HIGHER_IS_BETTER = frozenset({"dice", "pca"})


class PromotionRule(BaseModel):
    """What a challenger has to show, in differences of per-image means.

    A pass must be shown on every dataset and metric, so the chance that a challenger worse by more than a
    margin passes is at most `(1 - confidence) / 2`, whatever the number of datasets.

    Attributes
    ----------
    n_resamples, confidence, seed
        Bootstrap resamples, two-sided level of every interval, and the seed of the resampling.
    block_length
        Images a block of the bootstrap over time; None: cube root of their number; 1: images are independent.
    dice_margin, pca_margin, ece_margin
        How much worse a dataset's mean may become: less is no forgetting.
    uq_margin
        The same for mean UQ; None: UQ is reported and decides nothing, because an ensemble may grow more
        certain while it grows worse (three of four ERs of Baskaran et al. 2022 do on D4).
    min_improvement
        Dice that the new dataset must gain at least, shown by the interval's lower bound lying above it.
    min_images
        A dataset with fewer images is decided by the t interval's assumption of normal differences, and the
        report warns: no distribution-free test of 5 pairs reaches a two-sided 5 %.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_resamples: int = Field(10_000, ge=1000)
    confidence: float = Field(0.95, gt=0.5, lt=1)
    block_length: int | None = Field(None, ge=1)
    dice_margin: float = Field(0.02, ge=0)
    pca_margin: float = Field(0.01, ge=0)
    ece_margin: float = Field(0.02, ge=0)
    uq_margin: float | None = Field(None, ge=0)
    min_improvement: float = Field(0.0, ge=0)
    min_images: int = Field(6, ge=2)
    seed: int = 0

    def margin(self, metric: str) -> float | None:
        """Margin of a column of `METRICS`."""
        margin: float | None = getattr(self, f"{metric}_margin")
        return margin


class Comparison(BaseModel):
    """One metric on one dataset: paired difference, challenger minus reference, over images.

    `low` and `high` are None where a single image gives no interval. The reference is the champion, or for a
    first version the best trivial baseline.
    """

    model_config = ConfigDict(frozen=True)

    dataset: str
    metric: str
    n_images: int
    challenger: float
    reference: float
    difference: float
    low: float | None
    high: float | None
    margin: float | None
    finding: Finding

    @property
    def interval(self) -> Interval:
        """Of the difference."""
        return Interval(mean=self.difference, low=self.low, high=self.high, n=self.n_images)


class PromotionReport(BaseModel):
    """Outcome of the gate, with every interval it rests on.

    Attributes
    ----------
    verdict
        `pass`, `fail` (worse beyond a margin somewhere, or shown not to be better) or `inconclusive`.
    champion
        Version compared with, such as `EA-T1`; None: a first version, compared with the trivial baselines.
    new_dataset
        Dataset on which "better" had to be shown; None: any of them.
    reasons
        What decided, in words.
    warnings
        What a reader should know although it decided nothing.
    """

    model_config = ConfigDict(frozen=True)

    verdict: Verdict
    champion: str | None
    new_dataset: str | None
    rule: PromotionRule
    comparisons: tuple[Comparison, ...]
    dataset_verdicts: dict[str, Verdict]
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain types, for JSON."""
        return self.model_dump(mode="json")

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "PromotionReport":
        """Inverse of `to_dict`."""
        return cls.model_validate(data)

    def sentence(self) -> str:
        """The verdict and its reasons in one line."""
        against = self.champion or "the trivial baselines"
        return f"{self.verdict} against {against}: {' '.join(self.reasons)}"

    def to_markdown(self) -> str:
        """Verdict, reasons, warnings and the table of all comparisons."""
        reference = self.champion or "baseline"
        lines = [
            f"**Promotion gate: {self.verdict}** (against {self.champion or 'the trivial baselines'})",
            "",
        ]
        lines += [f"- {reason}" for reason in self.reasons]
        lines += [f"- Warning: {warning}" for warning in self.warnings]
        lines += [
            "",
            f"| dataset | metric | images | {reference} | challenger "
            f"| difference [{self.rule.confidence:.0%} interval] | margin | finding |",
            "|---|---|---|---|---|---|---|---|",
        ]
        for c in self.comparisons:
            margin = "–" if c.margin is None else f"{c.margin:g}"
            lines.append(
                f"| {c.dataset} | {METRICS[c.metric]} | {c.n_images} | {c.reference:.4f} "
                f"| {c.challenger:.4f} | {c.interval.text(4, signed=True)} | {margin} | {c.finding} |"
            )
        return "\n".join(lines) + "\n"

    def plot(self, ax: "Axes", metric: str = "dice") -> None:
        """Forest plot: each dataset's difference in one metric with its interval, zero and the margin."""
        rows = [c for c in self.comparisons if c.metric == metric]
        colours = {"better": "C2", "not worse": "C0", "worse": "C3", "undecided": "C1", "reported": "0.4"}
        for y, c in enumerate(rows):
            if c.low is not None and c.high is not None:
                ax.plot([c.low, c.high], [y, y], color=colours[c.finding], linewidth=2)
            ax.plot(c.difference, y, "o", color=colours[c.finding])
        ax.axvline(0, color="0.6", linewidth=1)
        if rows and rows[0].margin is not None:
            forgetting = -rows[0].margin if metric in HIGHER_IS_BETTER else rows[0].margin
            ax.axvline(forgetting, color="C3", linewidth=1, linestyle="--", label="margin")
            ax.legend(frameon=False)
        ax.set_yticks(range(len(rows)), [f"{c.dataset} (n={c.n_images})" for c in rows])
        ax.set_ylim(len(rows) - 0.5, -0.5)
        ax.set_xlabel(f"difference in {METRICS[metric]}, challenger minus {self.champion or 'baseline'}")


def compare(
    challenger: "Evaluation",
    champion: "Evaluation | None",
    rule: PromotionRule,
    *,
    new_dataset: str | None = None,
    champion_version: str | None = None,
) -> PromotionReport:
    """Judge a challenger on every dataset seen so far, image by image against the champion.

    Both must have been evaluated on the same held-out images: those of every earlier dataset, and the new
    dataset's images that neither was trained on.

    Parameters
    ----------
    challenger, champion
        Evaluations of the two; `champion` None: a first version, which has to beat the best trivial
        baseline's Dice on every dataset.
    new_dataset
        Where the challenger must be better. None: on at least one dataset, each tested at a level corrected
        for their number (Bonferroni).
    champion_version
        Name of the champion; the registry promotes only over the version that a report names.

    Raises
    ------
    IcefloeError
        If the two were evaluated on different images.
    """
    ours = scores_by_dataset(challenger)
    if champion is None:
        return _first_version(challenger, ours, rule)
    theirs = scores_by_dataset(champion)
    _check_same_images(ours, theirs)
    comparisons = tuple(
        _compare_metric(dataset, metric, ours[dataset][metric], theirs[dataset][metric], rule)
        for dataset in ours
        for metric in METRICS
    )
    improvement, reason = _improvement(ours, theirs, rule, new_dataset)
    verdicts = {dataset: _dataset_verdict(comparisons, dataset) for dataset in ours}
    return PromotionReport(
        verdict=_combine([*verdicts.values(), improvement]),
        champion=champion_version,
        new_dataset=new_dataset,
        rule=rule,
        comparisons=comparisons,
        dataset_verdicts=verdicts,
        reasons=(reason, *_forgetting_reasons(comparisons)),
        warnings=_warnings(comparisons, rule),
    )


Columns = dict[str, dict[str, dict[str, float]]]
"""Dataset -> column of `METRICS` -> image stem -> value; datasets in natural order, images in time order."""


def scores_by_dataset(evaluation: "Evaluation") -> Columns:
    """The columns of an evaluation's per-image table that the gate compares."""
    columns: Columns = {}
    for row in sorted(evaluation.images, key=lambda row: (natural_key(row.dataset), row.index)):
        by_metric = columns.setdefault(row.dataset, {metric: {} for metric in METRICS})
        for metric in METRICS:
            by_metric[metric][row.stem] = float(getattr(row, metric))
    return columns


def mean_scores(evaluation: "Evaluation") -> dict[str, dict[str, float]]:
    """Dataset -> metric -> mean over its images."""
    return {
        dataset: {metric: float(np.mean(list(values.values()))) for metric, values in columns.items()}
        for dataset, columns in scores_by_dataset(evaluation).items()
    }


def _check_same_images(ours: Columns, theirs: Columns) -> None:
    for here, there, name in ((ours, theirs, "champion"), (theirs, ours, "challenger")):
        for dataset, columns in here.items():
            missing = columns["dice"].keys() - there.get(dataset, {"dice": {}})["dice"].keys()
            if missing:
                first = sorted(missing, key=natural_key)[0]
                raise IcefloeError(
                    f"{dataset}/{first}: the {name} was not evaluated on it ({len(missing)} such images). "
                    "Evaluate both versions on the same held-out images."
                )


def _interval_arguments(rule: PromotionRule, dataset: str) -> dict[str, Any]:
    return {
        "confidence": rule.confidence,
        "n_resamples": rule.n_resamples,
        "block_length": rule.block_length,
        # By name, so that a dataset's intervals don't move when another dataset is added.
        "rng": np.random.default_rng([rule.seed, zlib.crc32(dataset.encode())]),
    }


def _differences(ours: Mapping[str, float], theirs: Mapping[str, float]) -> np.ndarray:
    return np.array([value - theirs[stem] for stem, value in ours.items()])


def _compare_metric(
    dataset: str, metric: str, ours: Mapping[str, float], theirs: Mapping[str, float], rule: PromotionRule
) -> Comparison:
    interval = mean_interval(_differences(ours, theirs), **_interval_arguments(rule, dataset))
    margin = rule.margin(metric)
    finding: Finding = "reported"
    if margin is not None:
        finding = interval.finding(margin, higher_is_better=metric in HIGHER_IS_BETTER)
    return Comparison(
        dataset=dataset,
        metric=metric,
        n_images=len(ours),
        challenger=float(np.mean(list(ours.values()))),
        reference=float(np.mean(list(theirs.values()))),
        difference=interval.mean,
        **interval.model_dump(include={"low", "high"}),
        margin=margin,
        finding=finding,
    )


def _improvement(
    ours: Columns, theirs: Columns, rule: PromotionRule, new_dataset: str | None
) -> tuple[Verdict, str]:
    """Is the challenger's Dice shown to be higher where it should be?"""
    if new_dataset is not None and new_dataset not in ours:
        return "inconclusive", (
            f"It is not shown to be better: {new_dataset} has no held-out label, all of them train. "
            "Label more of its images, or look at them and promote by hand."
        )
    candidates: Sequence[str] = [new_dataset] if new_dataset is not None else list(ours)
    corrected = rule.model_copy(update={"confidence": simultaneous(len(candidates), rule.confidence)})
    intervals = {
        dataset: mean_interval(
            _differences(ours[dataset]["dice"], theirs[dataset]["dice"]),
            **_interval_arguments(corrected, dataset),
        )
        for dataset in candidates
    }
    asked = f"Dice gains more than {rule.min_improvement:g}" if rule.min_improvement else "Dice is higher"
    better = [dataset for dataset, interval in intervals.items() if interval.low > rule.min_improvement]
    if better:
        shown = ", ".join(f"{d} ({intervals[d].text(signed=True)})" for d in better)
        return "pass", f"{asked} on {shown}."
    spans = ", ".join(f"{d} {i.text(signed=True)}" for d, i in intervals.items())
    if all(interval.high < rule.min_improvement for interval in intervals.values()):
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
                shown = c.interval.text(4, signed=True)
                reasons.append(f"{METRICS[c.metric]} on {c.dataset} {words} of {c.margin:g}: {shown}.")
    return reasons or ["No dataset is worse beyond the margins."]


def _warnings(comparisons: Sequence[Comparison], rule: PromotionRule) -> tuple[str, ...]:
    warnings = []
    by_place = {(c.dataset, c.metric): c for c in comparisons}
    for (dataset, metric), c in by_place.items():
        if metric != "dice":
            continue
        if c.n_images < rule.min_images:
            warnings.append(
                f"{dataset} has only {c.n_images} images: its intervals assume normal differences."
            )
        uq = by_place.get((dataset, "uq"))
        if uq and uq.high is not None and uq.high < 0 and c.difference < 0:
            warnings.append(f"On {dataset} the challenger is more certain although its Dice fell.")
    return tuple(warnings)


def _first_version(evaluation: "Evaluation", ours: Columns, rule: PromotionRule) -> PromotionReport:
    """Judge a version that has no champion to beat: its Dice must lie above every trivial baseline's."""
    without_margin = rule.model_copy(update={"dice_margin": 0.0})
    verdicts: dict[str, Verdict] = {}
    comparisons, reasons = [], []
    for dataset, columns in ours.items():
        name, dice = _best_baseline(evaluation, dataset)
        constant = dict.fromkeys(columns["dice"], dice)
        comparison = _compare_metric(dataset, "dice", columns["dice"], constant, without_margin)
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
