"""The study's figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from studies.kit.figures import BLACK, GREY, PALE, PALETTE, draw_curve, draw_estimates, heatmap, panels
from studies.label_cost.annotation_time import SCRATCH_MINUTES
from studies.label_cost.design import BASELINES

if TYPE_CHECKING:
    from studies.label_cost.result import DatasetSummary, LabelCostResult
    from studies.label_cost.savings import Curves

WIDTH, LEGEND = 3.4, 2.2
"""Of a panel and of the legend beside them, in inches."""


def curves_figure(result: LabelCostResult) -> Figure:
    """Dice against labels: bands (95 % t) for the baselines and the best strategy, lines for the others."""
    figure, axes = _panels(result, 3.6)
    for axis, curves, dataset in zip(axes, result.curves, result.datasets, strict=True):
        draw_curves(axis, curves, dataset, result.best)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center")
    return figure


def draw_curves(axes: Axes, curves: Curves, dataset: DatasetSummary, best: str) -> None:
    """One panel of it."""
    position = np.arange(len(curves.labels))
    for name in curves.strategies:
        estimates, dashed = curves.estimates("dice", name), name in BASELINES
        style: Any = {"color": _colour(curves.strategies, name), "linestyle": "--" if dashed else "-"}
        if dashed or name == best:
            draw_curve(axes, position, estimates, band=True, label=name, linewidth=2, **style)
        else:
            axes.plot(position, [each.mean for each in estimates], label=name, linewidth=1, **style)
    whole_pool, baseline = float(np.mean(dataset.whole_pool)), max(dataset.baselines.values())
    axes.axhline(whole_pool, color=PALE, linestyle=":", label="whole pool labelled")
    axes.axhline(baseline, color="#ddaa77", linestyle=":", label="best without learning")
    axes.set_xticks(position, [f"{count:g}" for count in curves.labels])
    axes.set(title=f"{dataset.dataset}, after {' and '.join(dataset.standard)}", xlabel="labels")


def minutes_figure(result: LabelCostResult) -> Figure:
    """Dice against a person's minutes, from scratch and correcting: uniform draws and the best strategy."""
    figure, axes = _panels(result, 3.4)
    for axis, each in zip(axes, result.curves, strict=True):
        for name in (BASELINES[0], result.best):
            row, colour = each.row(name), _colour(each.strategies, name)
            dice, corrected = each.dice[row].mean(axis=0), each.minutes[row].mean(axis=0)
            axis.plot(SCRATCH_MINUTES * each.labels, dice, "o--", color=colour, label=f"{name}, from scratch")
            axis.plot(corrected, dice, "o-", color=colour, label=f"{name}, correcting (estimate)")
        axis.set(title=each.dataset, xlabel="minutes")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center")
    return figure


def saved_figure(result: LabelCostResult) -> Figure:
    """Labels saved by each strategy with simultaneous intervals, a panel a baseline."""
    figure, axes = panels(1, len(BASELINES), 9, 1.2 + 0.35 * len(result.compared), sharey=True)
    colours = [_colour(result.strategies, name) for name in result.compared]
    for axis, baseline in zip(axes[0], BASELINES, strict=True):
        saved = {name: each.saved for name, each in result.against(baseline).items()}
        draw_estimates(axis, saved, colours)
        axis.axvline(0, color=GREY, linewidth=1)
        axis.set(xlabel=f"labels saved of {result.n_target_labels}, against {baseline}")
    return figure


def picked_figure(result: LabelCostResult) -> Figure:
    """How often each image was chosen by the last round, strategies below each other, along time."""
    height = 0.8 + 0.22 * len(result.strategies)
    figure, axes = panels(len(result.datasets), 1, 8, height * len(result.datasets))
    for axis, dataset, curves in zip(axes[:, 0], result.datasets, result.curves, strict=True):
        shares = np.array(list(dataset.picked.values()), dtype=np.float64)
        shown = heatmap(axis, shares, list(dataset.picked), aspect="auto", interpolation="nearest")
        axis.set_facecolor("#eeeeee")
        every = range(0, len(dataset.frames), max(1, len(dataset.frames) // 15))
        axis.set_xticks(every, [str(dataset.frames[i]) for i in every])
        axis.tick_params(labelsize=7)
        axis.set_title(f"{dataset.dataset}: among the first {curves.labels[-1]:g} labels")
    axes[-1, 0].set_xlabel("time index")
    figure.colorbar(shown, ax=axes[:, 0], label="share of the seeds that offered it")
    return figure


def _panels(result: LabelCostResult, height: float) -> tuple[Figure, Sequence[Axes]]:
    """A panel a dataset, for Dice on its test images."""
    n_datasets = len(result.datasets)
    figure, axes = panels(1, n_datasets, WIDTH * n_datasets + LEGEND, height, sharey=True)
    axes[0, 0].set(ylabel="Dice, test images", ylim=(0, 1))
    return figure, axes[0]


def _colour(strategies: Sequence[str], name: str) -> str:
    if name in BASELINES:
        return (BLACK, GREY)[BASELINES.index(name)]
    return PALETTE[(list(strategies).index(name) - len(BASELINES)) % len(PALETTE)]
