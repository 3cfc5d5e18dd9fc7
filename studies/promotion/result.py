"""What the promotion gate does with simulated arrivals: tables, figures and findings."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from icefloe.evaluation.rule import PromotionRule
from icefloe.statistics.rates import Rate
from studies.kit.figures import diagonal, panels, reference_line
from studies.kit.study import Record, StudyResult
from studies.promotion.design import N_LABELS, N_NEW_LABELS, N_STANDARD, N_TRUTH
from studies.promotion.verdicts import Decided

Gate = Literal["before", "now"]
GATES: tuple[Gate, Gate] = ("before", "now")

EDGES = (-1.0, -0.02, 0.0, 0.02, 0.05, 0.1, 1.0)
"""Of groups of true gains in Dice."""

CLEAR = 0.05
"""True gain from which a version should be promoted after two labels."""

PROBABILITIES = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 1.0)


class Promoted(Record):
    """What each gate promoted of the versions with true gains from `low` to `high`."""

    low: float
    high: float
    n: int
    before: Rate
    now: Rate


class Stated(Record):
    """Arrivals whose probability of being better lies in a range: its mean, and how many were better."""

    low: float
    high: float
    said: float
    came: Rate


class PromotionStudyResult(StudyResult):
    """Operating characteristics of the promotion gate.

    Attributes
    ----------
    rule
        Margins and confidence.
    encoders, size
        Members' encoders, and side of their input in px.
    arrivals
        One row an arrival.
    """

    name: ClassVar[str] = "promotion"
    title: ClassVar[str] = "What the promotion gate promotes after two labels"
    folder: ClassVar[str] = "promotion"
    words: ClassVar[Mapping[str, Any]] = {
        "n_standard": N_STANDARD,
        "n_labels": N_LABELS,
        "n_new": N_NEW_LABELS,
        "n_truth": N_TRUTH,
        "clear": CLEAR,
        "gates": GATES,
    }

    rule: PromotionRule
    encoders: tuple[str, ...]
    size: int
    arrivals: tuple[Decided, ...]

    def promoted(self, gate: Gate) -> list[Decided]:
        """The arrivals after which the new version was promoted."""
        return [row for row in self.arrivals if getattr(row, gate) == "pass"]

    def wrong(self, gate: Gate) -> Rate:
        """Of those promoted, the share that is truly worse beyond a margin somewhere."""
        rows = self.promoted(gate)
        return Rate(hits=sum(row.excess > 0 for row in rows), total=len(rows))

    def not_better(self, gate: Gate) -> Rate:
        """Of those promoted, the share whose Dice on the experiment that arrived is truly no higher."""
        rows = self.promoted(gate)
        return Rate(hits=sum(row.true <= 0 for row in rows), total=len(rows))

    def power(self, gate: Gate, *, unharmed: bool = False) -> Rate:
        """Of versions better by `CLEAR` or more, the share promoted; `unharmed`: worse nowhere."""
        rows = [row for row in self.arrivals if row.true >= CLEAR and not (unharmed and row.excess > 0)]
        return Rate(hits=sum(getattr(row, gate) == "pass" for row in rows), total=len(rows))

    def harmful(self) -> Rate:
        """Of all versions, the share that is truly worse beyond a margin somewhere."""
        return Rate(hits=sum(row.excess > 0 for row in self.arrivals), total=len(self.arrivals))

    def by_gain(self) -> list[Promoted]:
        """What was promoted, by true gain."""
        return [
            Promoted(
                low=low,
                high=high,
                n=len(rows),
                before=_passed(rows, "before"),
                now=_passed(rows, "now"),
            )
            for low, high in pairwise(EDGES)
            for rows in [[row for row in self.arrivals if low <= row.true < high]]
        ]

    def stated(self) -> list[Stated]:
        """How often what the gate calls better, by its probability, is so."""
        found = []
        for low, high in pairwise(PROBABILITIES):
            rows = [row for row in self.arrivals if low <= row.better < high or high == row.better == 1]
            if rows:
                came = Rate(hits=sum(row.true > 0 for row in rows), total=len(rows))
                said = float(np.mean([row.better for row in rows]))
                found.append(Stated(low=low, high=high, said=said, came=came))
        return found

    def sentence(self) -> str:
        """The two error rates that matter."""
        return (
            f"Of {len(self.promoted('now'))} promotions after two labels {self.wrong('now')} are truly worse "
            f"beyond a margin; of versions better by {CLEAR:g} Dice or more {self.power('now')} are promoted "
            f"({self.power('before')} before)."
        )

    def plot(self, ax: Axes) -> None:
        """Share promoted, by true gain."""
        rows = [row for row in self.by_gain() if row.n]
        for gate, style in (("before", "o--"), ("now", "o-")):
            rates: list[Rate] = [getattr(row, gate) for row in rows]
            shares = np.array([rate.share for rate in rates])
            ends = np.array([rate.interval for rate in rates]).T
            error = np.abs(ends - shares)
            ax.errorbar(range(len(rows)), shares, yerr=error, fmt=style, capsize=3, label=gate)
        ax.set_xticks(range(len(rows)), [f"{_span(row)}\n(n={row.n})" for row in rows])
        reference_line(ax, 0.8)
        ax.set(xlabel="true gain in Dice", ylabel="promoted (95 % interval)", ylim=(-0.02, 1.02))
        ax.legend()

    def figures(self) -> dict[str, Figure]:
        """Share promoted by true gain; whether probabilities come true."""
        figure, axes = panels(1, 2, 9, 3.6)
        self.plot(axes[0, 0])
        calibration: Axes = axes[0, 1]
        rows = self.stated()
        shares = np.array([row.came.share for row in rows])
        error = np.abs(np.array([row.came.interval for row in rows]).T - shares)
        diagonal(calibration)
        calibration.errorbar([row.said for row in rows], shares, yerr=error, fmt="o", capsize=3)
        calibration.set(xlabel="stated probability of being better", ylabel="better (95 % interval)")
        return {"characteristics": figure}


def _passed(rows: Sequence[Decided], gate: Gate) -> Rate:
    return Rate(hits=sum(getattr(row, gate) == "pass" for row in rows), total=len(rows))


def _span(row: Promoted) -> str:
    if row.low == EDGES[0]:
        return f"< {row.high:g}"
    return f"≥ {row.low:g}" if row.high == EDGES[-1] else f"{row.low:g} to {row.high:g}"
