"""A part of an image that a person labels while the rest is left out."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from icefloe.errors import IcefloeError
from icefloe.typing import IGNORE, MaskArray


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


def check_regions(what: str, regions: Sequence[Region], shape: tuple[int, int]) -> None:
    """Refuse regions that are empty or reach out of their image.

    Parameters
    ----------
    what
        The image that the message names.
    regions
        Its regions.
    shape
        (H, W) of the image.

    Raises
    ------
    IcefloeError
        Names the first that can't be.
    """
    for region in regions:
        top, left = region.top, region.left
        bottom, right = top + region.height, left + region.width
        if (
            min(top, left) < 0
            or min(region.height, region.width) < 1
            or bottom > shape[0]
            or right > shape[1]
        ):
            raise IcefloeError(
                f"{what}: a region at row {top}, column {left} of {region.width}x{region.height} px can't be "
                f"in an image of {shape[1]}x{shape[0]}. Give regions within the image."
            )


def inside_any(regions: Sequence[Region], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """True inside any of the regions of an image of `shape`, (H, W); everywhere where there are none."""
    inside = np.full(shape, not regions)
    for region in regions:
        inside |= region.mask(shape)
    return inside


def limited(mask: MaskArray, regions: Sequence[Region], outside: int = IGNORE) -> MaskArray:
    """A mask whose pixels outside the regions are `outside`; the mask itself where there are no regions.

    Parameters
    ----------
    mask : uint8, shape (H, W)
        Class index, 255 = ignore.
    regions
        Regions of its image; none: all of it.
    outside
        Value of the pixels outside.
    """
    if not regions:
        return mask
    return np.where(inside_any(regions, (mask.shape[0], mask.shape[1])), mask, np.uint8(outside))


def regions_text(regions: Sequence[Region]) -> str:
    """Regions for a table's cell: `top left height width` of each, separated by `; `; empty for none."""
    return "; ".join(" ".join(map(str, astuple(region))) for region in regions)
