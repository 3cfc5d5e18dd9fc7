"""The study's figures."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from icefloe.evaluation.evaluate import Evaluation
from icefloe.report.figures import Segmented, draw_outlines
from icefloe.scoring.selective import RiskCoverage
from studies.uncertainty.coverage import OURS, CoverageRow, Verification

N_POINTS = 1000


def calibration_figure(evaluation: Evaluation) -> Figure:
    """Reliability of every dataset at temperature 1 and at the ensemble's."""
    figure = Figure(figsize=(8.6, 4), layout="constrained")
    before, after = figure.subplots(1, 2, sharey=True)
    for axis, title, curve, ece in (
        (before, "temperature 1", "uncalibrated", "ece_uncalibrated"),
        (after, f"temperature {evaluation.temperature:.2f}", "calibration", "ece"),
    ):
        axis.plot([0, 1], [0, 1], color="0.6", linewidth=1, linestyle="--")
        for name, scores in evaluation.datasets.items():
            bins = getattr(scores, curve)
            label = f"{name} (ECE {getattr(scores, ece):.4f})"
            axis.plot(bins.predicted, bins.frequency, marker="o", markersize=3, label=label)
        axis.set(title=title, xlabel="predicted probability")
        axis.legend(frameon=False, fontsize=8)
    before.set_ylabel("observed frequency")
    return figure


def coverage_figure(rows: Sequence[CoverageRow]) -> Figure:
    """Coverage against its stated level, and width, of every way to an interval."""
    figure = Figure(figsize=(9.6, 4), layout="constrained")
    covered, wide = figure.subplots(1, 2)
    methods = list(dict.fromkeys(row.method for row in rows))
    levels = sorted({row.level for row in rows})
    covered.plot(levels, levels, color="0.6", linewidth=1, linestyle="--")
    for position, method in enumerate(methods):
        own = sorted((row for row in rows if row.method == method), key=lambda row: row.level)
        shift = 0.002 * (position - len(methods) / 2)
        covered.errorbar(
            [row.level + shift for row in own],
            [row.coverage for row in own],
            yerr=np.abs(
                [[row.coverage - row.lowest for row in own], [row.highest - row.coverage for row in own]]
            ),
            marker="o",
            markersize=4,
            label=method,
        )
        wide.plot(levels, [100 * row.width for row in own], marker="o", markersize=4)
    covered.set(xlabel="stated coverage", ylabel="coverage on other experiments")
    covered.legend(frameon=False, fontsize=7)
    wide.set(xlabel="stated coverage", ylabel="mean width, % of the image")
    return figure


def few_figure(rows: Sequence[CoverageRow], level: float) -> Figure:
    """How coverage and width of our intervals come down as more experiments are calibrated on."""
    figure = Figure(figsize=(8.6, 3.4), layout="constrained")
    covered, wide = figure.subplots(1, 2)
    own = sorted((row for row in rows if row.level == level), key=lambda row: row.n_calibration)
    n = [row.n_calibration for row in own]
    covered.fill_between(n, [row.lowest for row in own], [row.highest for row in own], alpha=0.3)
    covered.plot(n, [row.coverage for row in own], marker="o", markersize=4, label=OURS.name)
    covered.axhline(level, color="0.6", linewidth=1, linestyle="--")
    covered.set_ylabel(f"coverage, stated {level:.0%}")
    wide.plot(n, [100 * row.width for row in own], marker="o", markersize=4)
    wide.set(yscale="log", ylabel="mean width, % of the image")
    for axis in (covered, wide):
        axis.set(xscale="log", xlabel="experiments calibrated on")
        axis.set_xticks(n, [str(number) for number in n])
        axis.set_xticks([], minor=True)
    return figure


def shift_figure(rows: Sequence[Verification], level: float) -> Figure:
    """Coverage on experiments of other kinds than those calibrated on."""
    figure = Figure(figsize=(7, 0.9 + 0.3 * len(rows)), layout="constrained")
    axis = figure.subplots()
    for place, row in enumerate(rows):
        if row.coverage.n > 1:
            axis.plot([row.coverage.low, row.coverage.high], [place, place], color="C0", linewidth=2)
        axis.plot(row.coverage.mean, place, "o", color="C0")
    axis.axvline(level, color="0.6", linewidth=1, linestyle="--")
    axis.set_yticks(range(len(rows)), [f"{r.where} ({r.n_images} images)" for r in rows])
    axis.set(xlabel=f"images covered by their {level:.0%} interval", xlim=(-0.02, 1.02))
    axis.invert_yaxis()
    return figure


def risk_figure(pixels: Mapping[str, RiskCoverage], images: Mapping[str, RiskCoverage]) -> Figure:
    """Risk against coverage for every score, between chance and the oracle."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    of_pixels, of_images = figure.subplots(1, 2)
    _draw_risk(of_pixels, pixels, "wrong ones among the pixels kept")
    _draw_risk(of_images, images, "1 - Dice of the images kept")
    # Nearly all pixels are easy: what there is to see is at the end.
    of_pixels.set(yscale="log", xlim=(0.7, 1.0), ylim=(1e-5, None))
    return figure


def _draw_risk(axis: Axes, curves: Mapping[str, RiskCoverage], risk: str) -> None:
    first = next(iter(curves.values()))
    at = np.unique(np.linspace(0, len(first.risk) - 1, N_POINTS).astype(int))
    for name, curve in curves.items():
        axis.plot(curve.coverage[at], curve.risk[at], linewidth=1.2, label=name)
    axis.plot(first.coverage[at], first.oracle[at], color="0.3", linestyle=":", label="oracle")
    axis.axhline(first.random, color="0.6", linestyle="--", linewidth=1, label="random")
    axis.set(xlabel="share kept", ylabel=risk)
    axis.legend(frameon=False, fontsize=7)


def examples_figure(items: Sequence[Segmented]) -> Figure:
    """Images with prediction, reference, and what is abstained from."""
    figure = Figure(figsize=(2.6 * len(items), 2.9), layout="constrained")
    for axis, item in zip(figure.subplots(1, len(items), squeeze=False)[0], items, strict=True):
        draw_outlines(axis, item)
    return figure
