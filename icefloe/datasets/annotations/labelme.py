"""labelme: one JSON file for one image."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from icefloe.datasets.annotations.regions import FEWEST_POINTS, Annotation, Bitmap, Polygon, Region
from icefloe.datasets.annotations.values import image_size, points_of, shown, text
from icefloe.errors import IcefloeError


def is_labelme(content: object) -> bool:
    """Whether parsed JSON is of this format."""
    return isinstance(content, dict) and "shapes" in content


def read_labelme(path: Path, content: Mapping[str, Any]) -> Annotation:
    """The annotation of the file's image.

    Raises
    ------
    IcefloeError
        If it holds points or lines, which enclose nothing.
    KeyError, TypeError, ValueError
        If the content isn't what labelme writes.
    """
    regions = [
        _region(path, f"shape {number}", shape) for number, shape in enumerate(content["shapes"], start=1)
    ]
    return Annotation(
        file_name=text(content.get("imagePath") or path.stem, "imagePath"),
        shape=image_size(content.get("imageHeight"), content.get("imageWidth")),
        regions=tuple(regions),
    )


def _region(path: Path, what: str, shape: Mapping[str, Any]) -> Region:
    label = None if shape["label"] is None else text(shape["label"], "label")
    kind = shape.get("shape_type") or "polygon"
    what = f"{what} ({shown(label)})" if label else what
    points = points_of(shape["points"], what)
    if kind == "mask":
        return _bitmap(path, what, shape, label, points)
    if kind == "rectangle" and len(points) == 2:
        (left, top), (right, bottom) = points
        points = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    elif kind == "circle" and len(points) == 2:
        angle = np.linspace(0, 2 * np.pi, 180, endpoint=False)
        radius = np.hypot(*(points[1] - points[0]))
        points = points[0] + radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    elif kind not in ("polygon", "rectangle", "circle"):
        raise IcefloeError(f"{path}: {what} is an outline of kind {kind!r:.40}. Use polygons.")
    elif kind == "circle" or len(points) < FEWEST_POINTS:
        count = len(points)
        raise IcefloeError(
            f"{path}: {what} is a {kind} of {count} point{'' if count == 1 else 's'}, "
            "which encloses nothing. Draw it again, or remove it."
        )
    return Polygon(label, points)


def _bitmap(
    path: Path, what: str, shape: Mapping[str, Any], label: str | None, points: NDArray[np.float64]
) -> Bitmap:
    if len(points) != 2 or not shape.get("mask"):
        raise IcefloeError(f"{path}: {what} is a mask without its box or its pixels. Draw it again.")
    # Both corners are pixels of the bitmap.
    (left, top), (right, bottom) = np.floor(points).astype(int)
    png = base64.b64decode(shape["mask"], validate=True)
    return Bitmap(label, int(left), int(top), (int(bottom - top) + 1, int(right - left) + 1), png)
