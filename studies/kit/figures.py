"""One look for the figures of all studies."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import ArrayLike, NDArray

from icefloe.statistics.interval import Interval

PALETTE = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377")
"""Told apart with any colour vision (Tol's bright scheme)."""

SHADES = ("#bbccee", "#77aadd", "#4477aa", "#222255")
"""One quantity that grows, light to dark."""

BLACK, GREY, PALE, EMPHASIS = "#000000", "#888888", "#bbbbbb", PALETTE[1]

STYLE: Any = {
    "axes.prop_cycle": cycler(color=PALETTE),
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "grid.alpha": 0.3,
    "lines.markersize": 4,
}
"""Matplotlib settings in which every figure is drawn."""


def panels(rows: int, columns: int, width: float, height: float, **options: Any) -> tuple[Figure, Any]:
    """A figure of `width` x `height` inches and its axes, shape (rows, columns); options as of `subplots`."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def reference_line(axes: Axes, level: float, **options: Any) -> None:
    """A dashed line across at a level that something is compared with."""
    axes.axhline(level, **{"color": GREY, "linestyle": "--", "linewidth": 1, **options})


def diagonal(axes: Axes, low: float = 0.0, high: float = 1.0) -> None:
    """Where both axes agree."""
    axes.plot([low, high], [low, high], color=GREY, linewidth=1, linestyle="--")


def draw_estimates(axes: Axes, estimates: Mapping[str, Interval], colours: Sequence[str] = PALETTE) -> None:
    """Named dots with their intervals, from top to bottom; without an interval the dot alone."""
    for row, estimate in enumerate(estimates.values()):
        bar = error_bars([estimate])
        colour = colours[row % len(colours)]
        axes.errorbar(estimate.mean, row, xerr=bar, marker="o", markersize=6, color=colour, elinewidth=2)
    axes.set_yticks(range(len(estimates)), list(estimates))
    axes.set_ylim(len(estimates) - 0.5, -0.5)


def draw_curve(
    axes: Axes, x: ArrayLike, estimates: Sequence[Interval], *, band: bool = False, **style: Any
) -> None:
    """Means joined by lines, their intervals as bars, or as a band where there are any."""
    means = np.array([estimate.mean for estimate in estimates])
    if not band:
        axes.errorbar(x, means, error_bars(estimates), **style)
        return
    (line,) = axes.plot(x, means, **style)
    if all(estimate.is_bounded for estimate in estimates):
        low, high = [each.low for each in estimates], [each.high for each in estimates]
        axes.fill_between(x, low, high, color=line.get_color(), alpha=0.15, linewidth=0)


def error_bars(estimates: Iterable[Interval]) -> NDArray[np.float64]:
    """Distances from the means to the ends of their intervals, shape (2, n); 0 where there is none."""
    distances = [(e.mean - e.low, e.high - e.mean) if e.is_bounded else (0.0, 0.0) for e in estimates]
    return np.abs(np.array(distances, dtype=np.float64)).T


def heatmap(axes: Axes, values: ArrayLike, rows: Sequence[str], **options: Any) -> AxesImage:
    """Numbers from 0 to 1, shape (rows, columns), as colours, NaN as none; options as of `imshow`."""
    image = axes.imshow(
        np.asarray(values, dtype=np.float64), **{"cmap": "Blues", "vmin": 0, "vmax": 1, **options}
    )
    axes.set_yticks(range(len(rows)), rows)
    return image
