"""The study's figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from icefloe.statistics.repetitions import over_seeds
from studies.kit.figures import BLACK, GREY, PALE, PALETTE, draw_estimates, panels
from studies.label_cost.annotation_time import SCRATCH_MINUTES
from studies.label_cost.design import BASELINES
from studies.label_cost.savings import Comparison, Curves

if TYPE_CHECKING:
    from studies.label_cost.result import DatasetSummary

WIDTH, LEGEND = 3.4, 2.2
"""Of a panel and of the legend beside them, in inches."""


def curves_figure(curves: Sequence[Curves], datasets: Sequence[DatasetSummary], best: str) -> Figure:
    """Dice against labels: bands (95 % t) for the baselines and the best strategy, lines for the others."""
    figure, axes = panels(1, len(curves), WIDTH * len(curves) + LEGEND, 3.6, sharey=True)
    for axis, of_dataset, dataset in zip(axes[0], curves, datasets, strict=True):
        draw_curves(axis, of_dataset, dataset, best)
    _finish(figure, axes[0])
    return figure


def draw_curves(axes: Axes, curves: Curves, dataset: DatasetSummary, best: str) -> None:
    """One panel of it."""
    position = np.arange(len(curves.labels))
    for name, dice in zip(curves.strategies, curves.dice, strict=True):
        emphasised = name == best or name in BASELINES
        (line,) = axes.plot(
            position,
            dice.mean(axis=0),
            label=name,
            color=_colour(curves.strategies, name),
            linewidth=2 if emphasised else 1,
            linestyle="--" if name in BASELINES else "-",
        )
        if emphasised and dice.shape[0] > 1:
            band = [over_seeds(column) for column in dice.T]
            low, high = [each.low for each in band], [each.high for each in band]
            axes.fill_between(position, low, high, color=line.get_color(), alpha=0.12, linewidth=0)
    for level, colour, label in (
        (float(np.mean(dataset.whole_pool)), PALE, "whole pool labelled"),
        (max(dataset.baselines.values()), "#ddaa77", "best without learning"),
    ):
        axes.axhline(level, color=colour, linestyle=":", label=label)
    axes.set_xticks(position, [f"{count:g}" for count in curves.labels])
    axes.set(title=f"{dataset.dataset}, after {' and '.join(dataset.standard)}", xlabel="labels")


def saved_figure(comparisons: Sequence[Comparison], n_target_labels: int) -> Figure:
    """Labels saved by each strategy with simultaneous intervals, a panel a baseline."""
    strategies = list(dict.fromkeys(each.strategy for each in comparisons))
    figure, axes = panels(1, len(BASELINES), 9, 1.2 + 0.35 * len(strategies), sharey=True)
    colours = [_colour((*BASELINES, *strategies), name) for name in strategies]
    for axis, baseline in zip(axes[0], BASELINES, strict=True):
        draw_estimates(axis, {c.strategy: c.saved for c in comparisons if c.baseline == baseline}, colours)
        axis.axvline(0, color=GREY, linewidth=1)
        axis.set(xlabel=f"labels saved of {n_target_labels}, against {baseline}")
    return figure


def minutes_figure(curves: Sequence[Curves], best: str) -> Figure:
    """Dice against a person's minutes, from scratch and correcting: uniform draws and the best strategy."""
    figure, axes = panels(1, len(curves), WIDTH * len(curves) + LEGEND, 3.4, sharey=True)
    for axis, each in zip(axes[0], curves, strict=True):
        for name in (BASELINES[0], best):
            row, colour = each.row(name), _colour(each.strategies, name)
            dice, corrected = each.dice[row].mean(axis=0), each.minutes[row].mean(axis=0)
            axis.plot(SCRATCH_MINUTES * each.labels, dice, "o--", color=colour, label=f"{name}, from scratch")
            axis.plot(corrected, dice, "o-", color=colour, label=f"{name}, correcting (estimate)")
        axis.set(title=each.dataset, xlabel="minutes")
    _finish(figure, axes[0])
    return figure


def picked_figure(datasets: Sequence[DatasetSummary], curves: Sequence[Curves]) -> Figure:
    """How often each image was chosen by the last round, strategies below each other, along time."""
    strategies = list(datasets[0].picked)
    height = 0.8 + 0.22 * len(strategies)
    figure, axes = panels(len(datasets), 1, 8, height * len(datasets))
    for axis, dataset, of_dataset in zip(axes[:, 0], datasets, curves, strict=True):
        shares = np.array([dataset.picked[name] for name in strategies], dtype=np.float64)
        shown = axis.imshow(shares, aspect="auto", cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
        axis.set_facecolor("#eeeeee")
        axis.set_yticks(range(len(strategies)), strategies, fontsize=7)
        every = range(0, len(dataset.frames), max(1, len(dataset.frames) // 15))
        axis.set_xticks(every, [str(dataset.frames[i]) for i in every], fontsize=7)
        axis.set_title(f"{dataset.dataset}: among the first {of_dataset.labels[-1]:g} labels")
    axes[-1, 0].set_xlabel("time index")
    figure.colorbar(shown, ax=axes[:, 0], label="share of the seeds that offered it")
    return figure


def _finish(figure: Figure, axes: Sequence[Axes]) -> None:
    axes[0].set(ylabel="Dice, test images", ylim=(0, 1))
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center")


def _colour(strategies: Sequence[str], name: str) -> str:
    if name in BASELINES:
        return (BLACK, GREY)[BASELINES.index(name)]
    return PALETTE[(list(strategies).index(name) - len(BASELINES)) % len(PALETTE)]
