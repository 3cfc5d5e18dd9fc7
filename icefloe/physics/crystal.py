"""Area, centre of mass, front positions and outlines of the ice in one map."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from icefloe.physics.arrays import Array
from icefloe.physics.curvature import Boundary, perimeter, smoothed_boundary
from icefloe.physics.outlines import Outline, PixelSize, find_outlines

N_LINES = 72


@dataclass(frozen=True, eq=False)
class Crystal:
    """Measurements of the ice in one map; lengths in px if the pixel size was given as 1.

    Attributes
    ----------
    area_nm2
        Area of all ice without its holes, in nm^2; 0 without ice.
    centre_nm
        Row and column of the centre of mass, from the centre of the first pixel; NaN without ice.
    perimeter_nm
        Length of all outlines, of holes too; the image's edge counts where it cuts the ice.
    boundaries
        Outlines of crystals, largest first, without holes and those shorter than 30 px.
    angles_rad : float64, shape (N,)
        Directions of the radial lines, from the columns' axis towards the rows' axis.
    front_nm : float64, shape (N,)
        Distance from the lines' origin to the outermost front along each; NaN where a line meets no ice, or
        the ice extends beyond the image.
    n_crystals
        Separate pieces of ice.
    cut
        Whether ice extends beyond the image: area and perimeter are then of the visible part.
    """

    area_nm2: float
    centre_nm: tuple[float, float]
    perimeter_nm: float
    boundaries: tuple[Boundary, ...]
    angles_rad: Array
    front_nm: Array
    n_crystals: int
    cut: bool

    @property
    def equivalent_radius_nm(self) -> float:
        """Radius of the circle of equal area."""
        return float(np.sqrt(self.area_nm2 / np.pi))

    @property
    def mean_front_nm(self) -> float:
        """Mean of the front positions that are known; NaN where none is."""
        known = self.front_nm[np.isfinite(self.front_nm)]
        return float(known.mean()) if known.size else np.nan

    @property
    def mean_curvature_per_nm(self) -> float:
        """Mean over arc length: 2 pi over the perimeter for one whole crystal. NaN without a boundary."""
        turn = sum(boundary.turn_and_length[0] for boundary in self.boundaries)
        length = sum(boundary.turn_and_length[1] for boundary in self.boundaries)
        return turn / length if length else np.nan

    @property
    def curvature_range_per_nm(self) -> tuple[float, float]:
        """Lowest and highest curvature; NaN without a boundary."""
        values = np.concatenate([b.curvature_per_nm for b in self.boundaries] or [np.empty(0)])
        values = values[np.isfinite(values)]
        return (float(values.min()), float(values.max())) if values.size else (np.nan, np.nan)


def measure(
    probability: NDArray[np.floating],
    threshold: float,
    pixel_size: PixelSize,
    *,
    origin_nm: tuple[float, float] | None = None,
    n_lines: int = N_LINES,
    smoothing_px: float | None = None,
) -> Crystal:
    """Measure the ice in one map, between the pixels.

    Parameters
    ----------
    probability : float, shape (H, W)
        Probability of ice; of a mask, its 0 and 1.
    threshold
        Ice is where the probability is at least this; 0.5 of a mask.
    pixel_size
        Edge of a pixel in nm, or height and width; 1 leaves every result in pixels.
    origin_nm
        Row and column where the radial lines start; None: the centre of mass.
    n_lines
        Number of radial lines, evenly spread over the full turn.
    smoothing_px
        Along the outline, for the curvature; see `smoothed_boundary`.

    Raises
    ------
    IcefloeError
        If the map is not 2-D, or the pixel size or smoothing is not positive.
    """
    outlines = find_outlines(probability, threshold, pixel_size)
    angles = np.arange(n_lines, dtype=np.float64) * (2.0 * np.pi / n_lines)
    area = sum(outline.area_nm2 for outline in outlines)
    centre = (np.nan, np.nan)
    if outlines:
        row, column = np.sum([outline.first_moment_nm3 for outline in outlines], axis=0) / area
        centre = float(row), float(column)
    pixel_nm = float(np.sqrt(np.prod(np.broadcast_to(pixel_size, 2))))
    crystals = [outline for outline in outlines if outline.area_nm2 > 0]
    boundaries = [smoothed_boundary(outline, pixel_nm, smoothing_px) for outline in crystals]
    return Crystal(
        area_nm2=float(area),
        centre_nm=centre,
        perimeter_nm=sum(perimeter(outline, pixel_nm) for outline in outlines),
        boundaries=tuple(boundary for boundary in boundaries if boundary),
        angles_rad=angles,
        front_nm=front_radii(outlines, centre if origin_nm is None else origin_nm, angles),
        n_crystals=len(crystals),
        cut=any(outline.on_border.any() for outline in outlines),
    )


def front_radii(outlines: tuple[Outline, ...], origin_nm: tuple[float, float], angles: Array) -> Array:
    """Distance from `origin_nm` to the last crossing of an outline along each direction.

    Parameters
    ----------
    outlines
        Outlines from `find_outlines`.
    origin_nm
        Row and column of the origin, in nm.
    angles : float64, shape (N,)
        Angles in radians, from the columns' axis towards the rows' axis.

    Returns
    -------
    float64, shape (N,)
        Radii in nm; NaN where a line meets no ice, as between two crystals, or leaves the image within it.
    """
    last, beyond = np.full(len(angles), -np.inf), np.zeros(len(angles), bool)
    direction = np.stack([np.sin(angles), np.cos(angles)])
    normal = np.stack([np.cos(angles), -np.sin(angles)])
    for outline in outlines:
        points = outline.points_nm - np.asarray(origin_nm)
        along, across = points @ direction, points @ normal
        crosses = (across[:-1] < 0) != (across[1:] < 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = across[:-1] / (across[:-1] - across[1:])
            distance = np.where(crosses, along[:-1] + share * np.diff(along, axis=0), -np.inf)
        distance[distance < 0] = -np.inf
        at = distance.argmax(axis=0)
        furthest = distance[at, np.arange(len(angles))]
        border = outline.on_border[at] & outline.on_border[at + 1]
        beyond = np.where(furthest > last, border, beyond)
        last = np.maximum(last, furthest)
    return np.where(np.isfinite(last) & ~beyond, last, np.nan)
