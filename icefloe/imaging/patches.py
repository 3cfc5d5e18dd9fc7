"""Squares of a fixed grid that show enough of the foreground to train on."""

from collections.abc import Iterator

import numpy as np

from icefloe.typing import IGNORE, MaskArray

Square = tuple[slice, slice]


def squares(mask: MaskArray, size: int, above: int) -> Iterator[Square]:
    """Rows and columns of a grid's whole squares, from the top left, that have enough foreground.

    Parameters
    ----------
    mask : uint8, shape (R, C)
        Class index, 0 = background, 255 = ignore.
    size
        Side of a square in px.
    above
        A square has enough if more than so many of its pixels are of a foreground class.
    """
    shown = (mask != 0) & (mask != IGNORE)
    for top in range(0, mask.shape[0] - size + 1, size):
        for left in range(0, mask.shape[1] - size + 1, size):
            square = slice(top, top + size), slice(left, left + size)
            if np.count_nonzero(shown[square]) > above:
                yield square
