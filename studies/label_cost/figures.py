"""The study's figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from icefloe.active.proposals import REGION_STRATEGIES
from studies.kit.figures import BLACK, GREY, PALE, PALETTE, draw_curve, draw_estimates, heatmap, panels
from studies.label_cost.design import BASELINES

if TYPE_CHECKING:
    from studies.label_cost.result import DatasetSummary, LabelCostResult
    from studies.label_cost.savings import Curves

WIDTH, LEGEND = 3.4, 2.2
"""Of a panel and of the legend beside them, in inches."""


def curves_figure(result: LabelCostResult) -> Figure:
    """Dice against seconds: bands (95 % t) for uniform draws of images and for regions, lines for others."""
    figure, axes = _panels(result, 3.6)
    for axis, curves, dataset in zip(axes, result.curves, result.datasets, strict=True):
        draw_curves(axis, curves, dataset)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center")
    return figure


def draw_curves(axes: Axes, curves: Curves, dataset: DatasetSummary) -> None:
    """One panel of it."""
    for name in curves.strategies:
        estimates = curves.estimates("dice", name)
        dashed, banded = name in BASELINES, name == BASELINES[0] or name in REGION_STRATEGIES
        style: Any = {"color": _colour(curves.strategies, name), "linestyle": "--" if dashed else "-"}
        if banded:
            draw_curve(axes, curves.seconds, estimates, band=True, label=name, linewidth=2, **style)
        else:
            axes.plot(curves.seconds, [each.mean for each in estimates], label=name, linewidth=1, **style)
    whole_pool, baseline = float(np.mean(dataset.whole_pool)), max(dataset.baselines.values())
    axes.axhline(whole_pool, color=PALE, linestyle=":", label="whole pool labelled")
    axes.axhline(baseline, color="#ddaa77", linestyle=":", label="best without learning")
    axes.set_xticks(curves.seconds)
    axes.set(title=f"{dataset.dataset}, after {' and '.join(dataset.standard)}", xlabel="a person's seconds")


def saved_figure(result: LabelCostResult) -> Figure:
    """Seconds saved by each strategy with simultaneous intervals, a panel a baseline."""
    baselines = result.baselines
    figure, axes = panels(len(baselines), 1, 7, (0.7 + 0.3 * len(result.strategies)) * len(baselines))
    for axis, baseline in zip(axes[:, 0], baselines, strict=True):
        saved = {name: each.saved for name, each in result.against(baseline).items()}
        draw_estimates(axis, saved, [_colour(result.strategies, name) for name in saved])
        axis.axvline(0, color=GREY, linewidth=1)
        axis.set(xlabel=f"seconds saved against {baseline}, all datasets")
    return figure


def picked_figure(result: LabelCostResult) -> Figure:
    """How often each image had a label by the last round, strategies below each other, along time."""
    height = 0.8 + 0.22 * len(result.strategies)
    figure, axes = panels(len(result.datasets), 1, 8, height * len(result.datasets))
    for axis, dataset, curves in zip(axes[:, 0], result.datasets, result.curves, strict=True):
        shares = np.array(list(dataset.picked.values()), dtype=np.float64)
        shown = heatmap(axis, shares, list(dataset.picked), aspect="auto", interpolation="nearest")
        axis.set_facecolor("#eeeeee")
        every = range(0, len(dataset.frames), max(1, len(dataset.frames) // 15))
        axis.set_xticks(every, [str(dataset.frames[i]) for i in every])
        axis.tick_params(labelsize=7)
        axis.set_title(f"{dataset.dataset}: labelled within {curves.seconds[-1]:g} s")
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
