"""Outlines of the ice in a probability map, between the pixels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from skimage.measure import find_contours

from icefloe.errors import IcefloeError

Array = NDArray[np.float64]
PixelSize = float | tuple[float, float]
"""Edge of a pixel in nm, or its height and width where they differ (a map on a stretched grid)."""

SPECK = 0.02
"""Pieces and holes of less than this share of the largest piece's area are taken for noise."""


@dataclass(frozen=True, eq=False)
class Outline:
    """One closed outline, of a crystal or of a hole in it.

    Attributes
    ----------
    points_nm : float64, shape (P + 1, 2)
        Row and column from the centre of the first pixel; the last point repeats the first.
    on_border : bool, shape (P + 1,)
        True where the outline is the image's edge and not the ice's.
    area_nm2
        Positive around ice, negative around a hole.
    """

    points_nm: Array
    on_border: NDArray[np.bool_]
    area_nm2: float

    @property
    def length_nm(self) -> float:
        """Of the polygon."""
        return float(np.hypot(*np.diff(self.points_nm, axis=0).T).sum())

    @property
    def first_moment_nm3(self) -> Array:
        """Integral of row and of column over what it encloses, float64 of shape (2,)."""
        start = self.points_nm[0]  # near the outline, so that little cancels
        points = self.points_nm - start
        return (points[:-1] + points[1:]).T @ _cross(points) / 6.0 + self.area_nm2 * start


def find_outlines(
    probability: NDArray[np.floating], threshold: float, pixel_size: PixelSize
) -> tuple[Outline, ...]:
    """Where the probability crosses the threshold, interpolated between pixels (marching squares).

    An outline that leaves the image is closed along the image's edge.

    Parameters
    ----------
    probability : float, shape (H, W)
        Probability of ice. Of a mask, its 0 and 1; then every position is good to half a pixel only.
    threshold
        Ice is where the probability is at least this. Of a mask, 0.5.
    pixel_size
        Size of a pixel in nm; 1 leaves every result in pixels. Height and width map a stretched grid back.

    Returns
    -------
    tuple of Outline
        Largest first; none where there is no ice. Specks and pinholes (`SPECK`) are left out.

    Raises
    ------
    IcefloeError
        If the map is not 2-D or the pixel size is not positive.
    """
    if probability.ndim != 2:
        raise IcefloeError(f"Map of shape {probability.shape}: not two-dimensional. Measure one at a time.")
    size = np.broadcast_to(np.asarray(pixel_size, np.float64), 2)
    if not (size > 0).all():
        raise IcefloeError(f"Pixel size {pixel_size} nm: not positive. Give the pixel's edge in nm.")
    # With this margin a probability of 1 at the edge ends half a pixel further, on the pixel's rim.
    padded = np.pad(probability.astype(np.float64), 1, constant_values=2.0 * threshold - 1.0)
    found = []
    for contour in find_contours(padded, threshold):
        pixels = contour[::-1] - 1.0  # turned round, outlines of objects have a positive area
        points = pixels * size
        area = 0.5 * float(_cross(points - points[0]).sum())
        beyond = ((pixels < 0) | (pixels > np.array(probability.shape) - 1)).any(axis=1)
        found.append(Outline(points, beyond, area))
    found.sort(key=lambda outline: -abs(outline.area_nm2))
    least = SPECK * max((outline.area_nm2 for outline in found), default=0.0)
    return tuple(outline for outline in found if abs(outline.area_nm2) >= max(least, np.finfo(float).tiny))


def _cross(points: Array) -> Array:
    """Twice the signed area between the origin and each side of a closed polygon."""
    rows, columns = points.T
    return rows[:-1] * columns[1:] - rows[1:] * columns[:-1]
