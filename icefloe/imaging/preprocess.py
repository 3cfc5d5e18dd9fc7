"""From a native image to the networks' input: a square with the whole image, or a grid that tiles cut."""

from collections.abc import Collection
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator
from scipy import ndimage
from skimage.filters import threshold_otsu

from icefloe.errors import IcefloeError
from icefloe.imaging.flat_field import flatten
from icefloe.imaging.geometry import STRIDE, Geometry
from icefloe.imaging.region import two_phase_region
from icefloe.imaging.spikes import remove_spikes
from icefloe.typing import FloatArray

Normalisation = Literal["zscore", "range", "local", "none", "standard", "minmax", "percentile"]

OUTLIER_PERCENTILES = (0.1, 99.9)
SCALE_PERCENTILES = (0.5, 99.5)
BOUNDS: dict[str, tuple[float, float]] = {"minmax": (0, 100), "percentile": (1, 99)}
"""Percentiles that become 0 and 1."""

LOCAL_SHARE = 0.05
LEAST_COVER = 0.05
"""Local means are Gaussian, of this share of the side; where less than that of it is specimen, they fade."""

MAX_SAMPLED_SIDE = 256
"""Percentiles of larger images are taken from a regular subgrid: a tenth of the time, the same to 1 %."""

MAX_MEASURED_SIDE = 4096
"""Mean and deviation of larger grids are taken from a regular subgrid, which bounds memory."""

MAX_MAGNIFICATION = 4.0
"""Tiles of an image enlarged further would show nothing but the interpolation."""

CONSTANT = "The image is constant, nothing is to be seen in it. Check the file it came from."

_BAND = 256
"""Rows normalised at a time: they are in float64."""


class Preprocessing(BaseModel):
    """What is done to an image before a network sees it; saved with the ensemble.

    Attributes
    ----------
    view
        `whole`: each image is scaled into one square; for objects that fill the image. `tiles`: images keep
        their resolution, training sees crops of them, and prediction slides a window over them; for what
        would vanish in the square, such as cracks and lattices.
    size
        Side of the square, or of the crops, in pixels, a multiple of 32 (five halvings in the encoders).
    pixel_size_nm
        Tiles only: pixel edge, in nm, that all images are brought to; datasets must state their own. Empty:
        an image's own pixels, whatever their size.
    downsampling
        Tiles only: native pixels per pixel of the grid along each axis, where no pixel size is given.
    region
        Set the bright background to 0 first (`two_phase_region`); skipped where it has been done.
    normalise
        `zscore`: zero mean, unit standard deviation, both from pixels clipped to the 0.5-99.5 percentiles;
        `range`: those percentiles become -1 and 1, whatever share of the image the specimen covers;
        `local`: what is brighter than Otsu's threshold, the specimen where the background is blanked, has its
        local mean taken off and is divided by its local deviation; the rest is 0. Two phases of nearly one
        grey, told by a faint edge, neither drown in the background nor in the specimen's thickness;
        `none`: the image's own intensities. Those of Sytwu, Rangel DaCosta & Scott 2023 are taken from all
        pixels, and none is clipped: `standard`: zero mean, unit standard deviation; `minmax`: the lowest and
        the highest become 0 and 1; `percentile`: the 1st and the 99th percentile become 0 and 1.
    xray_counts
        Pixels more than so many counts above the image's median are X-ray hits and replaced, and negative
        counts become 0 (`remove_spikes`). Empty: not done.
    flat_field
        Divide by the illumination, a smooth surface fitted to the image (`flatten`).
    patches_above
        Tiles only: training sees the squares of a fixed grid of `size` pixels instead of random crops, and of
        these only those with more than so many labelled foreground pixels. Empty: random crops.
    version
        Of what these entries mean. A model with another one is refused rather than given other images than it
        was trained on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    view: Literal["whole", "tiles"] = "whole"
    size: int = Field(256, ge=32, multiple_of=STRIDE)
    pixel_size_nm: float | None = Field(None, gt=0, allow_inf_nan=False)
    downsampling: int = Field(1, ge=1)
    region: bool = False
    normalise: Normalisation = "zscore"
    xray_counts: float | None = Field(None, gt=0, allow_inf_nan=False)
    flat_field: bool = False
    patches_above: int | None = Field(None, ge=0)
    version: Literal[1] = 1

    @model_validator(mode="after")
    def _resolution_is_that_of_tiles(self) -> "Preprocessing":
        if self.view == "whole" and self.patches_above is not None:
            raise IcefloeError(
                "preprocessing: patches_above is for tiles, but view is whole. "
                "Set view: tiles, or leave patches_above out."
            )
        if self.view == "whole" and (self.pixel_size_nm is not None or self.downsampling != 1):
            name = "downsampling" if self.pixel_size_nm is None else "pixel_size_nm"
            raise IcefloeError(
                f"preprocessing: {name} is for tiles, but view is whole, which scales each image into a "
                f"square of {self.size} px. Set view: tiles, or leave {name} out."
            )
        if self.pixel_size_nm is not None and self.downsampling != 1:
            raise IcefloeError(
                "preprocessing: pixel_size_nm and downsampling both set the resolution. Leave one out."
            )
        return self

    def apply(
        self, image: FloatArray, done: Collection[str] = (), pixel_size_nm: float | None = None
    ) -> tuple[FloatArray, Geometry]:
        """X-rays, light, region, outlier limits, scaling to the grid, normalisation by the whole image.

        Applying it to its own result changes nothing beyond rounding, unless X-rays or illumination are
        corrected or `local` is chosen.

        Parameters
        ----------
        image : float32, shape (H, W)
            Image as read, in any intensity unit.
        done
            Steps that the dataset's provenance says were done (`DatasetInfo.preprocessing`): `spikes`,
            `flat_field`, `region`.
        pixel_size_nm
            The image's pixel edge in nm, as its dataset states it; needed only for tiles of a stated size.

        Returns
        -------
        placed : float32, shape (R, C)
            A square of `size`; with tiles the image at their resolution. Padding, and rows and columns at the
            margin that were 0 throughout, are 0.
        geometry : Geometry
            Takes masks to this grid and maps back to native pixels.

        Raises
        ------
        IcefloeError
            If the image is not two-dimensional, has pixels that are not finite, is constant, its illumination
            falls to 0 where it is divided out, or its pixel size is needed and not known, or would have to be
            magnified more than `MAX_MAGNIFICATION` times.
        """
        image = np.asarray(image, np.float32)
        if image.ndim != 2:
            raise IcefloeError(
                f"An image has two axes; this one has {image.ndim}. Convert it to one channel."
            )
        if not np.isfinite(image).all():
            raise IcefloeError("The image has pixels that are NaN or infinite. Repair or remove it.")
        geometry = self.geometry((image.shape[0], image.shape[1]), pixel_size_nm)
        if self.xray_counts is not None and "spikes" not in done:
            image = remove_spikes(image, self.xray_counts)
        if self.flat_field and "flat_field" not in done:
            image = flatten(image)
        if self.region and "region" not in done:
            image, _ = two_phase_region(image)
        placed = geometry.place(image if self._takes_all_pixels else _limit_outliers(image))
        if self.normalise == "local":
            placed = _locally_normalised(placed, LOCAL_SHARE * self.size)
        elif self.normalise != "none":
            _normalise(placed[_without_blank_margins(placed, geometry.window)], self.normalise)
        return placed, geometry

    @property
    def _takes_all_pixels(self) -> bool:
        return self.normalise in ("standard", *BOUNDS)

    def geometry(self, native: tuple[int, int], pixel_size_nm: float | None = None) -> Geometry:
        """Where an image of a native size (H, W) lies on the grid; parameters and errors as in `apply`."""
        if self.view == "whole":
            return Geometry.fit(native, self.size)
        if self.pixel_size_nm is None:
            return Geometry.scaled(native, 1 / self.downsampling)
        if pixel_size_nm is None:
            raise IcefloeError(
                f"The image's pixel size is not known, and it has to be brought to {self.pixel_size_nm:g} nm "
                "a pixel. Enter pixel_size_nm in its dataset.yaml; a file alone has to state it itself."
            )
        scale = pixel_size_nm / self.pixel_size_nm
        if scale > MAX_MAGNIFICATION:
            raise IcefloeError(
                f"The image has {pixel_size_nm:g} nm a pixel, {scale:.3g} times the "
                f"{self.pixel_size_nm:g} nm it has to be brought to, so it cannot show what is looked for. "
                "Check pixel_size_nm in its dataset.yaml."
            )
        return Geometry.scaled(native, scale)


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


def _normalise(content: FloatArray, how: Normalisation) -> None:
    """Normalise in place, shape (h, w)."""
    centre, scale = _centre_and_scale(content, how)
    for top in range(0, len(content), _BAND):
        content[top : top + _BAND] = (content[top : top + _BAND] - centre) / scale


def _centre_and_scale(content: FloatArray, how: Normalisation) -> tuple[np.float64, np.float64]:
    if how in BOUNDS:
        low, high = np.percentile(content, BOUNDS[how])
        centre, scale = low, high - low
    elif how == "standard":
        centre, scale = content.mean(dtype=np.float64), content.std(dtype=np.float64)
    else:
        return _clipped_centre_and_scale(content, how)
    if not scale:
        raise IcefloeError(CONSTANT)
    return centre, scale


def _clipped_centre_and_scale(content: FloatArray, how: Normalisation) -> tuple[np.float64, np.float64]:
    step = -(-max(content.shape) // MAX_MEASURED_SIDE)
    measured = content[::step, ::step]
    low, high = np.percentile(measured, SCALE_PERCENTILES)
    if low == high:  # a specimen on fewer than 1 % of the pixels, the rest all alike
        low, high = content.min(), content.max()
    if low == high:
        raise IcefloeError(CONSTANT)
    if how == "range":
        return (low + high) / 2, (high - low) / 2
    clipped = np.clip(measured, low, high)
    return clipped.mean(dtype=np.float64), clipped.std(dtype=np.float64)


def _locally_normalised(square: FloatArray, sigma: float) -> FloatArray:
    """Deviation from the local mean over the local and the typical deviation, clipped to [-1, 1]."""
    specimen = (square > threshold_otsu(square)).astype(np.float32)
    if not specimen.any():
        raise IcefloeError(CONSTANT)
    cover = np.maximum(ndimage.gaussian_filter(specimen, sigma), np.float32(LEAST_COVER))

    def local_mean(values: FloatArray) -> FloatArray:
        return np.asarray(ndimage.gaussian_filter(values * specimen, sigma) / cover)

    deviation = (square - local_mean(square)) * specimen
    typical = np.median(np.abs(deviation[specimen > 0]))
    scale = 1.5 * (np.sqrt(local_mean(deviation**2)) + typical)
    local = np.divide(deviation, scale, out=np.zeros_like(deviation), where=scale > 0)
    return np.clip(local, np.float32(-1), np.float32(1))
