"""How a hand leads a round brush to cover a region without touching what it must not."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.signal import fftconvolve
from skimage.graph import route_through_array
from skimage.morphology import disk

from benchmarks.service.correction_tasks import Region
from icefloe.typing import FloatArray

ENOUGH = 0.9
"""Share of what a brush can cover with which people are content."""
APART = 4
"""Places of the mouse along a stroke, px."""

Place = tuple[int, int]


@dataclass(frozen=True)
class Stroke:
    """A stroke of a brush.

    Attributes
    ----------
    line : float, shape (N, 2)
        Rows and columns, pixels' middles at .5; one if a dab will do.
    covers
        Pixels of the region that it covers.
    """

    line: FloatArray
    covers: int

    @property
    def length(self) -> float:
        """In px."""
        return float(np.hypot(*np.diff(self.line, axis=0).T).sum())


def stroke(wanted: Region, allowed: Region, radius: float) -> Stroke | None:
    """A stroke that covers most of what the brush can: few places, and the way from one to the next.

    Parameters
    ----------
    wanted, allowed : bool, shape (H, W)
        What is to be covered, and where the brush may touch; beside the image it touches nothing.
    radius
        Of the brush, px.

    Returns
    -------
    Stroke or None
        None where the brush is too large to touch any of it.
    """
    reach = int(np.ceil(2 * radius)) + 2  # nothing farther away can matter
    rows, columns = ndimage.find_objects(wanted.astype(np.int8))[0]
    window = tuple(slice(one.start, one.stop + 2 * reach) for one in (rows, columns))
    inside = np.pad(np.ones_like(wanted), reach)[window]
    wanted, allowed = np.pad(wanted, reach)[window], np.pad(allowed, reach, constant_values=True)[window]
    # Half a pixel over the border is as well as anybody paints.
    places = inside & (ndimage.distance_transform_edt(allowed) > max(0.0, radius - 0.5))
    stops, covers = _stops(wanted, places, radius)
    if not stops:
        return None
    way = _way(stops, places)
    corner = np.array([rows.start, columns.start]) - reach
    return Stroke(np.array([*way[:-1:APART], way[-1]], np.float32) + corner + 0.5, covers)


def _stops(wanted: Region, places: Region, radius: float) -> tuple[list[Place], int]:
    """Places of the brush that cover a region together, each time that which covers most of what is left."""
    brush = disk(radius, dtype=np.float32)
    parts, _ = ndimage.label(places)
    rows, columns = np.indices(wanted.shape, np.float32)
    left, stops, enough = wanted.copy(), [], 0.0
    while wanted.sum() - left.sum() <= enough:
        gained = np.where(places, fftconvolve(left.astype(np.float32), brush, mode="same").round(), 0)
        stop = np.unravel_index(np.argmax(gained), gained.shape)
        if gained[stop] <= 0:
            break
        if not stops:  # a stroke stays where it can go on
            places = parts == parts[stop]
            enough = ENOUGH * (wanted & (ndimage.distance_transform_edt(~places) <= radius)).sum()
        stops.append((int(stop[0]), int(stop[1])))
        left &= np.hypot(rows - stop[0], columns - stop[1]) > radius
    return stops, int(wanted.sum() - left.sum())


def _way(stops: list[Place], places: Region) -> list[Place]:
    """The way through all stops: on from the end that is nearest to another."""
    cost = np.where(places, 1.0, np.inf)
    way, left = [stops[0]], stops[1:]
    while left:
        end, stop = min(
            ((end, stop) for end in (way[0], way[-1]) for stop in left),
            key=lambda pair: np.hypot(*np.subtract(*pair)),
        )
        left.remove(stop)
        path, _ = route_through_array(cost, end, stop, geometric=True)
        way = [*way, *path[1:]] if end == way[-1] else [*path[:0:-1], *way]
    return way
