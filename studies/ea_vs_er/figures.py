"""Scores with intervals, retraining, calibration, diversity and single images as figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from icefloe.report.figures import SegmentedImage, draw_outlines
from icefloe.typing import FloatArray
from studies.ea_vs_er.published import published
from studies.ea_vs_er.scoring import FamilyScores, GridPredictions
from studies.kit.figures import EMPHASIS, PALETTE, diagonal, draw_curve, heatmap, panels

if TYPE_CHECKING:
    from studies.ea_vs_er.result import EaVsErResult

SHOWN = {"iou": "IoU", "pca": "pCA", "brier": "Brier", "uq": "UQ"}
OVER_VERSIONS = ("iou", "pca", "uq")
PAPER: dict[str, Any] = {
    "marker": "D",
    "markerfacecolor": "none",
    "markeredgecolor": "0.4",
    "linestyle": "none",
    "markersize": 5,
}


def scores_figure(result: EaVsErResult) -> Figure:
    """Scores of T1 on every test set, with intervals over seeds; the paper's as open diamonds."""
    return _by_test(result, list(SHOWN), result.compared)[0]


def versions_figure(result: EaVsErResult) -> Figure:
    """How the EA's scores go over its versions; the paper's as open diamonds."""
    figure, grid = _by_test(result, OVER_VERSIONS, result.versions)
    for row, metric in zip(grid, OVER_VERSIONS, strict=True):
        for test_index, (axis, test) in enumerate(zip(row, result.test_names, strict=True)):
            means = [result.score(name, test, metric).interval.mean for name in result.versions]
            axis.plot(range(len(means)), means, color=EMPHASIS, alpha=0.5)
            if test_index:  # its labels joined between these versions
                axis.axvline(test_index - 0.5, color="0.7", linestyle=":")
    return figure


def _by_test(result: EaVsErResult, metrics: Sequence[str], names: Sequence[str]) -> tuple[Figure, Any]:
    """A row a metric, a column a test set."""
    tests = result.test_names
    figure, grid = panels(len(metrics), len(tests), 2.6 * len(tests) + 1, 2.0 * len(metrics), sharey="row")
    for row, metric in zip(grid, metrics, strict=True):
        row[0].set_ylabel(SHOWN[metric])
        for test_index, axis in enumerate(row):
            draw_scores(axis, result, test_index, metric, names)
    for axis, test in zip(grid[0], tests, strict=True):
        axis.set_title(test)
    return figure, grid


def draw_scores(axes: Axes, result: EaVsErResult, test_index: int, metric: str, names: Sequence[str]) -> None:
    """One panel of it: each ensemble, their mean with its interval, and the paper's value beside."""
    for position, name in enumerate(names):
        score = result.score(name, result.test_names[test_index], metric)
        colour = EMPHASIS if name.startswith("EA-") else PALETTE[0]
        single = score.single or score.per_seed
        axes.plot([position - 0.12] * len(single), single, ".", color=colour, alpha=0.35)
        draw_curve(axes, [position], [score.interval], marker="o", color=colour, capsize=3)
        paper = published(name, test_index)
        if paper is not None and hasattr(paper, metric):
            axes.plot(position + 0.2, getattr(paper, metric), **PAPER)
    labels = [name.replace(" ", "\n").replace("-", "-\n") for name in names]
    axes.set_xticks(range(len(names)), labels, fontsize=6)
    axes.set_xlim(-0.5, len(names) - 0.5)
    axes.grid(axis="y")


def calibration_figure(result: EaVsErResult) -> Figure:
    """Reliability above, the paper's accuracy by predicted probability (its figure 5) below."""
    tests = result.test_names
    figure, grid = panels(2, len(tests), 2.8 * len(tests) + 1, 5.6, sharex=True, sharey="row")
    colours = (EMPHASIS, *(colour for colour in PALETTE if colour != EMPHASIS))
    for column, test in zip(grid.T, tests, strict=True):
        diagonal(column[0])
        curves = [row for row in result.reliability if row.test == test]
        for row, marker, colour in zip(curves, cycle("os^vPX"), cycle(colours), strict=False):
            for axis, bins in zip(column, (row.calibration, row.accuracy), strict=True):
                axis.plot(bins.predicted, bins.frequency, marker=marker, color=colour, label=row.ensemble)
        column[0].set_title(test)
        column[1].set_xlabel("predicted probability")
    grid[0, 0].set_ylabel("observed frequency")
    grid[1, 0].set_ylabel("accuracy")
    grid[0, 0].legend(fontsize=7)
    return figure


def diversity_figure(result: EaVsErResult) -> Figure:
    """Disagreement (above) and correlation of errors (below) of every pair, a column a test set."""
    matrices = result.pair_matrices
    figure, grid = panels(2, len(matrices), 3.2 * len(matrices) + 1, 6.4)
    names = [n.network for n in result.networks if n.version == result.networks[0].version]
    highest = {"disagreement": np.max([m.disagreement for m in matrices]), "error_correlation": 1.0}
    for axes, (measure, most) in zip(grid, highest.items(), strict=True):
        for axis, matrix in zip(axes, matrices, strict=True):
            values = np.array(getattr(matrix, measure), dtype=np.float64)
            np.fill_diagonal(values, np.nan)
            shown = heatmap(axis, values, names, vmax=most, cmap="viridis")
            axis.set(xticks=[], title=matrix.test if axes is grid[0] else "")
            axis.tick_params("y", labelsize=6, labelleft=axis is axes[0])
        figure.colorbar(shown, ax=axes, shrink=0.7, label=measure.replace("_", " "))
    return figure


@dataclass(frozen=True, eq=False)
class Example:
    """One image: the EA's outlines, and every ensemble's standard deviation over members, shape (h, w)."""

    outlined: SegmentedImage
    deviations: dict[str, FloatArray]

    @classmethod
    def of(cls, predictions: GridPredictions, families: Mapping[str, FamilyScores]) -> Example:
        """The image in the middle of a test set, by the first ensemble of each family, the EA's first."""
        images, index = predictions.images, len(predictions.images.samples) // 2
        segmented = {
            name: scores.all[0].fitted.segment(predictions.members(scores.all[0].networks, index))
            for name, scores in families.items()
        }
        first, (_, std, mask) = next(iter(segmented.items()))
        image = images.squares[index][images.geometries[index].window]
        title = f"{images.samples[index].key}: {first}"
        outlined = SegmentedImage(title, image, mask, std, images.references[index])
        return cls(outlined, {name: deviation for name, (_, deviation, _) in segmented.items()})


def maps_figure(examples: Mapping[str, Example]) -> Figure:
    """A row a test set: outlines of the EA's mask and the reference, then everyone's uncertainty."""
    ensembles = list(next(iter(examples.values())).deviations)
    width = 2.3 * (len(ensembles) + 1) + 1
    figure, axes = panels(len(examples), len(ensembles) + 1, width, 2.5 * len(examples))
    deviations = [deviation for example in examples.values() for deviation in example.deviations.values()]
    highest = max(float(np.percentile(deviation, 99.5)) for deviation in deviations)
    for row, example in zip(axes, examples.values(), strict=True):
        draw_outlines(row[0], example.outlined)
        for axis, (name, deviation) in zip(row[1:], example.deviations.items(), strict=True):
            axis.imshow(deviation, cmap="magma", vmin=0, vmax=highest)
            axis.set_title(f"{name}, UQ {deviation.mean():.4f}", fontsize=8)
            axis.set_axis_off()
    scale = ScalarMappable(Normalize(0, highest), "magma")
    figure.colorbar(scale, ax=axes, shrink=0.5, label="standard deviation over members")
    return figure
