"""The study's figures."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from icefloe.statistics.interval import Interval
from icefloe.statistics.repetitions import over_seeds
from studies.label_cost.contenders import BASELINES
from studies.label_cost.curves import Array, Curves
from studies.label_cost.labour import SCRATCH_MINUTES
from studies.label_cost.verdicts import Comparison

BASELINE_COLOURS = ("#000000", "#888888")
COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377")
"""Told apart with any colour vision (Tol's bright scheme)."""


def draw_curves(arrivals: Sequence[Curves], best: str) -> Figure:
    """Dice against labels: bands (95 % t) for the baselines and the best strategy, lines for the others."""
    figure = Figure(figsize=(3.4 * len(arrivals) + 2.2, 3.6), layout="constrained")
    panels = figure.subplots(1, len(arrivals), sharey=True, squeeze=False)[0]
    for axes, curves in zip(panels, arrivals, strict=True):
        position = np.arange(len(curves.labels))
        for name, dice in zip(curves.contenders, curves.dice, strict=True):
            emphasised = name == best or name in BASELINES
            (line,) = axes.plot(
                position,
                dice.mean(axis=0),
                label=name,
                color=_colour(curves.contenders, name),
                linewidth=2 if emphasised else 1,
                linestyle="--" if name in BASELINES else "-",
            )
            if emphasised and dice.shape[0] > 1:
                low, high = _band(dice)
                axes.fill_between(position, low, high, color=line.get_color(), alpha=0.12, linewidth=0)
        axes.axhline(curves.ceiling.mean(), color="#bbbbbb", linestyle=":", label="whole pool labelled")
        axes.axhline(
            max(curves.trivial.values()), color="#ddaa77", linestyle=":", label="best without learning"
        )
        axes.set_xticks(position, [str(count) for count in curves.labels])
        axes.set_title(f"{curves.dataset}, after {' and '.join(curves.standard)}", fontsize=9)
        axes.set_xlabel("labels")
    panels[0].set(ylabel="Dice, test images", ylim=(0, 1))
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right center", fontsize=8)
    return figure


def draw_saved(comparisons: Sequence[Comparison]) -> Figure:
    """Labels saved by each strategy with simultaneous intervals, a panel a baseline."""
    strategies = list(dict.fromkeys(each.strategy for each in comparisons))
    figure = Figure(figsize=(9, 1.2 + 0.35 * len(strategies)), layout="constrained")
    for axes, baseline in zip(figure.subplots(1, len(BASELINES), sharey=True), BASELINES, strict=True):
        of_baseline = [each for each in comparisons if each.baseline == baseline]
        for row, each in enumerate(of_baseline):
            _draw_estimate(axes, each.saved, row, _colour((*BASELINES, *strategies), each.strategy))
        axes.axvline(0, color="#888888", linewidth=1)
        asked = f" of {of_baseline[0].asked}" if of_baseline else ""
        axes.set(xlabel=f"labels saved{asked}, against {baseline}")
        axes.set_yticks(range(len(strategies)), strategies)
        axes.set_ylim(len(strategies) - 0.5, -0.5)
    return figure


def draw_minutes(arrivals: Sequence[Curves], best: str) -> Figure:
    """Dice against a person's minutes, from scratch and correcting: uniform draws and the best strategy."""
    figure = Figure(figsize=(3.4 * len(arrivals) + 2.2, 3.4), layout="constrained")
    panels = figure.subplots(1, len(arrivals), sharey=True, squeeze=False)[0]
    for axes, curves in zip(panels, arrivals, strict=True):
        for name in (BASELINES[0], best):
            row, colour = curves.row(name), _colour(curves.contenders, name)
            dice = curves.dice[row].mean(axis=0)
            axes.plot(
                SCRATCH_MINUTES * curves.labels, dice, "o--", color=colour, label=f"{name}, from scratch"
            )
            corrected = curves.minutes[row].mean(axis=0)
            axes.plot(corrected, dice, "o-", color=colour, label=f"{name}, correcting (estimate)")
        axes.set_title(curves.dataset, fontsize=9)
        axes.set_xlabel("minutes")
    panels[0].set(ylabel="Dice, test images", ylim=(0, 1))
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right center", fontsize=8)
    return figure


def draw_picked(arrivals: Sequence[Curves]) -> Figure:
    """How often each image was chosen by the last round, contenders below each other, along time."""
    contenders = arrivals[0].contenders
    height = 0.8 + 0.22 * len(contenders)
    figure = Figure(figsize=(8, height * len(arrivals)), layout="constrained")
    panels = figure.subplots(len(arrivals), 1, squeeze=False)[:, 0]
    for axes, curves in zip(panels, arrivals, strict=True):
        shown = axes.imshow(
            curves.picked, aspect="auto", cmap="Blues", vmin=0, vmax=1, interpolation="nearest"
        )
        axes.set_facecolor("#eeeeee")
        axes.set_yticks(range(len(contenders)), contenders, fontsize=7)
        step = max(1, len(curves.places) // 15)
        axes.set_xticks(
            range(0, len(curves.places), step), [str(place) for place in curves.places[::step]], fontsize=7
        )
        axes.set_title(f"{curves.dataset}: among the first {curves.labels[-1]} labels", fontsize=9)
    panels[-1].set_xlabel("place in time")
    figure.colorbar(shown, ax=panels, label="share of the seeds that offered it")
    return figure


def _colour(contenders: Sequence[str], name: str) -> str:
    if name in BASELINES:
        return BASELINE_COLOURS[BASELINES.index(name)]
    return COLOURS[(list(contenders).index(name) - len(BASELINES)) % len(COLOURS)]


def _band(dice: Array) -> tuple[list[float], list[float]]:
    estimates = [over_seeds(column) for column in dice.T]
    return [each.low for each in estimates], [each.high for each in estimates]


def _draw_estimate(axes: Axes, estimate: Interval, row: int, colour: str) -> None:
    if estimate.n > 1:
        axes.plot([estimate.low, estimate.high], [row, row], color=colour, linewidth=2)
    axes.plot([estimate.mean], [row], "o", color=colour)
