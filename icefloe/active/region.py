"""A part of an image that a person labels while the rest is left out."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, order=True)
class Region:
    """A rectangle of an image, in pixels; what lies outside it is 255, ignore, in a label of the region.

    Attributes
    ----------
    top, left
        Its first row and column.
    height, width
        Its size.
    """

    top: int
    left: int
    height: int
    width: int

    def mask(self, shape: tuple[int, int]) -> np.ndarray:
        """True inside the region, for an image of `shape`; (height, width) bool."""
        inside = np.zeros(shape, bool)
        inside[self.top : self.top + self.height, self.left : self.left + self.width] = True
        return inside
