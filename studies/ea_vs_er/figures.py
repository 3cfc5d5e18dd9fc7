"""Scores with intervals, retraining, calibration and diversity as figures."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from icefloe.scoring.diversity import ErrorCounts
from studies.ea_vs_er.design import EA
from studies.ea_vs_er.published import published
from studies.ea_vs_er.results import FamilyScores

SHOWN = {"iou": "IoU", "pca": "pCA", "brier": "Brier", "uq": "UQ"}
PAPER: dict[str, Any] = {
    "marker": "D",
    "markerfacecolor": "none",
    "markeredgecolor": "0.4",
    "linestyle": "none",
    "markersize": 5,
}


def scores_figure(first: Mapping[str, FamilyScores], who: Sequence[str], tests: Sequence[str]) -> Figure:
    """Scores of T1 on every test set, with intervals over seeds; the paper's as open diamonds."""
    figure = Figure(figsize=(2.6 * len(tests) + 1, 2.0 * len(SHOWN)), layout="constrained")
    grid = figure.subplots(len(SHOWN), len(tests), squeeze=False, sharey="row")
    for row, (metric, label) in zip(grid, SHOWN.items(), strict=True):
        for place, (axis, test) in enumerate(zip(row, tests, strict=True)):
            for position, name in enumerate(who):
                _point(axis, position, first[name], test, metric, "C3" if name == EA else "C0")
                _published(axis, position, "EA-T1" if name == EA else name, place, metric)
            axis.set_xticks(
                range(len(who)), [name.replace(" ", "\n").replace("-", "-\n") for name in who], fontsize=6
            )
            axis.set_xlim(-0.5, len(who) - 0.5)
            axis.grid(axis="y", alpha=0.3)
        row[0].set_ylabel(label)
    for axis, test in zip(grid[0], tests, strict=True):
        axis.set_title(test)
    return figure


def versions_figure(ea: Sequence[FamilyScores], tests: Sequence[str]) -> Figure:
    """How the EA's scores go over its versions; the paper's as open diamonds."""
    metrics = {name: SHOWN[name] for name in ("iou", "pca", "uq")}
    figure = Figure(figsize=(2.6 * len(tests) + 1, 2.0 * len(metrics)), layout="constrained")
    grid = figure.subplots(len(metrics), len(tests), squeeze=False, sharey="row")
    for row, (metric, label) in zip(grid, metrics.items(), strict=True):
        for place, (axis, test) in enumerate(zip(row, tests, strict=True)):
            means = [family.estimate(test, metric).mean for family in ea]
            axis.plot(range(len(ea)), means, color="C3", alpha=0.5)
            for position, family in enumerate(ea):
                _point(axis, position, family, test, metric, "C3")
                _published(axis, position, f"EA-T{position + 1}", place, metric)
            if place:  # its labels joined between these versions
                axis.axvline(place - 0.5, color="0.7", linestyle=":")
            axis.set_xticks(range(len(ea)), [f"T{position + 1}" for position in range(len(ea))])
            axis.grid(axis="y", alpha=0.3)
        row[0].set_ylabel(label)
    for axis, test in zip(grid[0], tests, strict=True):
        axis.set_title(test)
    return figure


def calibration_figure(first: Mapping[str, FamilyScores], who: Sequence[str], tests: Sequence[str]) -> Figure:
    """Reliability above, the paper's accuracy by predicted probability (its figure 5) below."""
    figure = Figure(figsize=(2.8 * len(tests) + 1, 5.6), layout="constrained")
    grid = figure.subplots(2, len(tests), squeeze=False, sharex=True, sharey="row")
    for column, test in enumerate(tests):
        reliability, accuracy = grid[:, column]
        reliability.plot([0, 1], [0, 1], color="0.6", linewidth=1, linestyle="--")
        for name, style in zip(who, cycle("os^vPX"), strict=False):
            colour = {"color": "C3", "zorder": 3} if name == EA else {"alpha": 0.8}
            for axis, bins in (
                (reliability, first[name].calibration(test)),
                (accuracy, first[name].accuracy(test)),
            ):
                frequency, predicted = bins.curve()
                axis.plot(predicted, frequency, marker=style, markersize=4, label=name, **colour)
        reliability.set_title(test)
        accuracy.set_xlabel("predicted probability")
    grid[0, 0].set_ylabel("observed frequency")
    grid[1, 0].set_ylabel("accuracy")
    grid[0, 0].legend(fontsize=7)
    return figure


def diversity_figure(errors: Mapping[str, ErrorCounts], networks: Sequence[str]) -> Figure:
    """Disagreement (above) and correlation of errors (below) of every pair, a column a test set."""
    figure = Figure(figsize=(3.2 * len(errors) + 1, 6.4), layout="constrained")
    grid = figure.subplots(2, len(errors), squeeze=False)
    off_diagonal = ~np.eye(len(networks), dtype=bool)
    most = max(float(counts.disagreement.max()) for counts in errors.values())
    rows = (("disagreement", 0.0, most), ("error_correlation", 0.0, 1.0))
    for row, (measure, low, high) in zip(grid, rows, strict=True):
        for axis, (test, counts) in zip(row, errors.items(), strict=True):
            matrix = np.where(off_diagonal, getattr(counts, measure), np.nan)
            shown = axis.imshow(matrix, vmin=low, vmax=high, cmap="viridis")
            axis.set_xticks([])
            axis.set_yticks(range(len(networks)), networks if test == next(iter(errors)) else [], fontsize=6)
            axis.set_title(test if measure == "disagreement" else "")
        figure.colorbar(shown, ax=row, shrink=0.7, label=measure.replace("_", " "))
    return figure


def _point(axis: Axes, position: int, family: FamilyScores, test: str, metric: str, colour: str) -> None:
    estimate = family.estimate(test, metric)
    singles = [scored.tests[test].pooled[metric] for scored in family.all]
    axis.plot([position] * len(singles), singles, ".", color=colour, alpha=0.35, markersize=4)
    half = 0.0 if estimate.n < 2 else estimate.high - estimate.mean
    axis.errorbar(position, estimate.mean, half, marker="o", color=colour, capsize=3, markersize=4)


def _published(axis: Axes, position: int, who: str, place: int, metric: str) -> None:
    theirs = published(who, place)
    if theirs is not None and hasattr(theirs, metric):
        axis.plot(position + 0.2, getattr(theirs, metric), **PAPER)
