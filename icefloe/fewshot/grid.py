"""A grid of square chips over an image."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, model_validator

from icefloe.errors import IcefloeError
from icefloe.typing import FloatArray

MOST_CHIPS = 50_000
"""Chips of one image; a map of more is better drawn by a segmentation."""


class Grid(BaseModel):
    """Whole chips of one size, from a corner of the image on, numbered from 0 along the rows.

    Attributes
    ----------
    height, width
        Size of the image, in px.
    edge
        Edge of a chip, in px.
    top, left
        Corner of the first chip, in px; the image's margins belong to no chip.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    height: int
    width: int
    edge: int
    top: int = 0
    left: int = 0

    @model_validator(mode="after")
    def _fits(self) -> "Grid":
        if not (0 <= self.top < self.height and 0 <= self.left < self.width):
            raise IcefloeError(
                f"A grid that begins {self.top} px down and {self.left} px to the right begins outside an "
                f"image of {self.width}x{self.height} px. Choose an offset within it."
            )
        low, high = self.permitted(self.height - self.top, self.width - self.left)
        if not low <= self.edge <= high:
            raise IcefloeError(
                f"Chips of {self.edge} px don't fit: this image of {self.width}x{self.height} px takes an "
                f"edge of {low} to {high} px (at most {MOST_CHIPS:,} chips). Choose one of these."
            )
        return self

    @staticmethod
    def permitted(height: int, width: int) -> tuple[int, int]:
        """Least and greatest edge in px of chips on an area of this size."""
        high = min(height, width)
        edges = np.arange(1, high + 1)
        few = (height // edges) * (width // edges) <= MOST_CHIPS
        return int(edges[few.argmax()]), high

    @property
    def rows(self) -> int:
        """Chips from top to bottom."""
        return (self.height - self.top) // self.edge

    @property
    def columns(self) -> int:
        """Chips from left to right."""
        return (self.width - self.left) // self.edge

    @property
    def n_chips(self) -> int:
        """Number of chips."""
        return self.rows * self.columns

    def place(self, chip: int) -> tuple[int, int]:
        """Row and column of a chip, from 0.

        Raises
        ------
        IcefloeError
            If the grid has no such chip.
        """
        if not 0 <= chip < self.n_chips:
            raise IcefloeError(
                f"chip {chip}: the grid has chips 0 to {self.n_chips - 1} "
                f"({self.rows} rows of {self.columns}). Choose one of these."
            )
        return divmod(chip, self.columns)

    def corner(self, chip: int) -> tuple[int, int]:
        """Top and left of a chip, in px from the image's corner."""
        row, column = self.place(chip)
        return self.top + row * self.edge, self.left + column * self.edge

    def crop(self, image: NDArray[Any]) -> NDArray[Any]:
        """The part of an image, shape (H, W), that the chips cover: a view."""
        self.check(image)
        bottom, right = self.top + self.rows * self.edge, self.left + self.columns * self.edge
        return image[self.top : bottom, self.left : right]

    def chips(self, image: FloatArray) -> FloatArray:
        """The chips, float32 (rows, columns, edge, edge): a view of the image, shape (H, W)."""
        shape = self.rows, self.edge, self.columns, self.edge
        return self.crop(image).reshape(shape).swapaxes(1, 2)

    def assembled(self, chips: NDArray[Any]) -> NDArray[Any]:
        """Chips, shape (rows, columns, edge, edge), put together again: shape of `crop`."""
        return chips.swapaxes(1, 2).reshape(self.rows * self.edge, self.columns * self.edge)

    def painted(self, values: NDArray[Any], outside: Any) -> NDArray[Any]:
        """One value a chip, shape (n_chips,), over the image, shape (H, W); `outside` in its margins."""
        painted = np.full((self.height, self.width), outside, values.dtype)
        ones = values.reshape(self.rows, self.columns)
        self.crop(painted)[...] = ones.repeat(self.edge, 0).repeat(self.edge, 1)
        return painted

    def check(self, image: NDArray[Any]) -> None:
        """Refuse an image of another size.

        Raises
        ------
        IcefloeError
            If it is not (height, width).
        """
        if image.shape != (self.height, self.width):
            size = "x".join(str(length) for length in reversed(image.shape))
            raise IcefloeError(
                f"The grid is of an image of {self.width}x{self.height} px, this one has {size}. "
                "Make a grid for this image."
            )


def constant_chips(image: FloatArray, grid: Grid) -> NDArray[np.bool_]:
    """Which chips of an image, shape (H, W), are of one value; bool, shape (n_chips,)."""
    chips = grid.chips(image)
    return np.asarray((chips.min(axis=(2, 3)) == chips.max(axis=(2, 3))).ravel() & (grid.edge > 1))
