"""From a native image to the network's square input, and from the network's maps back to native pixels."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field
from scipy import ndimage
from skimage.filters import threshold_otsu

from icefloe.errors import IcefloeError
from icefloe.imaging.region import two_phase_region
from icefloe.typing import IGNORE, FloatArray, MaskArray

Resampling = Image.Resampling

OUTLIER_PERCENTILES = (0.1, 99.9)
SCALE_PERCENTILES = (0.5, 99.5)
LOCAL_SHARE = 0.05
LEAST_COVER = 0.05
"""Local means are Gaussian, of this share of the side; where less than that of it is specimen, they fade."""

MAX_SAMPLED_SIDE = 256
"""Percentiles of larger images are taken from a regular subgrid: a tenth of the time, the same to 1 %."""


@dataclass(frozen=True)
class Geometry:
    """Where a native image lies in the network's square input: scaled alike along both axes, then padded.

    Attributes
    ----------
    native : (H, W) of the image in pixels.
    size : side S of the square in pixels.
    content : (h, w) of the scaled image inside the square.
    offset : (row, column) of its first pixel in the square.
    """

    native: tuple[int, int]
    size: int
    content: tuple[int, int]
    offset: tuple[int, int]

    @classmethod
    def fit(cls, native: tuple[int, int], size: int) -> "Geometry":
        """The largest centred placement of a native image that keeps its proportions to half a pixel."""
        scale = size / max(native)
        height, width = (max(1, round(side * scale)) for side in native)
        return cls(native, size, (height, width), ((size - height) // 2, (size - width) // 2))

    @property
    def pixel_scale(self) -> float:
        """Native pixels per pixel of the square: multiply the native pixel size (nm) by it."""
        return max(self.native) / self.size

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the square that hold the image; all others are padding."""
        (row, column), (height, width) = self.offset, self.content
        return slice(row, row + height), slice(column, column + width)

    def place(self, image: FloatArray, padding: float = 0.0) -> FloatArray:
        """Scale a native image into the square, anti-aliased where it shrinks.

        Parameters
        ----------
        image : float32, shape (H, W)
            Image of the native size, in any intensity unit.
        padding
            Value of pixels outside the image, in the image's unit.

        Returns
        -------
        float32, shape (S, S)
        """
        square = np.full((self.size, self.size), padding, np.float32)
        square[self.window] = _resize(image, self.content)
        return square

    def place_mask(self, mask: MaskArray) -> MaskArray:
        """Scale a native class mask into the square; padding is ignored (255).

        Each pixel takes the class (255 being one of them) that covers most of it, the lowest on a tie; where
        the image grows it takes the class of the nearest native pixel.

        Parameters
        ----------
        mask : uint8, shape (H, W)
            Class index of each native pixel, 255 = ignore.

        Returns
        -------
        uint8, shape (S, S)

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
        square = np.full((self.size, self.size), IGNORE, np.uint8)
        if max(self.native) <= self.size:
            content = Image.fromarray(mask).resize(self.content[::-1], Resampling.NEAREST)
            square[self.window] = np.asarray(content)
            return square
        classes = np.flatnonzero(Image.fromarray(mask).histogram())
        if len(classes) == 1:
            square[self.window] = classes[0]
            return square
        cover = [
            _resize((mask == value).astype(np.float32), self.content, Resampling.BOX) for value in classes
        ]
        square[self.window] = classes[np.argmax(cover, axis=0)]
        return square

    def restore(self, maps: FloatArray) -> FloatArray:
        """Bring maps on the square back to the native grid; the padding is cut off.

        Parameters
        ----------
        maps : float32, shape (..., S, S)
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


class Preprocessing(BaseModel):
    """What is done to an image before a network sees it; saved with the ensemble.

    Attributes
    ----------
    size
        Side of the square input in pixels, a multiple of 32 (five halvings in the encoders).
    region
        Set the bright background to 0 first (`two_phase_region`); skipped where it has been done.
    normalise
        `zscore`: zero mean, unit standard deviation, both from pixels clipped to the 0.5-99.5 percentiles;
        `range`: those percentiles become -1 and 1, whatever share of the image the specimen covers;
        `local`: what is brighter than Otsu's threshold, the specimen where the background is blanked, has its
        local mean taken off and is divided by its local deviation; the rest is 0. Two phases of nearly one
        grey, told by a faint edge, neither drown in the background nor in the specimen's thickness;
        `none`: the image's own intensities.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int = Field(256, ge=32, multiple_of=32)
    region: bool = False
    normalise: Literal["zscore", "range", "local", "none"] = "zscore"

    def apply(self, image: FloatArray, done: Collection[str] = ()) -> tuple[FloatArray, Geometry]:
        """Region, outlier limits, scaling to the square, normalisation.

        Applying it to its own result changes nothing beyond rounding, except for `local`.

        Parameters
        ----------
        image : float32, shape (H, W)
            Image as read, in any intensity unit.
        done
            Steps that the dataset's provenance says were done (`DatasetInfo.preprocessing`).

        Returns
        -------
        square : float32, shape (size, size)
            Padding, and rows and columns at the margin that were 0 throughout, are 0.
        geometry : Geometry
            Takes masks to the square and maps back to the native grid.

        Raises
        ------
        IcefloeError
            If the image is not two-dimensional, has pixels that are not finite, or is constant.
        """
        image = np.asarray(image, np.float32)
        if image.ndim != 2:
            raise IcefloeError(
                f"An image has two axes; this one has {image.ndim}. Convert it to one channel."
            )
        if not np.isfinite(image).all():
            raise IcefloeError("The image has pixels that are NaN or infinite. Repair or remove it.")
        if self.region and "region" not in done:
            image, _ = two_phase_region(image)
        geometry = Geometry.fit((image.shape[0], image.shape[1]), self.size)
        square = geometry.place(_limit_outliers(image))
        if self.normalise == "local":
            square = _locally_normalised(square)
        elif self.normalise != "none":
            window = _without_blank_margins(square, geometry.window)
            square[window] = _normalised(square[window], self.normalise)
        return square, geometry


def _resize(image: FloatArray, shape: tuple[int, int], shrink: Resampling = Resampling.HAMMING) -> FloatArray:
    """Anti-aliased where the image shrinks, bilinear where it grows; pixel centres stay aligned."""
    if image.shape == shape:
        return image
    resampling = shrink if max(shape) < max(image.shape) else Resampling.BILINEAR
    return np.asarray(Image.fromarray(image).resize(shape[::-1], resampling))


def _limit_outliers(image: FloatArray) -> FloatArray:
    """Bring X-ray hits and dead pixels near the others, before scaling smears them over their surroundings.

    Limits lie one 0.1-99.9 percentile range outside those percentiles, so small bright features stay.
    """
    step = -(-max(image.shape) // MAX_SAMPLED_SIDE)
    low, high = np.percentile(image[::step, ::step], OUTLIER_PERCENTILES)
    if low == high:
        return image
    return np.clip(image, np.float32(2 * low - high), np.float32(2 * high - low))


def _without_blank_margins(square: FloatArray, window: tuple[slice, slice]) -> tuple[slice, slice]:
    """Narrow a window past rows and columns that are 0 throughout: earlier padding, a blanked beam."""
    content = square[window]
    rows = np.flatnonzero(content.any(axis=1))
    columns = np.flatnonzero(content.any(axis=0))
    if not len(rows):
        return window
    top, left = window[0].start, window[1].start
    return slice(top + rows[0], top + rows[-1] + 1), slice(left + columns[0], left + columns[-1] + 1)


def _normalised(content: FloatArray, how: Literal["zscore", "range"]) -> FloatArray:
    low, high = np.percentile(content, SCALE_PERCENTILES)
    if low == high:  # a specimen on fewer than 1 % of the pixels, the rest all alike
        low, high = content.min(), content.max()
    if low == high:
        raise IcefloeError("The image is constant, nothing is to be seen in it. Check the file it came from.")
    if how == "range":
        centre, scale = (low + high) / 2, (high - low) / 2
    else:
        clipped = np.clip(content, low, high)
        centre, scale = clipped.mean(dtype=np.float64), clipped.std(dtype=np.float64)
    return ((content - centre) / scale).astype(np.float32)


def _locally_normalised(square: FloatArray) -> FloatArray:
    """Deviation from the local mean over the local and the typical deviation, clipped to [-1, 1]."""
    specimen = (square > threshold_otsu(square)).astype(np.float32)
    if not specimen.any():
        raise IcefloeError("The image is constant, nothing is to be seen in it. Check the file it came from.")
    sigma = LOCAL_SHARE * len(square)
    cover = np.maximum(ndimage.gaussian_filter(specimen, sigma), np.float32(LEAST_COVER))

    def local_mean(values: FloatArray) -> FloatArray:
        return np.asarray(ndimage.gaussian_filter(values * specimen, sigma) / cover)

    deviation = (square - local_mean(square)) * specimen
    typical = np.median(np.abs(deviation[specimen > 0]))
    scale = 1.5 * (np.sqrt(local_mean(deviation**2)) + typical)
    local = np.divide(deviation, scale, out=np.zeros_like(deviation), where=scale > 0)
    return np.clip(local, np.float32(-1), np.float32(1))


def _pixels(shape: tuple[int, ...]) -> str:
    return "x".join(str(side) for side in reversed(shape))
