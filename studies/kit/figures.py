"""One look for the figures of all studies."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

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


def draw_estimate(axes: Axes, row: float, estimate: Interval, colour: str) -> None:
    """A dot and its interval in a row of its own; without an interval the dot alone."""
    if estimate.is_bounded:
        axes.plot([estimate.low, estimate.high], [row, row], color=colour, linewidth=2)
    axes.plot([estimate.mean], [row], "o", color=colour)


def error_bars(estimates: Iterable[Interval]) -> NDArray[np.float64]:
    """Distances from the means to the ends of their intervals, shape (2, n); 0 where there is none."""
    distances = [(e.mean - e.low, e.high - e.mean) if e.is_bounded else (0.0, 0.0) for e in estimates]
    return np.abs(np.array(distances, dtype=np.float64)).T
