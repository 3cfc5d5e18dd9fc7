"""Figures of an experiment: series with bands, fronts, outlines over the image, curvature along them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from icefloe.physics.quantity import Quantity, significant
from icefloe.typing import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from icefloe.physics.experiment import ExperimentPhysics

Array = NDArray[np.float64]

ENSEMBLE, MEMBER, RATE = "#1f6fa8", "#8a97a3", "#b5541c"
SHOWN_MOMENTS = 4


def series_figure(experiment: ExperimentPhysics) -> Figure:
    """Panels over time: area, equivalent radius and their rates, phase fraction, perimeter."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 6.4), layout="constrained")
    panels = figure.subplots(2, 3)
    figure.suptitle(
        f"{experiment.name}: bands: ± standard deviation and 95 % interval; thin lines: the members"
    )
    for axes, name in zip(panels[0], ("area", "equivalent_radius", "phase_fraction"), strict=True):
        draw_quantity(axes, experiment, name)
    draw_rate(panels[1, 0], experiment, "area")
    draw_rate(panels[1, 1], experiment, "equivalent_radius")
    draw_quantity(panels[1, 2], experiment, "perimeter")
    return figure


def draw_quantity(axes: Axes, experiment: ExperimentPhysics, name: str) -> None:
    """One quantity over time with its band, and every member's."""
    quantity, times = experiment.quantities[name], experiment.times_s
    low, high = quantity.interval()
    axes.fill_between(times, low, high, color=ENSEMBLE, alpha=0.15, linewidth=0)
    std = quantity.std
    axes.fill_between(
        times, quantity.values - std, quantity.values + std, color=ENSEMBLE, alpha=0.3, linewidth=0
    )
    axes.plot(times, quantity.members.T, color=MEMBER, linewidth=0.7)
    axes.plot(times, quantity.values, "o-", color=ENSEMBLE, markersize=3)
    label = name.replace("_", " ") + (f" ({unit_words(quantity.unit)})" if quantity.unit else "")
    axes.set(xlabel="time (s)", ylabel=label)
    _limit(axes, quantity)


def draw_rate(axes: Axes, experiment: ExperimentPhysics, name: str) -> None:
    """The local rate of a quantity over time with its band, and the overall one as a line."""
    rate, times = experiment.rates[name], experiment.times_s
    low, high = rate.local.interval()
    axes.fill_between(times, low, high, color=RATE, alpha=0.15, linewidth=0)
    std, values = rate.local.std, rate.local.values
    axes.fill_between(times, values - std, values + std, color=RATE, alpha=0.3, linewidth=0)
    axes.plot(times, rate.local.members.T, color=MEMBER, linewidth=0.7)
    axes.plot(times, values, color=RATE)
    axes.axhline(0.0, color="black", linewidth=0.6)
    if np.isfinite(rate.overall.values):
        whole_low, whole_high = rate.overall.interval()
        axes.axhline(float(rate.overall.values), color=RATE, linestyle=":")
        axes.set_title(
            f"overall {significant(float(rate.overall.values))} "
            f"({significant(float(whole_low))} to {significant(float(whole_high))})",
            fontsize=9,
        )
    axes.set(xlabel="time (s)", ylabel=f"rate of the {name.replace('_', ' ')} ({unit_words(rate.unit)})")


def fronts_figure(experiment: ExperimentPhysics) -> Figure:
    """Front by direction at some moments, over all moments, and its speed over all moments."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14, 4), layout="constrained")
    grid = figure.add_gridspec(1, 3)
    unit = experiment.length_unit
    # Directions run clockwise, as rows run downwards in an image.
    _draw_polar(figure.add_subplot(grid[0], projection="polar", theta_direction=-1), experiment)
    front, speed = experiment.front.values, experiment.rates["front"].local.values
    known = np.abs(speed[np.isfinite(speed)])
    fastest = float(np.percentile(known, 98)) if known.size else 1.0
    for axes, values, label, colours, limits in (
        (figure.add_subplot(grid[1]), front, f"front ({unit})", "viridis", (None, None)),
        (figure.add_subplot(grid[2]), speed, f"front speed ({unit}/s)", "RdBu", (-fastest, fastest)),
    ):
        mappable = axes.pcolormesh(
            np.rad2deg(experiment.angles_rad),
            experiment.times_s,
            np.ma.masked_invalid(values),
            cmap=colours,
            shading="nearest",
            vmin=limits[0],
            vmax=limits[1],
        )
        figure.colorbar(mappable, ax=axes, label=label)
        axes.invert_yaxis()
        axes.set(xlabel="direction (degrees from right, clockwise)", ylabel="time (s)")
    return figure


def _draw_polar(axes: Axes, experiment: ExperimentPhysics) -> None:
    from matplotlib import colormaps

    low, high = experiment.front.interval()
    angles = np.append(experiment.angles_rad, 2.0 * np.pi)
    moments = _moments(experiment, SHOWN_MOMENTS)
    for index in moments:
        colour = colormaps["viridis"](_share(experiment, index))
        front, inner, outer = (
            np.append(values[index], values[index, :1]) for values in (experiment.front.values, low, high)
        )
        axes.fill_between(angles, inner, outer, color=colour, alpha=0.2, linewidth=0)
        axes.plot(angles, front, color=colour, label=f"{experiment.times_s[index]:g} s")
    axes.set_title(f"front from the centre of mass ({experiment.length_unit})", fontsize=9)
    if moments:
        axes.set_ylim(0.0, 1.3 * float(np.nanmax(experiment.front.values, initial=1e-9)))
        axes.legend(fontsize=7, loc="lower left", bbox_to_anchor=(-0.25, -0.1))


def outlines_figure(experiment: ExperimentPhysics, image: FloatArray) -> Figure:
    """All outlines coloured by time over one image, one coloured by curvature, curvature by arc length.

    Parameters
    ----------
    experiment
        Experiment whose outlines are drawn.
    image : float32, shape (H, W)
        Drawn below them, such as the experiment's first.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14, 4.2), layout="constrained")
    over, curved, along = figure.subplots(1, 3)
    height, width = np.broadcast_to(experiment.pixel_size_nm or 1.0, 2)
    extent = (-0.5 * width, (image.shape[1] - 0.5) * width, (image.shape[0] - 0.5) * height, -0.5 * height)
    low, high = np.percentile(image, (1, 99))
    for axes in (over, curved):
        axes.imshow(image, cmap="gray", vmin=low, vmax=max(high, low + 1e-6), extent=extent)
        axes.set(xlabel=experiment.length_unit)
    _draw_all(over, experiment)
    moments = _moments(experiment, 3)
    if moments:
        _draw_curved(curved, experiment, moments[0])
    for index in moments:
        _draw_along(along, experiment, index)
    unit = experiment.length_unit
    along.axhline(0.0, color="black", linewidth=0.6)
    along.set(xlabel=f"arc length ({unit})", ylabel=f"curvature (1/{unit})")
    along.set_title("of the largest crystal, ± std over members", fontsize=9)
    if moments:
        along.legend(fontsize=8)
    return figure


def _draw_all(axes: Axes, experiment: ExperimentPhysics) -> None:
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    for index, image in enumerate(experiment.images):
        for boundary in image.ensemble.boundaries:
            points = np.vstack([boundary.points_nm, boundary.points_nm[:1]])
            colour = colormaps["viridis"](_share(experiment, index))
            axes.plot(points[:, 1], points[:, 0], color=colour, linewidth=0.9)
    times = experiment.times_s
    mapping = ScalarMappable(Normalize(times[0], max(times[-1], times[0] + 1e-9)), "viridis")
    axes.figure.colorbar(mapping, ax=axes, label="time (s)")
    axes.set_title("outlines over time", fontsize=9)


def _draw_curved(axes: Axes, experiment: ExperimentPhysics, index: int) -> None:
    boundaries = experiment.images[index].ensemble.boundaries
    points = np.concatenate([boundary.points_nm for boundary in boundaries])
    curvature = np.concatenate([boundary.curvature_per_nm for boundary in boundaries])
    limit = float(np.nanmax(np.abs(curvature), initial=1e-9))
    mappable = axes.scatter(
        points[:, 1], points[:, 0], c=curvature, s=4, cmap="coolwarm", vmin=-limit, vmax=limit
    )
    axes.figure.colorbar(mappable, ax=axes, label=f"curvature (1/{experiment.length_unit})")
    axes.set_title(f"curvature at {experiment.times_s[index]:g} s", fontsize=9)


def _draw_along(axes: Axes, experiment: ExperimentPhysics, index: int) -> None:
    from matplotlib import colormaps

    image = experiment.images[index]
    boundary, std = image.ensemble.boundaries[0], image.curvature_std[0]
    colour = colormaps["viridis"](_share(experiment, index))
    low, high = boundary.curvature_per_nm - std, boundary.curvature_per_nm + std
    axes.fill_between(boundary.arc_length_nm, low, high, color=colour, alpha=0.25, linewidth=0)
    axes.plot(
        boundary.arc_length_nm,
        boundary.curvature_per_nm,
        color=colour,
        label=f"{experiment.times_s[index]:g} s",
    )


def _moments(experiment: ExperimentPhysics, n: int) -> Sequence[int]:
    """At most `n` images with an outline, evenly spread."""
    known = [index for index, image in enumerate(experiment.images) if image.ensemble.boundaries]
    indices = np.unique(np.linspace(0, max(len(known) - 1, 0), min(n, len(known))).round().astype(int))
    return [known[position] for position in indices]


def _share(experiment: ExperimentPhysics, index: int) -> float:
    return index / max(len(experiment.images) - 1, 1)


def unit_words(unit: str) -> str:
    """A unit for display: `nm2_per_s` is nm²/s, `per_nm` 1/nm."""
    over, _, under = unit.rpartition("per_")
    over = over.rstrip("_").replace("2", "²")
    return f"{over or 1}/{under}" if unit != under else under.replace("2", "²")


def _limit(axes: Axes, quantity: Quantity) -> None:
    """Limit the axis to the measured values if a band is much wider than they are."""
    known = np.concatenate([quantity.values.ravel(), quantity.members.ravel()])
    known = known[np.isfinite(known)]
    if known.size and quantity.limits[0] == 0.0:
        axes.set_ylim(0.0, 1.3 * max(float(known.max()), 1e-9))
