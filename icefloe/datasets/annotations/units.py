"""Outlines in percent of an image, which look like pixels in its top left corner."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from icefloe.datasets.annotations.regions import Annotation, Polygon
from icefloe.errors import IcefloeError

PERCENT = 100.0
SMALLEST_SIDE = 200
"""px; in smaller images, outlines within 100 px of a corner are nothing special."""

NEARLY_ALL = 95.0
"""Outlines that reach this far along both axes, and in no image beyond 100, end where percent end."""


def refuse_percent(path: Path, annotated: Iterable[tuple[Annotation, tuple[int, int]]]) -> None:
    """Refuse outlines that are in percent of the image's size, not in pixels.

    Parameters
    ----------
    path
        Label file that an error names.
    annotated
        All its annotations, each with the (H, W) of its image.

    Raises
    ------
    IcefloeError
        If all outlines in large images end at 100, or stay below it in three images or more.
    """
    farthest = []
    for annotation, shape in annotated:
        points = [region.points for region in annotation.regions if isinstance(region, Polygon)]
        if len(points) < len(annotation.regions) or min(shape) < SMALLEST_SIDE:
            return
        farthest += [np.concatenate(points).max(axis=0)] if points else []
    if not farthest or np.max(farthest) > PERCENT:
        return
    if len(farthest) >= 3 or np.max(farthest, axis=0).min() >= NEARLY_ALL:
        raise IcefloeError(
            f"{path}: all outlines lie within 100x100 pixels of larger images, so they are in percent of the "
            "image's size. Export absolute coordinates in pixels."
        )
