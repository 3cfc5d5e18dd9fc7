"""Overview of a recording: some composites, brightness over time, and drift."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import tifffile

from icefloe.acquisition.composite_folder import CompositeFolder, Row
from icefloe.acquisition.stack import StackReport
from icefloe.files import write_bytes_atomic
from icefloe.report.figures import png

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_SHOWN = 10
_COLUMNS = 5


def write_overview(folder: CompositeFolder, report: StackReport) -> None:
    """Write `<recording>.png` into the folder, if there is a composite."""
    if report.rows:
        picture = png(overview(folder, report), dpi=110)
        write_bytes_atomic(folder.path / f"{report.rows[0]['recording']}.png", picture)


def overview(folder: CompositeFolder, report: StackReport) -> Figure:
    """Up to ten composites evenly over time; below, brightness and, where it was followed, drift."""
    from matplotlib.figure import Figure

    chosen = np.unique(np.linspace(0, len(report.rows) - 1, MOST_SHOWN).round().astype(int))
    rows = [report.rows[index] for index in chosen]
    n_rows = -(-len(rows) // _COLUMNS)
    figure = Figure(figsize=(2.1 * _COLUMNS, 2.3 * n_rows + 2.6), layout="constrained")
    pictures, curves = figure.subfigures(2, 1, squeeze=False, height_ratios=(2.3 * n_rows, 2.6))[:, 0]
    for axis in pictures.subplots(n_rows, _COLUMNS, squeeze=False).flat:
        axis.set_axis_off()
    for axis, row in zip(pictures.axes, rows, strict=False):
        _show(axis, folder, row)
    brightness, *drift = curves.subplots(1, 2 if report.is_aligned else 1, squeeze=False)[0]
    _draw_brightness(brightness, report)
    if drift:
        _draw_drift(drift[0], report)
    return figure


def _show(axis: Axes, folder: CompositeFolder, row: Row) -> None:
    image = tifffile.imread(folder.image_path(row))
    low, high = np.percentile(image, (1, 99))
    axis.imshow(image, cmap="gray", vmin=low, vmax=max(high, low + 1e-6))
    when = f"{float(row['start_s']):.0f} s, " if row["start_s"] else ""
    axis.set_title(f"{row['composite']}: {when}{row['n_frames']} frames", fontsize=7)


def _draw_brightness(axis: Axes, report: StackReport) -> None:
    axis.plot(_times(report), [float(row["mean"]) for row in report.rows], ".-", color="#4060a0")
    axis.set_xlabel(_time_label(report))
    axis.set_ylabel("mean intensity")


def _draw_drift(axis: Axes, report: StackReport) -> None:
    scale, unit = (report.pixel_size_nm, "nm") if report.pixel_size_nm else (1.0, "px")
    for name, column, colour in (
        ("rows", "drift_row_px", "#1f7a8c"),
        ("columns", "drift_column_px", "#c0561f"),
    ):
        drift = [scale * float(row[column]) for row in report.rows]
        axis.plot(_times(report), drift, ".-", color=colour, label=name)
    axis.axhline(0, color="0.8", linewidth=0.8, zorder=0)
    axis.set_xlabel(_time_label(report))
    axis.set_ylabel(f"drift in {unit}")
    axis.legend(fontsize=7)


def _times(report: StackReport) -> list[float]:
    return [float(row["start_s"] or row["composite"]) for row in report.rows]


def _time_label(report: StackReport) -> str:
    return "time in s" if report.rows[0]["start_s"] else "composite"
