"""Charts, maps and numbered grids of few-shot classifications."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from icefloe.fewshot.sets import UNSURE
from icefloe.fewshot.source import binned
from icefloe.fewshot.styles import UNSURE_COLOUR, UNSURE_PATTERN, colour, pattern
from icefloe.typing import IGNORE, FloatArray

if TYPE_CHECKING:
    from icefloe.fewshot.grid import Grid
    from icefloe.fewshot.result import ClassCount, Classification
    from icefloe.fewshot.series import Series

_OPACITY = 0.45
_MARKERS = "osD^v<>pP*hX"
_DRAWN_SIDE = 1000
"""Px of the longer side that a picture shows, at least, of a larger image."""

_MOST_NUMBERED = 2500
"""Chips of a grid whose numbers can still be read on a large picture."""


def draw_counts(axes: Axes, result: Classification) -> None:
    """Bars of the counts with their intervals, and their numbers.

    Parameters
    ----------
    axes
        Axes to draw into.
    result
        A classified image.
    """
    positions = range(len(result.classes))
    highest = max(one.count.high for one in result.classes)
    for position, one in zip(positions, result.classes, strict=True):
        axes.bar(position, one.count.mean, **_fill(one))
        axes.errorbar(
            position,
            one.count.mean,
            [[one.count.mean - one.count.low], [one.count.high - one.count.mean]],
            fmt="none",
            ecolor="black",
            capsize=4,
        )
        told = f"{one.count.mean:.0f}\n{one.fraction.mean:.1%}"
        axes.text(position, one.count.high + 0.02 * highest, told, ha="center", va="bottom", fontsize=8)
    names = [_shortened(one.name) for one in result.classes]
    turned = len(names) > 6
    axes.set_xticks(positions, names, rotation=45 if turned else 0, ha="right" if turned else "center")
    axes.set_ylim(0, 1.18 * highest)
    axes.set_ylabel(f"chips of {result.grid.n_chips:,}")
    axes.set_title(
        f"bars: {result.rule.confidence:.0%} intervals over supports and chips, unsure ones in or out",
        fontsize=8,
    )


def draw_fractions(axes: Axes, series: Series) -> None:
    """A line for each class over time or from image to image, its interval as a band, unsure chips dashed.

    Parameters
    ----------
    axes
        Axes to draw into.
    series
        Classified images in order.
    """
    moments = series.times_s or range(1, len(series.images) + 1)
    for position, one in enumerate(series.images[0].classes):
        fractions = [image.classes[position].fraction for image in series.images]
        shade = "#777777" if one.style is None else colour(one.style)
        marker = "x" if one.style is None else _MARKERS[one.style % len(_MARKERS)]
        axes.fill_between(
            moments,
            [f.low for f in fractions],
            [f.high for f in fractions],
            color=shade,
            alpha=0.2,
            linewidth=0,
        )
        axes.plot(
            moments,
            [fraction.mean for fraction in fractions],
            color=shade,
            marker=marker,
            markersize=4,
            linestyle="--" if one.style is None else "-",
            label=_shortened(one.name),
        )
    axes.set(xlabel="time, s" if series.times_s else "image", ylabel="share of chips", ylim=(0, None))
    axes.xaxis.set_major_locator(MaxNLocator(integer=not series.times_s))
    axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.01, 1))


def draw_map(axes: Axes, result: Classification, image: FloatArray) -> None:
    """The image in grey with each chip in its class's colour and pattern; unsure ones hatched.

    Parameters
    ----------
    axes
        Axes to draw into.
    result
        A classified image.
    image : float32, shape (H, W)
        The image.
    """
    grid = result.grid
    draw_image(axes, image)
    outcomes = result.outcomes
    for position, one in enumerate(result.classes):
        fill = _fill(one)
        axes.add_patch(
            PathPatch(
                _outline(grid, np.flatnonzero(outcomes == (IGNORE if one.style is None else position))),
                facecolor=to_rgba(fill["facecolor"], 0.0 if one.style is None else _OPACITY),
                edgecolor=fill["facecolor"],
                hatch=fill["hatch"],
                linewidth=0,
            )
        )
    handles = [
        Patch(label=f"{_shortened(one.name)}, {one.count.mean:.0f}", **_fill(one)) for one in result.classes
    ]
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.01, 1), fontsize=8, handleheight=1.4)


def draw_grid(axes: Axes, grid: Grid, image: FloatArray) -> None:
    """The image with the grid, and chips' numbers where they can be read.

    Parameters
    ----------
    axes
        Axes to draw into.
    grid
        Grid of the image.
    image : float32, shape (H, W)
        The image.
    """
    draw_image(axes, image)
    bottom, right = grid.top + grid.rows * grid.edge, grid.left + grid.columns * grid.edge
    line: dict[str, Any] = {"color": "#ffb000", "linewidth": 0.5}
    axes.hlines(np.arange(grid.top, bottom + 1, grid.edge) - 0.5, grid.left - 0.5, right - 0.5, **line)
    axes.vlines(np.arange(grid.left, right + 1, grid.edge) - 0.5, grid.top - 0.5, bottom - 0.5, **line)
    if grid.n_chips > _MOST_NUMBERED:
        return
    points = 72 * axes.get_window_extent().width / axes.figure.dpi / image.shape[1] * grid.edge
    for chip in range(grid.n_chips):
        top, left = grid.corner(chip)
        axes.text(
            left + 0.06 * grid.edge, top + 0.06 * grid.edge, str(chip),
            color="#ffb000", fontsize=min(9.0, 0.28 * points), va="top",
        )  # fmt: skip


def draw_image(axes: Axes, image: FloatArray) -> None:
    """The image in grey, its darkest and brightest 1 % cut off."""
    binning = max(max(image.shape) // _DRAWN_SIDE, 1)
    drawn = binned(image, binning)
    low, high = np.percentile(drawn, (1, 99))
    height, width = (binning * length for length in drawn.shape)
    extent = (-0.5, width - 0.5, height - 0.5, -0.5)
    axes.imshow(drawn, cmap="gray", vmin=low, vmax=max(high, low + 1e-6), extent=extent)
    axes.set(xlim=(-0.5, image.shape[1] - 0.5), ylim=(image.shape[0] - 0.5, -0.5))
    axes.set_axis_off()


def map_figure(result: Classification, image: FloatArray) -> Figure:
    """`draw_map` in a figure of its own."""
    figure = Figure(figsize=(9, 7), layout="constrained")
    draw_map(figure.subplots(), result, image)
    return figure


def grid_figure(grid: Grid, image: FloatArray) -> Figure:
    """`draw_grid` in a figure large enough for the numbers."""
    side = float(np.clip(0.45 * max(grid.rows, grid.columns), 8, 24))
    figure = Figure(
        figsize=(side * image.shape[1] / max(image.shape), side * image.shape[0] / max(image.shape))
    )
    axes = figure.add_axes((0, 0, 1, 1))
    draw_grid(axes, grid, image)
    return figure


def _outline(grid: Grid, chips: NDArray[np.intp]) -> Path:
    """Squares of chips, shape (n,), as one path: a thousand paths with a hatch each take seconds."""
    rows, columns = np.divmod(chips, grid.columns)
    corner = np.stack([grid.left + columns * grid.edge, grid.top + rows * grid.edge], axis=1) - 0.5
    square = grid.edge * np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]])
    codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY]
    return Path((corner[:, None] + square).reshape(-1, 2), codes * len(chips))


def _fill(one: ClassCount) -> dict[str, Any]:
    if one.name == UNSURE or one.style is None:
        return {"facecolor": UNSURE_COLOUR, "hatch": UNSURE_PATTERN, "edgecolor": "#555555"}
    return {"facecolor": colour(one.style), "hatch": pattern(one.style), "edgecolor": "#333333"}


def _shortened(name: str) -> str:
    return name if len(name) <= 24 else f"{name[:23]}…"
