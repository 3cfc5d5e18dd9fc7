"""Tables, figures, and findings that the numbers decide."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pydantic import Field

from icefloe.evaluation.scores import BinnedCurve
from icefloe.evaluation.temperature import TemperatureCheck
from icefloe.report.figures import draw_outlines
from icefloe.scoring.conformal import experiments_needed
from icefloe.statistics.interval import Interval
from icefloe.tables import Table
from studies.kit.figures import GREY, PALETTE, diagonal, draw_estimate, error_bars, panels, reference_line
from studies.kit.study import Record, StudyResult
from studies.kit.tables import table_of
from studies.uncertainty.design import FRESH, METHODS, N_DIVISIONS, OURS, UQ
from studies.uncertainty.rows import WITHIN, Abstention, Coverage, Ranking, Split, Verification

MORE_ERRORS, MORE_EPISTEMIC = 2.0, 1.5
"""An ensemble that errs so many times as often and yet disagrees less than so many times as much is blind."""

N_POINTS = 1000
"""Of a risk-coverage curve, drawn."""


class Calibration(Record):
    """Reliability on one dataset's held-out images, at the ensemble's temperature and at 1."""

    dataset: str
    n_images: int
    ece: float
    ece_uncalibrated: float | None
    calibration: BinnedCurve
    uncalibrated: BinnedCurve | None


class UncertaintyResult(StudyResult):
    """What an ensemble's uncertainty is worth.

    Attributes
    ----------
    ensemble, n_members
        The ensemble.
    level, max_error
        Stated coverage where one is shown, and the tolerated share of pixels wrong without a warning.
    n_experiments, n_images
        Fresh simulated experiments, of which half are calibrated on where nothing else is said; and the
        frames of each.
    between
        Share of the variance of our scores that lies between experiments.
    splits, rankings, abstentions, calibration
        Aleatoric and epistemic parts, areas under risk-coverage curves, what abstaining does, and
        reliability, by group of experiments.
    checks
        Of the temperature, of every version.
    methods, few, verifications
        Ways to an interval, half of the experiments calibrated on; our way with fewer; ours calibrated once:
        on fresh experiments it did not see, and on experiments of other kinds.
    curves, examples
        `pixels` and `images` of the fresh experiments: score -> `RiskCoverage`; images to show.
        Neither is in JSON.
    """

    name: ClassVar[str] = "uncertainty"
    title: ClassVar[str] = "What the uncertainty is worth"
    folder: ClassVar[str] = "uncertainty"
    n_divisions: ClassVar[int] = N_DIVISIONS
    ours: ClassVar[str] = OURS.name

    ensemble: str
    n_members: int
    level: float
    max_error: float
    n_experiments: int
    n_images: int
    between: float
    splits: tuple[Split, ...]
    checks: tuple[TemperatureCheck, ...]
    methods: tuple[Coverage, ...]
    few: tuple[Coverage, ...]
    verifications: tuple[Verification, ...]
    rankings: tuple[Ranking, ...]
    abstentions: tuple[Abstention, ...]
    calibration: tuple[Calibration, ...]
    curves: dict[str, dict[str, Any]] = Field({}, exclude=True)
    examples: tuple[Any, ...] = Field((), exclude=True)

    @property
    def by_method(self) -> dict[str, list[Coverage]]:
        """Way to an interval -> its rows, half of the experiments calibrated on."""
        names = dict.fromkeys(row.method for row in self.methods)
        return {name: [row for row in self.methods if row.method == name] for name in names}

    @property
    def shifted(self) -> list[Verification]:
        """Verifications at the level shown."""
        return [row for row in self.verifications if row.level == self.level]

    @property
    def needed(self) -> str:
        """Fewest experiments that each level takes."""
        levels = dict.fromkeys(row.level for row in self.few)
        return ", ".join(f"{experiments_needed(level)} for {level:.0%}" for level in levels)

    def sentence(self) -> str:
        """Whether the intervals in use cover what they state."""
        own = self.by_method[OURS.name]
        said = ", ".join(f"{row.coverage.mean:.3f} for {row.level:.0%}" for row in own)
        right = "" if all(row.is_right for row in own) else "NOT "
        return (
            f"Coverage of the intervals in use ({OURS.name}) is {right}within {100 * WITHIN:.0f} points of "
            f"what is stated: {said}."
        )

    def findings(self) -> list[str]:
        """What holds and what does not, as the numbers decide."""
        shifted = {row.group: row.coverage for row in self.shifted if FRESH not in row.group}
        return [
            self.sentence(),
            *self._other_intervals(),
            f"Intervals on other kinds of experiments, of which nothing is promised: {self._below(shifted)}.",
            self._parts(),
            *(check.sentence() for check in self.checks),
            *(self._ranked(unit) for unit in ("pixels", "images")),
            *self._abstaining(),
        ]

    def _other_intervals(self) -> list[str]:
        """Which of the other intervals are off, and which of those that are right are the narrowest."""
        lines, width = [], {}
        for name, rows in self.by_method.items():
            if all(row.is_right for row in rows):
                width[name] = float(np.mean([row.width for row in rows]))
            elif name != OURS.name:
                worst = max(rows, key=lambda row: abs(row.coverage.mean - row.level))
                lines.append(
                    f"Intervals by `{name}` are off: {worst.coverage.mean:.3f} where {worst.level:.0%} is "
                    "stated."
                )
        if width:
            least = min(width, key=width.__getitem__)
            others = [f"`{name}` {w / width[least] - 1:+.0%}" for name, w in width.items() if name != least]
            said = ", ".join(others) or "no other"
            lines.append(f"Of those that are right, `{least}` is the narrowest ({said}).")
        return lines

    def _below(self, shares: Mapping[str, Interval]) -> str:
        """Where a share is below the level: shown over several experiments, or seen in a single one."""
        shown, single = f"shown to be below {self.level:.0%}:", "below it in the one experiment:"
        found: dict[str, list[str]] = {shown: [], single: []}
        for group, share in shares.items():
            ends = {end: getattr(share, end) - self.level for end in ("mean", "low", "high")}
            if Interval(n=share.n, **ends).finding() == "worse":
                found[shown].append(f"{group} ({share.mean:.2f})")
            elif share.n == 1 and ends["mean"] < -WITHIN:
                found[single].append(f"{group} ({share.mean:.2f})")
        parts = [f"{how} {', '.join(groups)}" for how, groups in found.items() if groups]
        return "; ".join(parts) or f"none is below {self.level:.0%}"

    def _parts(self) -> str:
        """By what factor the two parts of uncertainty differ from those on fresh experiments."""
        fresh, *others = self.splits
        factors = {
            row.group: (
                row.aleatoric_boundary / fresh.aleatoric_boundary,
                row.epistemic_boundary / fresh.epistemic_boundary,
            )
            for row in others
        }
        said = ", ".join(f"{group} {parts[0]:.1f} / {parts[1]:.1f}" for group, parts in factors.items())
        errs = [row.group for row in others if row.error >= MORE_ERRORS * fresh.error]
        blind = ", ".join(group for group in errs if factors[group][1] < MORE_EPISTEMIC)
        return (
            f"Aleatoric / epistemic part per boundary, in units of that on {FRESH}: {said}. The ensemble "
            f"does not notice how much less it knows where it has {MORE_ERRORS:g} times as many wrong pixels "
            f"or more, but less than {MORE_EPISTEMIC:g} times the epistemic part: {blind or 'nowhere'}."
        )

    def _ranked(self, unit: str) -> str:
        """Which score ranks errors best on fresh experiments, and how it and the paper's UQ do elsewhere."""
        fresh, *others = self.ranked(unit)
        elsewhere = [f"{row.group} {row.gain(fresh.best):.2f} / {row.gain(UQ):.2f}" for row in others]
        return (
            f"`{fresh.best}` ranks {unit} of {FRESH} best: {fresh.gain(fresh.best):.2f} of the way from "
            f"chance to the oracle, the paper's UQ {fresh.gain(UQ):.2f}. Elsewhere, that score / UQ: "
            f"{', '.join(elsewhere)}."
        )

    def _abstaining(self) -> list[str]:
        """Whether abstaining keeps its promise, and at what price."""
        fresh, *others = self.abstentions
        kept = fresh.kept_promise.mean
        return [
            f"With {fresh.abstained:.1%} of the pixels abstained from, {kept:.1%} of fresh images have at "
            f"most {self.max_error:.1%} of wrong pixels left, {fresh.before:.1%} without; {self.level:.0%} "
            f"was promised, which is {'kept' if kept >= self.level - WITHIN else 'NOT kept'}.",
            "Abstaining on other kinds of experiments, of which nothing is promised: "
            f"{self._below({row.group: row.kept_promise for row in others})}.",
        ]

    def table(self) -> Table:
        """Coverage and width of every way to an interval."""
        return self.coverage_table(self.methods, {"interval": "method"})

    def coverage_table(self, rows: Sequence[Coverage], first: Mapping[str, str]) -> Table:
        """Coverage and width, behind a first column."""
        columns = {
            "stated": "level:.0%",
            "covered [single divisions]": "coverage",
            "width, of the image": "width:.2%",
            "of the area": "informative_width:.0%",
        }
        return table_of(rows, {**first, **columns})

    def ranked(self, unit: str) -> list[Ranking]:
        """Rankings of `pixels` or `images`."""
        return [row for row in self.rankings if row.unit == unit]

    def ranking_table(self, unit: str) -> Table:
        """Areas under the risk-coverage curves of `pixels` or `images`, in thousandths."""
        rows = [
            {f"{unit} of": row.group, "n": row.n, "random": 1e3 * row.random, "oracle": 1e3 * row.oracle}
            | row.cells
            for row in self.ranked(unit)
        ]
        return Table.of(rows, {"random": ".2f", "oracle": ".2f"})

    def plot(self, ax: Axes) -> None:
        """Coverage against its stated level."""
        levels = sorted({row.level for row in self.methods})
        diagonal(ax, levels[0], levels[-1])
        for number, (name, rows) in enumerate(self.by_method.items()):
            beside = [row.level + 0.002 * (number - len(METHODS) / 2) for row in rows]
            covered = [row.coverage for row in rows]
            means = [each.mean for each in covered]
            ax.errorbar(beside, means, error_bars(covered), marker="o", markersize=4, label=name)
        ax.set(xlabel="stated coverage", ylabel="coverage on other experiments")

    def figures(self) -> dict[str, Figure]:
        """By the name that the page calls them."""
        figures = {
            "calibration": self._calibration_figure(),
            "coverage": self._coverage_figure(),
            "few": self._few_figure(),
            "shift": self._shift_figure(),
        }
        if self.curves:
            figures["risk-coverage"] = self._risk_figure()
        if self.examples:
            figures["abstain"], axes = panels(1, len(self.examples), 2.6 * len(self.examples), 2.9)
            for axis, example in zip(axes[0], self.examples, strict=True):
                draw_outlines(axis, example)
        return figures

    def _calibration_figure(self) -> Figure:
        figure, ((before, after),) = panels(1, 2, 8.6, 4, sharey=True)
        temperature = f"temperature {self.checks[0].temperature:.2f}" if self.checks else "calibrated"
        for axis, title, bins, ece in (
            (before, "temperature 1", "uncalibrated", "ece_uncalibrated"),
            (after, temperature, "calibration", "ece"),
        ):
            diagonal(axis)
            for row in self.calibration:
                if curve := getattr(row, bins):
                    label = f"{row.dataset} (ECE {getattr(row, ece):.4f})"
                    axis.plot(curve.predicted, curve.frequency, marker="o", markersize=3, label=label)
            axis.set(title=title, xlabel="predicted probability")
            axis.legend()
        before.set_ylabel("observed frequency")
        return figure

    def _coverage_figure(self) -> Figure:
        figure, ((covered, wide),) = panels(1, 2, 9.6, 4)
        self.plot(covered)
        for name, rows in self.by_method.items():
            levels, widths = [row.level for row in rows], [100 * row.width for row in rows]
            wide.plot(levels, widths, marker="o", markersize=4, label=name)
        wide.set(xlabel="stated coverage", ylabel="mean width, % of the image")
        wide.legend(loc="upper left", fontsize=7)
        return figure

    def _few_figure(self) -> Figure:
        figure, ((covered, wide),) = panels(1, 2, 8.6, 3.4)
        own = [row for row in self.few if row.level == self.level]
        n, coverage = [row.n_calibration for row in own], [row.coverage for row in own]
        covered.fill_between(n, [each.low for each in coverage], [each.high for each in coverage], alpha=0.3)
        covered.plot(n, [each.mean for each in coverage], marker="o", markersize=4)
        reference_line(covered, self.level)
        covered.set_ylabel(f"coverage, stated {self.level:.0%}")
        wide.plot(n, [100 * row.width for row in own], marker="o", markersize=4)
        wide.set(yscale="log", ylabel="mean width, % of the image")
        for axis in (covered, wide):
            axis.set(xscale="log", xlabel="experiments calibrated on")
            axis.set_xticks(n, [str(number) for number in n])
            axis.set_xticks([], minor=True)
        return figure

    def _shift_figure(self) -> Figure:
        rows = self.shifted
        figure, ((axis,),) = panels(1, 1, 7, 0.9 + 0.3 * len(rows))
        for number, row in enumerate(rows):
            draw_estimate(axis, number, row.coverage, PALETTE[0])
        axis.axvline(self.level, color=GREY, linewidth=1, linestyle="--")
        axis.set_yticks(range(len(rows)), [f"{row.group} ({row.n_images} images)" for row in rows])
        axis.set(xlabel=f"images covered by their {self.level:.0%} interval", xlim=(-0.02, 1.02))
        axis.invert_yaxis()
        return figure

    def _risk_figure(self) -> Figure:
        figure, ((pixels, images),) = panels(1, 2, 10, 4)
        for axis, unit, risk in (
            (pixels, "pixels", "wrong ones among the pixels kept"),
            (images, "images", "1 - Dice of the images kept"),
        ):
            first = next(iter(self.curves[unit].values()))
            at = np.unique(np.linspace(0, len(first.risk) - 1, N_POINTS).astype(int))
            for number, (name, curve) in enumerate(self.curves[unit].items()):
                style = "-" if number < len(PALETTE) else "-."
                axis.plot(curve.coverage[at], curve.risk[at], style, linewidth=1.2, label=name)
            axis.plot(first.coverage[at], first.oracle[at], color="0.3", linestyle=":", label="oracle")
            reference_line(axis, first.random, label="random")
            axis.set(xlabel="share kept", ylabel=risk)
            axis.legend(fontsize=7)
        # Nearly all pixels are easy: what there is to see is at the end.
        pixels.set(yscale="log", xlim=(0.7, 1.0), ylim=(1e-5, None))
        return figure
