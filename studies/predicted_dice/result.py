"""Predicted Dice against the truth: table, figure and findings."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from icefloe.drift.predicted_dice import LEVEL, DiceEstimate
from icefloe.statistics.rates import Rate
from studies.kit.figures import BLACK, panels
from studies.kit.study import Record, StudyResult

TOLERANCE = 0.03
"""Largest difference between coverage and the stated level that the study calls kept."""


class Predicted(Record):
    """One Dice, predicted and true; `predicted` is None where the fit did not reach."""

    truth: float
    predicted: DiceEstimate | None


class Checked(Record):
    """Predicted Dice of one kind of experiments.

    Attributes
    ----------
    kind, unit
        A cause, `standard`, `simulated` for all of these, or a dataset; `image`, or `dataset` for means.
    n
        Number of Dice that there was to predict.
    covered
        Of those predicted, how many intervals hold the truth.
    correlation
        Pearson's, of prediction and truth; None with fewer than three.
    width, error
        Mean width of the intervals, and mean absolute error of the prediction; None where none is predicted.
    """

    kind: str
    unit: str
    n: int
    covered: Rate
    correlation: float | None
    width: float | None
    error: float | None

    @classmethod
    def of(cls, kind: str, unit: str, found: Iterable[Predicted]) -> "Checked":
        """Count."""
        found = list(found)
        known = [(one.truth, one.predicted) for one in found if one.predicted is not None]
        truths = np.array([truth for truth, _ in known])
        means, lows, highs = (
            np.array([getattr(p, name) for _, p in known]) for name in ("mean", "low", "high")
        )
        varied = len(known) > 2 and truths.std() > 0 and means.std() > 0
        return cls(
            kind=kind,
            unit=unit,
            n=len(found),
            covered=Rate(hits=int(((lows <= truths) & (truths <= highs)).sum()), total=len(known)),
            correlation=float(np.corrcoef(means, truths)[0, 1]) if varied else None,
            width=float((highs - lows).mean()) if known else None,
            error=float(np.abs(means - truths).mean()) if known else None,
        )

    @property
    def predicted(self) -> str:
        """How many were predicted."""
        return f"{self.covered.total} of {self.n}"


class PredictedDiceResult(StudyResult):
    """What predicted Dice is worth.

    Attributes
    ----------
    ensemble, fitted
        The ensemble's name, and how the models were fitted.
    n_images
        Images of each simulated experiment that the gate looked at.
    checked
        Rows of the table; the first two are all simulated experiments.
    points
        The means of the experiments and datasets, for the figure.
    """

    name: ClassVar[str] = "predicted-dice"
    title: ClassVar[str] = "Dice predicted before labels"
    folder: ClassVar[str] = "predicted_dice"
    words: ClassVar[Mapping[str, Any]] = {"level": f"{LEVEL:.0%}", "tolerance": f"{100 * TOLERANCE:.0f}"}

    ensemble: str
    fitted: str
    n_images: int
    checked: tuple[Checked, ...]
    points: dict[str, tuple[Predicted, ...]]

    def sentence(self) -> str:
        """Coverage of all simulated images against the stated level."""
        covered = self.checked[0].covered
        share = covered.share
        if share is None:
            return "No Dice was predicted."
        kept = "is kept within" if abs(share - LEVEL) <= TOLERANCE else "is missed by more than"
        return (
            f"Of the simulated images' Dice, {covered} lie in the {LEVEL:.0%} interval: the stated level "
            f"{kept} {100 * TOLERANCE:.0f} points."
        )

    def plot(self, ax: Axes) -> None:
        """Predicted against true mean Dice, with intervals."""
        for (kind, points), colour in zip(self.points.items(), ("tab:blue", "tab:red"), strict=False):
            known = [(one.truth, one.predicted) for one in points if one.predicted is not None]
            truths, means = [t for t, _ in known], [p.mean for _, p in known]
            bars = [[p.mean - p.low for _, p in known], [p.high - p.mean for _, p in known]]
            ax.errorbar(
                truths,
                means,
                bars,
                fmt="o",
                markersize=3,
                elinewidth=0.5,
                alpha=0.6,
                color=colour,
                label=kind,
            )
        ax.plot([0, 1], [0, 1], ":", color=BLACK, linewidth=0.8)
        ax.set(xlabel="true mean Dice", ylabel=f"predicted, {LEVEL:.0%} interval", xlim=(0, 1), ylim=(0, 1))
        ax.legend()

    def figures(self) -> dict[str, Figure]:
        """One: predicted against true."""
        figure, ((axes,),) = panels(1, 1, 5, 4.5)
        self.plot(axes)
        return {"truth": figure}
