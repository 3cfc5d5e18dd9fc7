"""The gate's figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from icefloe.drift.attribution import Attribution
from icefloe.drift.patterns import UNKNOWN
from icefloe.drift.results import EvidenceResult

_COLUMNS = 6
_BENCHMARK, _NEW, _BAND = "#4477aa", "#ee6677", "#dddddd"


def draw_effects(axes: Axes, evidence: Sequence[EvidenceResult]) -> None:
    """A line for each quantity: the effect with its 95 % interval, on a band in which it raises no alarm.

    A quantity that is not a ratio is described in words on its line.

    Parameters
    ----------
    axes : matplotlib Axes
        Axes to draw into.
    evidence : sequence of EvidenceResult
        Results to draw, from top to bottom.
    """
    ratios = [result for result in evidence if result.is_ratio]
    plotted = [value for r in ratios for value in (r.effect, r.low, r.high, *r.limits) if value > 0]
    low, high = (min(plotted, default=0.5) / 1.2, max(plotted, default=2.0) * 1.2)
    for line, result in enumerate(evidence):
        colour = _NEW if result.significant else "black"
        if not result.is_ratio:
            text = (
                f"distance {result.effect:.2f} ({result.low:.2f}–{result.high:.2f}) standard deviations, "
                f"alarm from {result.threshold:.2f}"
            )
            axes.text(np.sqrt(low * high), line, text, ha="center", va="center", fontsize=7, color=colour)
            continue
        bottom, top = result.limits
        axes.barh(line, top - max(bottom, low), left=max(bottom, low), height=0.6, color=_BAND, zorder=0)
        axes.errorbar(
            result.effect,
            line,
            xerr=[[result.effect - result.low], [result.high - result.effect]],
            fmt="o",
            color=colour,
            markersize=4,
            capsize=3,
        )
    axes.axvline(1.0, color="black", linewidth=0.8, linestyle=":")
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlim(low, high)
    axes.set_yticks(range(len(evidence)), [result.words for result in evidence], fontsize=8)
    axes.set_ylim(len(evidence) - 0.5, -0.5)
    axes.set_xlabel("new / benchmark with its 95 % interval; grey: no alarm by itself; red: alarm")


def draw_images(
    dataset: str,
    evidence: Sequence[EvidenceResult],
    attribution: Attribution | None,
    title: str,
    text: str = "",
) -> Figure:
    """A panel for each quantity: images as dots, the range without alarm, the mean's interval.

    Parameters
    ----------
    dataset : str
        Name of the new dataset.
    evidence : sequence of EvidenceResult
        One panel each.
    attribution : Attribution or None
        Gets a last panel with the probabilities of what moved.
    title : str
        Title of the figure.
    text : str
        Shown where there are no panels.
    """
    n_panels = len(evidence) + (attribution is not None)
    n_columns = min(max(n_panels, 2), _COLUMNS)
    n_rows = -(-max(n_panels, 1) // n_columns)
    figure = Figure(figsize=(2.5 * n_columns, 3.0 * n_rows + 0.2), layout="constrained")
    figure.suptitle(title)
    if not evidence:
        axes = figure.subplots()
        axes.axis("off")
        axes.text(0.5, 0.5, text, ha="center", va="center", wrap=True)
        return figure
    panels = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    for axes, result in zip(panels, evidence, strict=False):
        _draw_quantity(axes, result, dataset)
    if attribution is not None:
        _draw_causes(panels[len(evidence)], attribution)
    for axes in panels[n_panels:]:
        axes.axis("off")
    return figure


def _draw_causes(axes: Axes, attribution: Attribution) -> None:
    names = ["several,\nunknown" if name == UNKNOWN else name for name in attribution.probabilities]
    axes.barh(range(len(names)), list(attribution.probabilities.values()), color=_NEW)
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.set(xlim=(0, 1), xlabel="probability")
    axes.invert_yaxis()
    axes.set_title("what moved", fontsize=8)


def _draw_quantity(axes: Axes, result: EvidenceResult, dataset: str) -> None:
    unit = result.reference_mean if result.is_ratio else 1.0
    lower, upper = (unit * limit for limit in result.limits)
    axes.axhspan(lower, upper, color=_BAND, zorder=0)
    labels = [*result.reference_values, dataset]
    for position, values in enumerate([*result.reference_values.values(), result.new_values]):
        colour = _NEW if position == len(labels) - 1 else _BENCHMARK
        # Time runs from left to right within an experiment, so a trend is seen as one.
        steps = [position + 0.5 * (i / max(len(values) - 1, 1) - 0.5) for i in range(len(values))]
        axes.plot(steps, values, "o", color=colour, markersize=3, alpha=0.7)
    middle, low, high = (unit * value for value in (result.effect, result.low, result.high))
    axes.errorbar(
        [len(labels) - 1],
        [middle],
        [[middle - low], [high - middle]],
        fmt="_",
        color="black",
        capsize=4,
        zorder=3,
    )
    axes.set_xticks(range(len(labels)), labels, rotation=45 if len(labels) > 3 else 0)
    axes.set_xlim(-0.6, len(labels) - 0.4)
    if result.is_ratio:
        axes.set_yscale("log")
        # Ranges are often a fraction of a decade, where logarithmic ticks would leave the axis bare.
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.tick_params(axis="y", labelsize=8)
    else:
        axes.set_ylim(bottom=0)
    p = result.adjusted_p_value
    axes.set_title(f"{result.words}\n{'ALARM, ' if result.significant else ''}p = {p:.2g}", fontsize=8)
