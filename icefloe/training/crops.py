"""Crops of training images: half of them anywhere, half where a foreground class is."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from icefloe.typing import IGNORE, FloatArray, MaskArray

Pixels = TypeVar("Pixels", FloatArray, MaskArray)


def draw_corner(
    shape: tuple[int, int],
    size: int,
    class_pixels: Sequence[NDArray[np.int64]],
    rng: np.random.Generator,
) -> tuple[int, int]:
    """Row and column of the first pixel of a random crop.

    Parameters
    ----------
    shape
        (R, C) of the image.
    size
        Side of the crop; where the image is smaller, it lies in the middle of it.
    class_pixels
        Places of each class in the flattened image. One class is drawn, all being as likely, then one of its
        pixels, which comes to lie in the middle half of the crop, or nearer to the crop's edge where that is
        the image's. Empty: all crops inside the image are as likely.
    rng
        Source of all randomness.
    """
    room = [side - size for side in shape]
    if class_pixels:
        places = class_pixels[int(rng.integers(len(class_pixels)))]
        centre = np.unravel_index(places[rng.integers(len(places))], shape)
        wanted = [int(place) - int(rng.integers(size // 4, size - size // 4)) for place in centre]
    else:
        wanted = [int(rng.integers(max(0, free) + 1)) for free in room]
    row, column = (
        min(max(0, place), free) if free >= 0 else free // 2 for place, free in zip(wanted, room, strict=True)
    )
    return row, column


def cut(
    image: FloatArray, mask: MaskArray, corner: tuple[int, int], size: int, margin: int
) -> tuple[FloatArray, MaskArray]:
    """A crop with a margin all round, of which what lies outside the image is 0, in the mask 255.

    Parameters
    ----------
    image, mask : float32 and uint8, shape (R, C)
        Image on the networks' grid, and the class index of its pixels.
    corner
        Row and column of the crop's first pixel; negative where the crop begins outside the image.
    size, margin
        Side of the crop, and the pixels to add along each of its edges.

    Returns
    -------
    image, mask : float32 and uint8, shape (L, L), L = size + 2 margin
    """
    first = tuple(place - margin for place in corner)
    return _cut(image, first, size + 2 * margin, 0.0), _cut(mask, first, size + 2 * margin, IGNORE)


def _cut(pixels: Pixels, first: Sequence[int], length: int, outside: float) -> Pixels:
    outsides = [
        (max(0, -place), max(0, place + length - side))
        for place, side in zip(first, pixels.shape, strict=True)
    ]
    rows, columns = (slice(max(0, place), max(0, place + length)) for place in first)
    inside = pixels[rows, columns]
    return np.pad(inside, outsides, constant_values=outside) if np.any(outsides) else inside
