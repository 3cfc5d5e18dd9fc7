"""Numbers and names inside annotation files, checked."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

FARTHEST = 1e9
"""No image has so many pixels in a row; beyond it, arithmetic on coordinates overflows."""


def shown(value: Any) -> str:
    """A name or number from a file, short and on one line, for messages."""
    words = " ".join(str(value).split())
    return words if len(words) <= 60 else f"{words[:57]}..."


def text(value: Any, entry: str) -> str:
    """A name; numbers, which some tools write for it, become text.

    Raises
    ------
    ValueError
        If it is something else, or empty.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float) or not str(value).strip():
        raise ValueError(f"{entry} is {value!r:.40}")
    return str(value)


def image_size(height: Any, width: Any) -> tuple[int, int] | None:
    """(H, W) of an image as a file gives it; None where it gives neither, or 0 for both.

    Raises
    ------
    ValueError
        If it gives only one of them, or what is no whole number of pixels.
    """
    if not height and not width:
        return None
    sizes = []
    for name, value in (("height", height), ("width", width)):
        number = float(value if value is not None else "nan")
        if not number.is_integer() or not 0 < number < FARTHEST:
            raise ValueError(f"the image's {name} is {value!r:.40}")
        sizes.append(int(number))
    return sizes[0], sizes[1]


def points_of(numbers: Sequence[Any], what: str) -> NDArray[np.float64]:
    """Points from x, y, x, y, ... or from pairs; float64, shape (N, 2).

    Raises
    ------
    ValueError
        If they are no pairs of finite numbers; the text names `what` they are of.
    """
    points = np.asarray(numbers, dtype=np.float64)
    if points.ndim == 1 and points.size % 2:
        raise ValueError(f"the outline of {what} has {points.size} numbers, which are no x, y pairs")
    if points.ndim == 1:
        points = points.reshape(-1, 2)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"the outline of {what} is no list of x, y pairs")
    if not np.isfinite(points).all():
        raise ValueError(f"a point of {what} is not a finite number")
    if np.abs(points).max(initial=0) > FARTHEST:
        raise ValueError(f"a point of {what} lies at {np.abs(points).max():g}, far outside any image")
    return points
