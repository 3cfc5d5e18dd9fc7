"""Outlines of crystals: the distance of the edge from the centre in each direction."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Shape = Literal["round", "elongated", "lens", "faceted", "two"]

N_ANGLES = 4096
_ANGLES = np.arange(N_ANGLES) * (2.0 * np.pi / N_ANGLES)


@dataclass(frozen=True)
class Outline:
    """A star-shaped outline about a centre.

    Attributes
    ----------
    row, column
        Centre, in nm from the middle of the image.
    orientation
        Angle of the long axis from the columns' axis, in radians.
    reach : float64, shape (N_ANGLES,)
        Distance from the centre to the edge in units of the equivalent radius (that of the circle of equal
        area), by angle from the long axis.
    """

    row: float
    column: float
    orientation: float
    reach: Array

    def depth(self, rows: Array, columns: Array) -> Array:
        """Distance from the centre over distance of the edge, for an equivalent radius of 1 nm.

        Divided by the equivalent radius in nm it is below 1 inside the crystal and 1 on its edge.

        Parameters
        ----------
        rows, columns : float64, shape (H, W)
            Positions in nm from the middle of the image.

        Returns
        -------
        float64, shape (H, W)
            0 at the centre; at the edge, the equivalent radius in nm.
        """
        y, x = rows - self.row, columns - self.column
        return np.hypot(x, y) / around(self.reach, np.arctan2(y, x) - self.orientation)


def around(table: Array, angles: Array) -> Array:
    """Values of a table over the full turn, shape (N_ANGLES,), at any angles in radians."""
    turns = np.mod(angles / (2.0 * np.pi), 1.0)
    return np.interp(turns, np.arange(N_ANGLES + 1) / N_ANGLES, np.append(table, table[0]))


def ellipse(elongation: float) -> Array:
    """Reach of an ellipse of semi-axes sqrt(elongation) and 1/sqrt(elongation)."""
    return 1.0 / np.sqrt(np.cos(_ANGLES) ** 2 / elongation + np.sin(_ANGLES) ** 2 * elongation)


def lens(elongation: float) -> Array:
    """Reach of two equal circular arcs that meet in two points; a circle where `elongation` is 1."""
    radius, offset = (elongation**2 + 1.0) / 2.0, (elongation**2 - 1.0) / 2.0
    arc = np.sqrt(radius**2 - (offset * np.cos(_ANGLES)) ** 2) - offset * np.abs(np.sin(_ANGLES))
    return _unit_area(arc)


def hexagon(elongation: float) -> Array:
    """Reach of a stretched hexagon, the basal habit of ice Ih, its corners a little rounded."""
    normals = np.arange(6) * (np.pi / 3.0) + np.pi / 6.0
    x, y = np.cos(_ANGLES) / np.sqrt(elongation), np.sin(_ANGLES) * np.sqrt(elongation)
    towards = np.maximum(x[:, None] * np.cos(normals) + y[:, None] * np.sin(normals), 0.0)
    return _unit_area(np.sum(towards**24, axis=1) ** (-1.0 / 24.0))


def reach(
    shape: Shape, elongation: float, departure: float, roughness: float, rng: np.random.Generator
) -> Array:
    """Reach of one crystal.

    Parameters
    ----------
    shape
        Habit of the crystal; `two` gives one of two ellipses.
    elongation
        Long over short axis, at least 1.
    departure
        Position between the ellipse (0) and the habit (1).
    roughness
        Relative amplitude of the undulation of the edge, modes 2 to 6.
    rng
        Source of the undulation.

    Returns
    -------
    float64, shape (N_ANGLES,)
        Distance of the edge from the centre in each direction, for an equivalent radius of 1 nm.
    """
    smooth = ellipse(elongation)
    habit = {"lens": lens, "faceted": hexagon}.get(shape, ellipse)(elongation)
    undulation = np.zeros(N_ANGLES)
    for mode in range(2, 7):
        amplitude, phase = rng.standard_normal(), rng.uniform(0.0, 2.0 * np.pi)
        undulation += amplitude / mode * np.cos(mode * _ANGLES + phase)
    return _unit_area(((1.0 - departure) * smooth + departure * habit) * (1.0 + roughness * undulation))


def _unit_area(table: Array) -> Array:
    """Scaled to the area of the unit circle."""
    return table / np.sqrt(np.mean(table**2))
