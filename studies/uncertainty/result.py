"""Tables, figures, and findings that the numbers decide."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pydantic import Field

from icefloe.evaluation.scores import BinnedCurve
from icefloe.evaluation.temperature import METRICS, TemperatureCheck
from icefloe.report.figures import draw_outlines
from icefloe.scoring.conformal import experiments_needed
from studies.kit.figures import GREY, PALETTE, diagonal, draw_curve, draw_estimates, panels, reference_line
from studies.kit.study import Record, StudyResult
from studies.uncertainty.design import FRESH, IN_USE, METHODS, N_DIVISIONS, UQ
from studies.uncertainty.rows import WITHIN, Abstention, Coverage, Decomposition, Ranking, Verification

MORE_ERRORS, MORE_EPISTEMIC = 2.0, 1.5
"""An ensemble that errs so many times as often and yet disagrees less than so many times as much is blind."""

RISKS = {"pixels": "wrong ones among the pixels kept", "images": "1 - Dice of the images kept"}
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
        Name of the ensemble, and number of its members.
    level, max_error
        Stated coverage where one is shown, and the tolerated share of pixels wrong without a warning.
    n_experiments, n_images
        Fresh simulated experiments, of which half are calibrated on where nothing else is said; and the
        frames of each.
    intraclass_correlation
        Share of the variance of the intervals' scores that lies between experiments.
    decompositions, rankings, abstentions, calibration
        Aleatoric and epistemic parts, areas under risk-coverage curves, what abstaining does, and
        reliability, by group of experiments, the fresh ones first.
    checks
        What its temperature does to held-out images, of every version.
    methods, few, verifications
        Coverage of all ways to an interval, half of the experiments calibrated on; of the one in use with
        fewer; and of that one calibrated once, on experiments that it did not see, fresh and of other kinds.
    curves, examples
        `pixels` and `images` of the fresh experiments: score -> `RiskCoverage`; images to show.
        Neither is in JSON.
    """

    name: ClassVar[str] = "uncertainty"
    title: ClassVar[str] = "What the uncertainty is worth"
    folder: ClassVar[str] = "uncertainty"
    words: ClassVar[Mapping[str, Any]] = {
        "in_use": IN_USE.name,
        "n_divisions": N_DIVISIONS,
        "uq": UQ,
        "within": WITHIN,
        "metrics": METRICS,
        "more_errors": MORE_ERRORS,
        "more_epistemic": MORE_EPISTEMIC,
    }

    ensemble: str
    n_members: int
    level: float
    max_error: float
    n_experiments: int
    n_images: int
    intraclass_correlation: float
    decompositions: tuple[Decomposition, ...]
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
    def right_widths(self) -> dict[str, float]:
        """Way to an interval -> its mean width, where coverage is right at all levels."""
        right = {n: rows for n, rows in self.by_method.items() if all(row.is_right for row in rows)}
        return {name: float(np.mean([row.width for row in rows])) for name, rows in right.items()}

    @property
    def needed(self) -> str:
        """Fewest experiments that each level takes."""
        levels = dict.fromkeys(row.level for row in self.few)
        return ", ".join(f"{experiments_needed(level)} for {level:.0%}" for level in levels)

    @property
    def shown(self) -> list[Verification]:
        """Verifications at the level shown."""
        return [row for row in self.verifications if row.level == self.level]

    def sentence(self) -> str:
        """Whether the intervals in use cover what they state."""
        own = self.by_method[IN_USE.name]
        said = ", ".join(f"{row.coverage.mean:.3f} for {row.level:.0%}" for row in own)
        right = "" if all(row.is_right for row in own) else "NOT "
        return (
            f"Coverage of the intervals in use ({IN_USE.name}) is {right}within {100 * WITHIN:.0f} points of "
            f"what is stated: {said}."
        )

    def below(self, rows: Sequence[Verification | Abstention], share: str) -> str:
        """Which groups' share is below the level: shown over several experiments, or seen in a single one.

        Fresh experiments are left out: it is of other kinds that nothing is promised.
        """
        shares = {row.group: getattr(row, share) for row in rows if FRESH not in row.group}
        shown = [group for group, found in shares.items() if found.high < self.level]
        single = [g for g, found in shares.items() if found.n == 1 and found.mean < self.level - WITHIN]
        named = {f"shown to be below {self.level:.0%}": shown, "below it in the one experiment": single}
        parts = [
            f"{how}: {', '.join(f'{group} ({shares[group].mean:.2f})' for group in groups)}"
            for how, groups in named.items()
            if groups
        ]
        return "; ".join(parts) or f"none is below {self.level:.0%}"

    @property
    def blind(self) -> list[str]:
        """Groups in which the ensemble errs much more than on fresh experiments and hardly disagrees more."""
        fresh, *others = self.decompositions
        return [
            row.group
            for row in others
            if row.error >= MORE_ERRORS * fresh.error
            and row.epistemic_boundary < MORE_EPISTEMIC * fresh.epistemic_boundary
        ]

    def ranked(self, unit: str) -> list[Ranking]:
        """Rankings of `pixels` or `images`."""
        return [row for row in self.rankings if row.unit == unit]

    def plot(self, ax: Axes) -> None:
        """Coverage against its stated level."""
        levels = sorted({row.level for row in self.methods})
        diagonal(ax, levels[0], levels[-1])
        for number, (name, rows) in enumerate(self.by_method.items()):
            beside = [row.level + 0.002 * (number - len(METHODS) / 2) for row in rows]
            draw_curve(ax, beside, [row.coverage for row in rows], marker="o", label=name)
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
        before.set(title="temperature 1", ylabel="observed frequency")
        after.set(title=temperature)
        for row in self.calibration:
            for axis, curve, ece in (
                (before, row.uncalibrated, row.ece_uncalibrated),
                (after, row.calibration, row.ece),
            ):
                if curve:
                    label = f"{row.dataset} (ECE {ece:.4f})"
                    axis.plot(curve.predicted, curve.frequency, marker="o", label=label)
        for axis in (before, after):
            diagonal(axis)
            axis.set(xlabel="predicted probability")
            axis.legend()
        return figure

    def _coverage_figure(self) -> Figure:
        figure, ((covered, wide),) = panels(1, 2, 9.6, 4)
        self.plot(covered)
        for name, rows in self.by_method.items():
            wide.plot([row.level for row in rows], [100 * row.width for row in rows], marker="o", label=name)
        wide.set(xlabel="stated coverage", ylabel="mean width, % of the image")
        wide.legend(loc="upper left", fontsize=7)
        return figure

    def _few_figure(self) -> Figure:
        figure, ((covered, wide),) = panels(1, 2, 8.6, 3.4)
        own = [row for row in self.few if row.level == self.level]
        n = [row.n_calibration for row in own]
        draw_curve(covered, n, [row.coverage for row in own], band=True, marker="o")
        reference_line(covered, self.level)
        covered.set_ylabel(f"coverage, stated {self.level:.0%}")
        wide.plot(n, [100 * row.width for row in own], marker="o")
        wide.set(yscale="log", ylabel="mean width, % of the image")
        for axis in (covered, wide):
            axis.set(xscale="log", xlabel="experiments calibrated on")
            axis.set_xticks(n, [str(number) for number in n])
            axis.set_xticks([], minor=True)
        return figure

    def _shift_figure(self) -> Figure:
        covered = {f"{row.group} ({row.n_images} images)": row.coverage for row in self.shown}
        figure, ((axis,),) = panels(1, 1, 7, 0.9 + 0.3 * len(covered))
        draw_estimates(axis, covered, PALETTE[:1])
        axis.axvline(self.level, color=GREY, linewidth=1, linestyle="--")
        axis.set(xlabel=f"images covered by their {self.level:.0%} interval", xlim=(-0.02, 1.02))
        return figure

    def _risk_figure(self) -> Figure:
        figure, axes = panels(1, 2, 10, 4)
        for axis, (unit, risk) in zip(axes[0], RISKS.items(), strict=True):
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
        axes[0, 0].set(yscale="log", xlim=(0.7, 1.0), ylim=(1e-5, None))
        return figure
