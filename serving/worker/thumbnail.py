"""A small picture of an image, with where the ensemble is unsure and the outline of its mask."""

from functools import cache

import numpy as np
from matplotlib import colormaps
from skimage.segmentation import find_boundaries

from icefloe.typing import FloatArray, MaskArray
from serving.prepared import SIDES
from serving.worker.pictures import png
from serving.worker.planes import overview

UNSURE = 0.25
"""Standard deviation between members from which on the image is covered; their greatest is 0.5."""

OUTLINE = np.array((86, 180, 233), np.float32)
"""Sky blue of Okabe and Ito's colours."""


def thumbnail(image: FloatArray, mask: MaskArray, std: FloatArray) -> bytes:
    """The picture as PNG.

    Parameters
    ----------
    image : float32, shape (H, W)
        Intensities.
    mask : uint8, shape (H, W)
        Class indices.
    std : float32, shape (H, W)
        Standard deviation between members; NaN where a single one tells nothing.
    """
    side = min(SIDES)
    small = overview(image, side)
    low, high = np.percentile(small, (1, 99))
    grey = ((small - np.float32(low)) * np.float32(255 / max(high - low, 1e-12))).clip(0, 255)
    unsure = (overview(np.nan_to_num(std), side) / np.float32(UNSURE)).clip(0, 1)
    colour = _colours()[(unsure * 255).astype(np.uint8)]
    picture = ((1 - unsure) * grey)[..., None] + unsure[..., None] * colour
    rows, columns = (np.arange(n) * length // n for n, length in zip(small.shape, image.shape, strict=True))
    picture[find_boundaries(mask[np.ix_(rows, columns)], mode="inner")] = OUTLINE
    return png(picture.astype(np.uint8))


@cache
def _colours() -> FloatArray:
    """Colours in [0, 255] of 256 degrees of uncertainty, float32 of shape (256, 3).

    From the middle of the map on: its dark end would look like a dark image.
    """
    return np.asarray(255 * colormaps["magma"](np.linspace(0.4, 1, 256))[:, :3], np.float32)
