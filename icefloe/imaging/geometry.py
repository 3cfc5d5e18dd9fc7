"""Where a native image lies on the networks' grid, and how maps come back from there."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from icefloe.errors import IcefloeError
from icefloe.typing import IGNORE, FloatArray, MaskArray

Resampling = Image.Resampling

STRIDE = 32
"""Sides of networks' inputs are multiples of it: encoders halve them up to five times."""


@dataclass(frozen=True)
class Geometry:
    """Where a native image lies on the networks' grid: scaled alike along both axes, then padded.

    Attributes
    ----------
    native : (H, W) of the image in pixels.
    grid : (R, C) of the grid in pixels: a square of the network's size, or a multiple of 32 along each axis.
    content : (h, w) of the scaled image on the grid.
    offset : (row, column) of its first pixel on the grid.
    """

    native: tuple[int, int]
    grid: tuple[int, int]
    content: tuple[int, int]
    offset: tuple[int, int]

    @classmethod
    def fit(cls, native: tuple[int, int], size: int) -> "Geometry":
        """The largest centred placement in a square that keeps an image's proportions to half a pixel."""
        height, width = _scaled(native, size / max(native))
        return cls(native, (size, size), (height, width), ((size - height) // 2, (size - width) // 2))

    @classmethod
    def scaled(cls, native: tuple[int, int], scale: float = 1.0) -> "Geometry":
        """An image at a scale (grid pixels per native pixel), padded below and on the right to the stride."""
        height, width = content = _scaled(native, scale)
        return cls(native, (-(-height // STRIDE) * STRIDE, -(-width // STRIDE) * STRIDE), content, (0, 0))

    @property
    def pixel_scale(self) -> float:
        """Native pixels per pixel of the grid: multiply the native pixel size (nm) by it."""
        return max(self.native) / max(self.content)

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the grid that hold the image; all others are padding."""
        (row, column), (height, width) = self.offset, self.content
        return slice(row, row + height), slice(column, column + width)

    def place(self, image: FloatArray, padding: float = 0.0) -> FloatArray:
        """Scale a native image onto the grid, anti-aliased where it shrinks.

        Parameters
        ----------
        image : float32, shape (H, W)
            Image of the native size, in any intensity unit.
        padding
            Value of pixels outside the image, in the image's unit.

        Returns
        -------
        float32, shape (R, C)
        """
        placed = np.full(self.grid, padding, np.float32)
        placed[self.window] = _resize(image, self.content)
        return placed

    def place_mask(self, mask: MaskArray) -> MaskArray:
        """Scale a native class mask onto the grid; padding is ignored (255).

        Each pixel takes the class (255 being one of them) that covers most of it, the lowest on a tie; where
        the image grows it takes the class of the nearest native pixel.

        Parameters
        ----------
        mask : uint8, shape (H, W)
            Class index of each native pixel, 255 = ignore.

        Returns
        -------
        uint8, shape (R, C)

        Raises
        ------
        IcefloeError
            If the mask's shape is not the native image's.
        """
        if mask.shape != self.native:
            raise IcefloeError(
                f"The mask is {_pixels(mask.shape)} but its image is {_pixels(self.native)}. "
                "Export the mask at the image's size."
            )
        placed = np.full(self.grid, IGNORE, np.uint8)
        if max(self.native) <= max(self.content):
            content = Image.fromarray(mask).resize(self.content[::-1], Resampling.NEAREST)
            placed[self.window] = np.asarray(content)
            return placed
        classes = np.flatnonzero(Image.fromarray(mask).histogram())
        if len(classes) == 1:
            placed[self.window] = classes[0]
            return placed
        cover = [
            _resize((mask == value).astype(np.float32), self.content, Resampling.BOX) for value in classes
        ]
        placed[self.window] = classes[np.argmax(cover, axis=0)]
        return placed

    def restore(self, maps: FloatArray) -> FloatArray:
        """Bring maps on the grid back to native pixels; the padding is cut off.

        Parameters
        ----------
        maps : float32, shape (..., R, C)
            Probabilities, uncertainties: anything that may be interpolated (bilinear). Threshold or argmax
            afterwards, on the native grid.

        Returns
        -------
        float32, shape (..., H, W)
        """
        content = np.asarray(maps, np.float32)[(..., *self.window)]
        if self.content == self.native:
            return np.ascontiguousarray(content)
        restored = np.empty((*content.shape[:-2], *self.native), np.float32)
        for index in np.ndindex(content.shape[:-2]):
            restored[index] = _resize(content[index], self.native)
        return restored

    def rows_for(self, rows: slice) -> slice:
        """Rows of the grid that `restore_rows` needs for some native rows."""
        (first, last), top = self._content_rows(rows), self.offset[0]
        if self.content == self.native:
            return slice(top + rows.start, top + rows.stop)
        reach = int(max(1, self.content[0] / self.native[0])) + 2
        return slice(top + max(0, int(first) - reach), top + min(self.content[0], int(np.ceil(last)) + reach))

    def restore_rows(self, maps: FloatArray, first: int, rows: slice) -> FloatArray:
        """Native rows of maps that would be too large as a whole; as `restore`, to rounding.

        Parameters
        ----------
        maps : float32, shape (..., r, C)
            Rows `first` to `first + r` of the grid, those that `rows_for` names among them.
        first
            Number of the maps' first row on the grid.
        rows
            The native rows wanted.

        Returns
        -------
        float32, shape (..., rows, W)
        """
        needed = self.rows_for(rows)
        band = maps[..., needed.start - first : needed.stop - first, self.window[1]]
        if self.content == self.native:
            return np.ascontiguousarray(band, np.float32)
        above = needed.start - self.offset[0]
        top, bottom = (row - above for row in self._content_rows(rows))
        shape = (rows.stop - rows.start, self.native[1])
        shrinks = max(self.native) < max(self.content)
        restored = np.empty((*band.shape[:-2], *shape), np.float32)
        for index in np.ndindex(band.shape[:-2]):
            restored[index] = Image.fromarray(np.ascontiguousarray(band[index], np.float32)).resize(
                shape[::-1],
                Resampling.HAMMING if shrinks else Resampling.BILINEAR,
                box=(0, top, self.content[1], bottom),
            )
        return restored

    def _content_rows(self, rows: slice) -> tuple[float, float]:
        """Edges of native rows, in rows of the content."""
        height, native = self.content[0], self.native[0]
        return rows.start * height / native, rows.stop * height / native


def _scaled(native: tuple[int, int], scale: float) -> tuple[int, int]:
    height, width = (max(1, round(side * scale)) for side in native)
    return height, width


def _resize(image: FloatArray, shape: tuple[int, int], shrink: Resampling = Resampling.HAMMING) -> FloatArray:
    """Anti-aliased where the image shrinks, bilinear where it grows; pixel centres stay aligned."""
    if image.shape == shape:
        return image
    resampling = shrink if max(shape) < max(image.shape) else Resampling.BILINEAR
    return np.asarray(Image.fromarray(image).resize(shape[::-1], resampling))


def _pixels(shape: tuple[int, ...]) -> str:
    return "x".join(str(side) for side in reversed(shape))
