"""The study's result: tables, verdicts that the numbers decide, figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from matplotlib.figure import Figure

from icefloe.evaluation.evaluate import Evaluation
from icefloe.evaluation.temperature import TemperatureCheck
from icefloe.report.figures import Segmented
from icefloe.scoring.conformal import experiments_needed
from icefloe.scoring.selective import RiskCoverage
from studies.uncertainty.coverage import (
    N_DIVISIONS,
    OURS,
    CoverageRow,
    Verification,
)
from studies.uncertainty.figures import (
    calibration_figure,
    coverage_figure,
    examples_figure,
    few_figure,
    risk_figure,
    shift_figure,
)
from studies.uncertainty.rows import AbstentionRow, RankingRow, SplitRow
from studies.uncertainty.verdicts import (
    abstention_verdicts,
    coverage_verdicts,
    ranking_verdicts,
    shift_verdict,
    split_verdict,
)

CALIBRATION = {"n_images", "ece", "ece_uncalibrated", "calibration", "uncalibrated"}


@dataclass(frozen=True)
class UncertaintyStudy:
    """What an ensemble's uncertainty is worth.

    Attributes
    ----------
    ensemble, n_members
        Whose.
    level, max_error
        Stated coverage where one is shown, and the tolerated share of pixels wrong without a warning.
    n_experiments
        Fresh simulated experiments, of which half are calibrated on where nothing else is said.
    n_images
        Frames of each.
    splits
        Aleatoric and epistemic parts, by group of experiments.
    checks
        Of the temperature, of every version.
    between
        Share of the variance of our scores that lies between experiments.
    methods
        Ways to an interval, half of the experiments calibrated on.
    few
        Our way with fewer.
    verifications
        Ours calibrated once: on fresh experiments it did not see, and on experiments of other kinds.
    rankings
        Areas under risk-coverage curves.
    abstentions
        What abstaining does.
    evaluation
        Of the ensemble on held-out images.
    curves
        Risk-coverage of the fresh experiments' pixels and images.
    examples
        Images to show.
    """

    name: ClassVar[str] = "uncertainty"
    title: ClassVar[str] = "What the uncertainty is worth"

    ensemble: str
    n_members: int
    level: float
    max_error: float
    n_experiments: int
    n_images: int
    splits: tuple[SplitRow, ...]
    checks: tuple[TemperatureCheck, ...]
    between: float
    methods: tuple[CoverageRow, ...]
    few: tuple[CoverageRow, ...]
    verifications: tuple[Verification, ...]
    rankings: tuple[RankingRow, ...]
    abstentions: tuple[AbstentionRow, ...]
    evaluation: Evaluation
    curves: Mapping[str, Mapping[str, RiskCoverage]]
    examples: tuple[Segmented, ...]

    def to_dict(self) -> dict[str, Any]:
        """Every number, in plain types."""
        rows = ("splits", "checks", "methods", "few", "verifications", "rankings", "abstentions")
        return {
            "ensemble": self.ensemble,
            "n_members": self.n_members,
            "level": self.level,
            "max_error": self.max_error,
            "n_experiments": self.n_experiments,
            "n_images": self.n_images,
            "between": self.between,
            **{name: [row.to_dict() for row in getattr(self, name)] for name in rows},
            "calibration": {
                dataset: scores.model_dump(include=CALIBRATION, mode="json")
                for dataset, scores in self.evaluation.datasets.items()
            },
        }

    def figures(self) -> dict[str, Figure]:
        """By the name that the page calls them."""
        return {
            "calibration": calibration_figure(self.evaluation),
            "coverage": coverage_figure(self.methods),
            "few": few_figure(self.few, self.level),
            "shift": shift_figure([row for row in self.verifications if row.level == self.level], self.level),
            "risk-coverage": risk_figure(self.curves["pixels"], self.curves["images"]),
            "abstain": examples_figure(self.examples),
        }

    def to_markdown(self) -> str:
        """The page."""
        return "\n\n".join(
            (
                f"Ensemble {self.ensemble}, {self.n_members} members. Fresh experiments: "
                f"{self.n_experiments} simulated ones of the kind of D1 and D2, {self.n_images} frames each "
                "at random seconds; no training has seen them. What each number means: "
                "docs/uncertainty.md.",
                "## What it comes to",
                "\n".join(f"- {line}" for line in self.verdicts()),
                "## Intervals for the area: coverage and width",
                self._coverage(),
                "## Coverage where nothing is promised",
                self._shift(),
                "## Aleatoric and epistemic",
                self._split(),
                "## Temperature, checked on held-out images",
                "\n\n".join(check.to_markdown().strip() for check in self.checks),
                f"![Calibration at temperature 1 and after]({self.name}-calibration.png)",
                "## Risk against coverage",
                self._ranking(),
                "## Abstaining",
                self._abstention(),
            )
        )

    def verdicts(self) -> list[str]:
        """What holds and what does not, as the numbers decide."""
        return [
            *coverage_verdicts(self.methods),
            shift_verdict(self.verifications, self.level),
            split_verdict(self.splits),
            *(check.sentence() for check in self.checks),
            *ranking_verdicts(self.rankings),
            *abstention_verdicts(self.abstentions, self.max_error, self.level),
        ]

    def _coverage(self) -> str:
        needed = ", ".join(
            f"{experiments_needed(level)} for {level:.0%}"
            for level in dict.fromkeys(r.level for r in self.few)
        )
        return "\n".join(
            [
                f"Calibrated on {self.n_experiments // 2} of the fresh experiments, verified on the others; "
                f"mean over {N_DIVISIONS} random divisions, and in brackets where nine of ten single ones "
                "lie. Widths in % of the image, and as a share of the area itself (median). Those by frame "
                "are promised by no theorem: they come out right as far as frames of one experiment differ "
                f"like experiments do. Here {self.between:.0%} of the scores' variance lies between them.",
                "",
                *_coverage_table("interval", self.methods, [row.method for row in self.methods]),
                "",
                f"![Coverage and width of every interval]({self.name}-coverage.png)",
                "",
                f"With fewer experiments ({OURS.name}). A level needs some at least: {needed}; with fewer "
                "the interval is 0 to 100 %.",
                "",
                *_coverage_table("experiments", self.few, [row.n_calibration for row in self.few]),
                "",
                f"![Coverage and width by number of experiments]({self.name}-few.png)",
            ]
        )

    def _shift(self) -> str:
        lines = [
            f"{OURS.name}, calibrated on fresh experiments: once on half of them for the other half, then on "
            "all of them for experiments of other kinds, about which the guarantee says nothing. Frames of "
            "one experiment are one case, so its coverage has no interval.",
            "",
            "| experiments | of them | images | stated | covered [95 % interval] | width, % of the image |",
            "|---|---:|---:|---:|---|---:|",
        ]
        for row in self.verifications:
            lines.append(
                f"| {row.where} | {row.n_experiments} | {row.n_images} | {row.level:.0%} "
                f"| {row.coverage} | {100 * row.width:.1f} |"
            )
        return "\n".join([*lines, "", f"![Coverage under shift]({self.name}-shift.png)"])

    def _split(self) -> str:
        lines = [
            "Entropies in thousandths of a nat, mean over pixels and images; per boundary: over its length.",
            "",
            "| images of | images | total | aleatoric | epistemic | epistemic share | aleatoric per boundary "
            "| epistemic per boundary | wrong pixels |",
            "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
        ]
        for s in self.splits:
            numbers = (s.total, s.aleatoric, s.epistemic)
            by_boundary = (s.aleatoric_boundary, s.epistemic_boundary)
            lines.append(
                f"| {s.where} | {s.n_images} | {_cells(numbers)} | {s.epistemic_share:.0%} "
                f"| {_cells(by_boundary)} | {s.error:.2%} |"
            )
        return "\n".join(lines)

    def _ranking(self) -> str:
        parts = []
        for unit, loss in (("pixels", "wrong or not"), ("images", "1 - Dice")):
            rows = [row for row in self.rankings if row.unit == unit]
            scores = list(rows[0].aurc)
            parts += [
                f"Area under the risk-coverage curve of {unit} ({loss}), in thousandths; in brackets where "
                "it lies between chance (0) and the oracle (1). Best in bold.",
                "",
                f"| {unit} of | n | random | oracle | {' | '.join(scores)} |",
                f"|---|---:|---:|---:|{'---:|' * len(scores)}",
                *(_ranking_row(row) for row in rows),
                "",
            ]
        return "\n".join([*parts, f"![Risk against coverage]({self.name}-risk-coverage.png)"])

    def _abstention(self) -> str:
        lines = [
            f"The threshold is set so that with {self.level:.0%} probability no more than "
            f"{self.max_error:.1%} of an image's pixels are wrong and kept. Fresh experiments: one half "
            "calibrated on, the other shown; others: calibrated on all fresh ones, and nothing is promised "
            "of them.",
            "",
            "| images of | experiments | images | promise kept [95 % interval] | without abstaining "
            "| pixels abstained from |",
            "|---|---:|---:|---|---:|---:|",
        ]
        lines += [
            f"| {a.where} | {a.n_experiments} | {a.n_images} | {a.kept_promise} | {a.before:.3f} "
            f"| {a.abstained:.1%} |"
            for a in self.abstentions
        ]
        shown = "Prediction blue, reference amber, abstained from hatched"
        return "\n".join([*lines, "", f"![{shown}]({self.name}-abstain.png)"])


def _coverage_table(head: str, rows: Sequence[CoverageRow], labels: Sequence[object]) -> list[str]:
    lines = [
        f"| {head} | stated | covered [single divisions] | width, % | relative |",
        "|---|---:|---|---:|---:|",
    ]
    for label, row in zip(labels, rows, strict=True):
        covered = f"{row.coverage:.3f} [{row.lowest:.3f}, {row.highest:.3f}]"
        informative = row.width < 1
        width = f"{100 * row.width:.2f} | {f'{row.relative_width:.0%}' if informative else '–'}"
        lines.append(f"| {label} | {row.level:.0%} | {covered} | {width} |")
    return lines


def _ranking_row(row: RankingRow) -> str:
    cells = []
    for name, aurc in row.aurc.items():
        cell = f"{1e3 * aurc:.2f} ({row.gain(name):.2f})"
        cells.append(f"**{cell}**" if name == row.best else cell)
    ends = f"{1e3 * row.random:.2f} | {1e3 * row.oracle:.2f}"
    return f"| {row.where} | {row.n} | {ends} | {' | '.join(cells)} |"


def _cells(numbers: Sequence[float]) -> str:
    return " | ".join(f"{number:.1f}" for number in numbers)
