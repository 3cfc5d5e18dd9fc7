"""Random variants of a training image and its mask: geometry, noise, contrast, focus, illumination."""

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy import ndimage

from icefloe.typing import IGNORE, FloatArray, MaskArray

ILLUMINATION_GRID = 4
ELASTIC_SPACING = 32
"""Pixels between the knots of an elastic deformation."""

ELASTIC_REACH = 3.0
"""Standard deviations of an elastic displacement beyond which hardly any pixel is moved."""


class Augmentation(BaseModel):
    """How far training images are varied; every zero, and `dihedral: false`, leaves its part out.

    Noise, contrast, gamma, gain and illumination are in units of the image's standard deviation, so they mean
    the same however it was normalised. Each strength is the largest; what an image gets is drawn up to it.

    Attributes
    ----------
    dihedral
        One of the eight flips and quarter turns, exact to the pixel.
    rotation_deg
        Turn by up to this many degrees either way.
    scale
        Magnify by a factor in [1 / (1 + scale), 1 + scale].
    shift
        Move by up to this share of the side along each axis.
    elastic
        Bend by displacements of this standard deviation in pixels, smooth over `ELASTIC_SPACING` pixels.
    noise
        Largest standard deviation of added Gaussian noise, in those of the image.
    shot_noise
        Standard deviation of noise at the brightest pixel that falls to 0 at the darkest as its square root
        (a lower electron dose).
    gain
        Largest offset of all pixels alike, either way, in standard deviations of the image.
    contrast
        Intensities are spread from their mean by a factor in [1 / (1 + contrast), 1 + contrast].
    gamma
        Intensities, scaled to 0-1, are raised to a power in [1 / (1 + gamma), 1 + gamma].
    blur
        Largest standard deviation of a Gaussian blur in px.
    illumination
        Largest standard deviation of an added smooth field, in those of the image.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dihedral: bool = True
    rotation_deg: float = Field(15.0, ge=0, le=180)
    scale: float = Field(0.2, ge=0, le=3)
    shift: float = Field(0.05, ge=0, le=0.5)
    elastic: float = Field(0.0, ge=0)
    noise: float = Field(0.1, ge=0)
    shot_noise: float = Field(0.1, ge=0)
    gain: float = Field(0.1, ge=0)
    contrast: float = Field(0.2, ge=0)
    gamma: float = Field(0.2, ge=0)
    blur: float = Field(1.0, ge=0)
    illumination: float = Field(0.1, ge=0)

    @classmethod
    def none(cls) -> "Augmentation":
        """Leave images as they are."""
        return cls(dihedral=False, **dict.fromkeys(set(cls.model_fields) - {"dihedral"}, 0.0))

    def margin(self, size: int) -> int:
        """Pixels beyond each edge of a square of side `size` that its variants may show."""
        angle = np.deg2rad(min(self.rotation_deg, 45.0))  # at 45 degrees the corners reach farthest
        reach = size / 2 * ((np.cos(angle) + np.sin(angle)) * (1 + self.scale) - 1)
        moved = (self.shift * size + ELASTIC_REACH * self.elastic) * (1 + self.scale)
        return int(np.ceil(reach + moved)) + 1 if reach + moved else 0


def augment(
    image: FloatArray,
    mask: MaskArray,
    config: Augmentation,
    rng: np.random.Generator,
    size: int | None = None,
) -> tuple[FloatArray, MaskArray]:
    """Draw one variant of a square training image and its mask.

    Parameters
    ----------
    image : float32, shape (L, L)
        Square of a preprocessed image, in its normalised intensity.
    mask : uint8, shape (L, L)
        Class index of each pixel of the square, 255 = ignore.
    config
        How far each change may go.
    rng
        Source of all randomness: the same state gives the same variant.
    size
        Side S of the variant; a smaller one than L is of the square's middle. None: L.

    Returns
    -------
    image : float32, shape (S, S)
        What lies outside the original is its mean.
    mask : uint8, shape (S, S)
        What lies outside the original is 255. No class appears that was not there.
    """
    if config.dihedral:
        image, mask = dihedral(image, mask, int(rng.integers(8)))
    image, mask = _deform(image, mask, config, rng, size or len(image))
    return _vary_intensity(image, config, rng), np.ascontiguousarray(mask)


def dihedral(image: FloatArray, mask: MaskArray, element: int) -> tuple[FloatArray, MaskArray]:
    """Turn and flip both alike.

    Parameters
    ----------
    image, mask : float32 and uint8, shape (S, S)
        Preprocessed square and the class index of its pixels.
    element
        0 to 7: the number of quarter turns, plus 4 to transpose first; 0 is the identity.

    Returns
    -------
    image, mask : float32 and uint8, shape (S, S)
    """
    if element >= 4:
        image, mask = image.T, mask.T
    return np.rot90(image, element % 4), np.rot90(mask, element % 4)


def _deform(
    image: FloatArray, mask: MaskArray, config: Augmentation, rng: np.random.Generator, size: int
) -> tuple[FloatArray, MaskArray]:
    """Rotate, scale, shift and bend in one resampling, so the image is blurred by interpolation only once."""
    shape = (size, size)
    angle = np.deg2rad(config.rotation_deg) * rng.uniform(-1, 1)
    magnification = _factor(config.scale, rng)
    shift = config.shift * rng.uniform(-1, 1, 2) * shape
    moved = bool(angle or magnification != 1 or shift.any())
    if not moved and not config.elastic:
        middle = slice((len(image) - size) // 2, (len(image) - size) // 2 + size)
        return image[middle, middle], mask[middle, middle]
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / magnification
    centre, of_variant = (np.array(image.shape) - 1) / 2, (np.array(shape) - 1) / 2
    offset = centre - turn @ (of_variant + shift)
    outside = float(image.mean())
    if not config.elastic:
        return (
            ndimage.affine_transform(image, turn, offset, shape, order=1, cval=outside),
            ndimage.affine_transform(mask, turn, offset, shape, order=0, cval=IGNORE),
        )
    coordinates = np.tensordot(turn, np.indices(shape, np.float32), 1) + offset[:, None, None]
    coordinates += _displacements(shape, config.elastic, rng)
    return (
        ndimage.map_coordinates(image, coordinates, order=1, cval=outside),
        ndimage.map_coordinates(mask, coordinates, order=0, cval=IGNORE),
    )


def _vary_intensity(image: FloatArray, config: Augmentation, rng: np.random.Generator) -> FloatArray:
    """Focus first, then response and light, noise last: the order in which a microscope adds them."""
    if config.blur:
        image = ndimage.gaussian_filter(image, config.blur * rng.uniform(), truncate=3.0)
    deviation = float(image.std())
    if config.gamma:
        low, high = float(image.min()), float(image.max())
        if high > low:
            image = low + (high - low) * ((image - low) / (high - low)) ** np.float32(
                _factor(config.gamma, rng)
            )
    if config.contrast:
        mean = image.mean()
        image = mean + (image - mean) * np.float32(_factor(config.contrast, rng))
    if config.gain:
        image = image + np.float32(config.gain * deviation * rng.uniform(-1, 1))
    if config.illumination:
        image = image + np.float32(config.illumination * deviation * rng.uniform()) * _smooth_field(
            image.shape, ILLUMINATION_GRID, rng
        )
    if config.noise or config.shot_noise:
        image = image + np.float32(deviation) * _noise(image, config, rng)
    return np.ascontiguousarray(image, np.float32)


def _noise(image: FloatArray, config: Augmentation, rng: np.random.Generator) -> FloatArray:
    """Noise of a constant variance plus one that follows the signal; unit: the image's deviation."""
    read = config.noise * rng.uniform()
    shot = config.shot_noise * rng.uniform()
    low, high = float(image.min()), float(image.max())
    signal = (image - np.float32(low)) / np.float32((high - low) or 1)
    deviation = np.sqrt(np.float32(read**2) + np.float32(shot**2) * signal)
    return deviation * rng.standard_normal(image.shape, dtype=np.float32)


def _factor(strength: float, rng: np.random.Generator) -> float:
    """A factor in [1 / (1 + strength), 1 + strength], up as often as down."""
    return float((1 + strength) ** rng.uniform(-1, 1))


def _smooth_field(shape: tuple[int, ...], knots: int, rng: np.random.Generator) -> FloatArray:
    """A random field of unit variance at `knots` x `knots` points, cubic between them."""
    rows, columns = (_cubic_basis(side, knots) for side in shape)
    return np.asarray(rows @ rng.standard_normal((knots, knots)) @ columns.T, np.float32)


def _displacements(shape: tuple[int, ...], deviation: float, rng: np.random.Generator) -> FloatArray:
    knots = max(4, max(shape) // ELASTIC_SPACING + 1)
    fields = np.stack([_smooth_field(shape, knots, rng) for _ in shape])
    return (deviation * fields).astype(np.float32)


def _cubic_basis(side: int, knots: int) -> NDArray[np.float32]:
    """Weights, shape (side, knots), of cubic interpolation from evenly spaced knots."""
    weights: NDArray[np.float32] = ndimage.zoom(
        np.eye(knots, dtype=np.float32), (side / knots, 1), order=3, mode="nearest"
    )
    return weights
