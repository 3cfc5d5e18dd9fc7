"""Trivial baselines, which are printed beside every ensemble's scores."""

from collections.abc import Callable

import numpy as np
from skimage.filters import threshold_otsu

from icefloe.typing import FloatArray, MaskArray

ALL_BACKGROUND = "all background"


def _all_background(image: FloatArray) -> MaskArray:
    return np.zeros(image.shape, np.uint8)


def _otsu_bright(image: FloatArray) -> MaskArray:
    return np.asarray(image > threshold_otsu(image), np.uint8)


def _otsu_dark(image: FloatArray) -> MaskArray:
    return np.asarray(image <= threshold_otsu(image), np.uint8)


BASELINES: dict[str, Callable[[FloatArray], MaskArray]] = {
    ALL_BACKGROUND: _all_background,
    "Otsu, foreground bright": _otsu_bright,
    "Otsu, foreground dark": _otsu_dark,
}
"""Name -> mask of an image, float32 (H, W), at native size. Otsu's threshold (1979) of the image's own
intensities knows nothing of which side the specimen is on, so both are given. With more than two classes its
foreground counts as class 1."""
