"""What the gate does on simulated experiments: tables, figures and findings."""

from collections.abc import Mapping
from textwrap import fill
from typing import Any, ClassVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from icefloe.drift.attribution import UNKNOWN_WORDS, Attribution
from icefloe.drift.config import GateConfig
from icefloe.drift.ice import ICE
from icefloe.drift.patterns import UNKNOWN
from icefloe.drift.report import GateReport
from icefloe.simulate.standard import Cause, describe_shift
from icefloe.statistics.interval import Interval
from icefloe.statistics.rates import Rate
from studies.gate.design import CAUSES, TYPICAL
from studies.gate.rows import (
    BEFORE_SPREAD,
    WANTED_POWER,
    AlarmRate,
    Confusion,
    QuantitySpread,
    SmallestShift,
    UncertaintyPower,
)
from studies.kit.figures import BLACK, SHADES, heatmap, panels, reference_line
from studies.kit.study import Record, StudyResult

ALL, OLDER = "all", "older benchmark"
DAYS_A_MONTH = 365.25 / 12
LEAST_SHARE = 0.05
"""Of a group's probability, to be named where none is clear."""


class JudgedDataset(Record):
    """What the gate says of a dataset of the workspace; `causes` are probabilities, empty if accepted.

    `by_uncertainty` is the p-value of uncertainty by itself; None: not measured, or not judged.
    """

    dataset: str
    outcome: str
    decided_by: tuple[str, ...]
    causes: dict[str, float]
    by_uncertainty: float | None = None

    @property
    def moved(self) -> str:
        """What moved, in words."""
        if not self.causes:
            return ""
        found = Attribution.of(self.causes, {}, ICE)
        if found.is_clear:
            return f"{found.cause} ({found.groups[found.group]:.0%})"
        likely = [f"{n} {p:.0%}" for n, p in found.groups.items() if n != UNKNOWN and p >= LEAST_SHARE]
        return f"{UNKNOWN_WORDS}: {', '.join(likely)}"

    @classmethod
    def of(cls, report: GateReport) -> "JudgedDataset":
        """The part of a report that the page shows."""
        causes = report.attribution.probabilities if report.attribution else {}
        shown = report.model_dump(include={"dataset", "outcome", "decided_by"})
        p_values = {result.name: result.p_value for result in report.deciding}
        return cls(**shown, causes=dict(causes), by_uncertainty=p_values.get(ICE.uncertainty.name))


class GateResult(StudyResult):
    """What the gate does on simulated experiments.

    Attributes
    ----------
    ensemble, experiments, config, fitted
        The ensemble's name, the experiments of its benchmark, the gate's settings, and how the attribution
        was fitted.
    per_day
        Number of experiments that the gate judges in a day.
    rates, by_size, raised_by
        Alarms by kind of experiment, with all evidence and with that of older benchmarks; false alarms with
        random benchmarks; share of standard experiments in which a quantity raised one.
    smallest
        SmallestShift shift that is detected, by cause and number of images.
    groups, causes, by_strength
        Confusion matrices of the attribution, of shifts that are strong enough to be named; how many alarms
        name the right group.
    uncertainty
        What uncertainty alone shows, before its test was changed and since; empty in a file made before.
    spreads, datasets
        How standard experiments vary; datasets of the workspace that are not in the benchmark.
    """

    name: ClassVar[str] = "gate"
    title: ClassVar[str] = "Statistics of the drift gate"
    folder: ClassVar[str] = "gate"
    words: ClassVar[Mapping[str, Any]] = {
        "typical": TYPICAL,
        "n_groups": len(ICE.groups),
        "n_causes": len(CAUSES),
        "at_full_strength": {cause: describe_shift(cause, 1.0) for cause in CAUSES},
        "older": OLDER,
        "before_spread": BEFORE_SPREAD,
        "wanted_power": f"{WANTED_POWER:.0%}",
    }

    ensemble: str
    experiments: tuple[str, ...]
    config: GateConfig
    per_day: float
    rates: tuple[AlarmRate, ...]
    raised_by: dict[str, float]
    by_size: dict[int, Rate]
    smallest: tuple[SmallestShift, ...]
    groups: Confusion
    causes: Confusion
    by_strength: dict[float, Rate]
    uncertainty: tuple[UncertaintyPower, ...] = ()
    spreads: tuple[QuantitySpread, ...]
    datasets: tuple[JudgedDataset, ...]
    fitted: str

    def rate(
        self, n_images: int = TYPICAL, cause: Cause | None = None, strength: float = 0.0, evidence: str = ALL
    ) -> Rate:
        """Share of one kind of experiments that is not accepted."""
        wanted = (evidence, n_images, cause, strength)
        return next(r.rate for r in self.rates if (r.evidence, r.n_images, r.cause, r.strength) == wanted)

    def smallest_shift(self, cause: Cause, n_images: int) -> str:
        """That is detected, in words."""
        found = {(row.cause, row.n_images): row for row in self.smallest}
        return found[cause, n_images].in_words(self.strengths[0])

    @property
    def shown_by_uncertainty(self) -> dict[str, Rate]:
        """By uncertainty alone, of all shifted experiments, where both tests raise as many false alarms."""
        shifted = [row for row in self.uncertainty if row.cause is not None]
        return {
            when: Rate(hits=sum(rate.hits for rate in rates), total=sum(rate.total for rate in rates))
            for when, rates in (
                ("before", [row.before_at_level for row in shifted]),
                ("now", [row.now_at_level for row in shifted]),
            )
        }

    @property
    def counts(self) -> list[int]:
        """Numbers of images, ascending."""
        return sorted({row.n_images for row in self.rates})

    @property
    def strengths(self) -> list[float]:
        """Of the shifts, ascending."""
        return sorted({row.strength for row in self.rates if row.cause is not None})

    def sentence(self) -> str:
        """False alarms against the stated rate."""
        alpha, (low, high) = self.config.alpha, self.rate().interval or (0.0, 1.0)
        if high <= alpha:
            return f"The stated {alpha:.0%} holds: the whole interval is below."
        if low <= alpha:
            return (
                f"The stated {alpha:.0%} is compatible with what was counted; the interval reaches beyond it."
            )
        return f"The stated {alpha:.0%} does not hold: the whole interval is above."

    def a_month(self, rate: Rate) -> Interval:
        """False alarms a month."""
        tests, (low, high) = self.per_day * DAYS_A_MONTH, rate.interval or (0.0, 1.0)
        return Interval(mean=(rate.share or 0.0) * tests, low=low * tests, high=high * tests, n=rate.total)

    @property
    def stated_a_month(self) -> float:
        """At most."""
        return self.config.alpha * self.per_day * DAYS_A_MONTH

    @property
    def random_benchmarks(self) -> Rate:
        """All random benchmarks together."""
        rates = self.by_size.values()
        return Rate(hits=sum(rate.hits for rate in rates), total=sum(rate.total for rate in rates))

    def plot(self, ax: Axes) -> None:
        """Power against the first cause."""
        self._draw_power(ax, CAUSES[0])

    def figures(self) -> dict[str, Figure]:
        """Power curves, and both confusion matrices."""
        return {
            "power": self._power_figure(),
            "groups": _confusion_figure(self.groups),
            "causes": _confusion_figure(self.causes),
        }

    def _power_figure(self) -> Figure:
        figure, axes = panels(2, 4, 10, 5, sharey=True)
        first, *others = axes.ravel()
        for axis, cause in zip((first, *others), CAUSES, strict=False):
            self._draw_power(axis, cause)
        for axis in others[len(CAUSES) - 1 :]:
            axis.axis("off")
        first.set_ylabel("share not accepted")
        others[-1].legend(*first.get_legend_handles_labels(), loc="center")
        return figure

    def _draw_power(self, axes: Axes, cause: Cause) -> None:
        """A line a number of images."""
        strengths = self.strengths
        for n, colour in zip(self.counts, SHADES, strict=False):
            shares = [self.rate(n, cause, strength).share or 0.0 for strength in strengths]
            axes.plot(strengths, shares, "o-", color=colour, markersize=3, label=f"{n} images")
        reference_line(axes, self.config.alpha, color=BLACK, linestyle=":", linewidth=0.8)
        reference_line(axes, WANTED_POWER, color=BLACK, linewidth=0.8)
        axes.set_xscale("log")
        axes.set_xticks(strengths, [f"{strength:g}" for strength in strengths], fontsize=7)
        axes.minorticks_off()
        axes.set_xlabel(f"1 is {describe_shift(cause, 1.0)}".replace(", ", ",\n"), fontsize=7)
        axes.set(title=cause, ylim=(-0.03, 1.03))


def _confusion_figure(confusion: Confusion) -> Figure:
    """Shares of each row, with its counts."""
    counts = np.array(confusion.counts)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure, ((axes,),) = panels(1, 1, 1.6 + 0.95 * counts.shape[1], 1.4 + 0.6 * counts.shape[0])
    heatmap(axes, shares, confusion.truths, aspect="auto")
    for (row, column), count in np.ndenumerate(counts):
        if count:
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=colour)
    said = [UNKNOWN_WORDS if name == UNKNOWN else name for name in confusion.answers]
    axes.set_xticks(range(len(said)), [fill(name, 12, break_long_words=False) for name in said])
    axes.set(xlabel="the gate says", ylabel="simulated", title="experiments; colour: share of the row")
    return figure
