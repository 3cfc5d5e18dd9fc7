"""The two-phase region: ice and water kept, the brighter background set to exactly 0."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.filters import threshold_multiotsu, threshold_otsu

from icefloe.errors import IcefloeError
from icefloe.typing import FloatArray

MIN_BACKGROUND = 0.05
"""Share of exact zeros from which an image counts as thresholded already."""

THRESHOLD_SIDE = 128
"""Thresholds are found on block means of about this many pixels a side, where dose noise hides no class."""

CORNER = 16
"""The corners looked at for an aperture's dark surround are a side / CORNER wide."""


def is_region_done(image: FloatArray) -> bool:
    """Whether the background is already exactly 0, as in the published ice images.

    Parameters
    ----------
    image : float32, shape (H, W)
        Image in any intensity unit.

    Returns
    -------
    bool
        True when at least `MIN_BACKGROUND` of the pixels are exactly 0. An unprocessed image clipped
        that hard at 0 is taken for a thresholded one; its region has to be found before it is clipped.
    """
    return bool(np.count_nonzero(image == 0) >= MIN_BACKGROUND * image.size)


def region_threshold(image: FloatArray) -> float:
    """Intensity between the ice-and-water blob and the brighter background (bright-field TEM).

    Otsu's threshold. Where an aperture leaves a dark surround, which is seen by the darkest of three classes
    filling the corners, it is the upper threshold of those three classes (surround, blob, background).

    Parameters
    ----------
    image : float32, shape (H, W)
        Image in any intensity unit, not constant and not thresholded before.

    Returns
    -------
    float
        In the image's own intensity units.
    """
    means = np.asarray(Image.fromarray(image).reduce(max(1, max(image.shape) // THRESHOLD_SIDE)))
    try:
        dark, bright = threshold_multiotsu(means, classes=3)
    except ValueError:  # fewer than three grey levels
        return float(threshold_otsu(means))
    side = max(1, min(means.shape) // CORNER)
    edges = np.r_[:side, -side:0]
    corners = means[np.ix_(edges, edges)]
    if np.mean(corners <= dark) > 0.5:
        return float(bright)
    return float(threshold_otsu(means))


def two_phase_region(image: FloatArray) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Set the background to 0 and leave ice and water as they are.

    Applying it twice equals applying it once (Baskaran et al. 2022 publish thresholded images, on which a
    second threshold would erase the ice). An image without a background worth the name, less than
    `MIN_BACKGROUND` of its pixels, is returned unchanged.

    Parameters
    ----------
    image : float32, shape (H, W)
        Image in any intensity unit.

    Returns
    -------
    image : float32, shape (H, W)
        Background pixels are exactly 0.
    region : bool, shape (H, W)
        True where a pixel was kept.

    Raises
    ------
    IcefloeError
        If the image is constant.
    """
    if is_region_done(image):
        return image, image != 0
    if image.min() == image.max():
        raise IcefloeError("The image is constant, it has no two-phase region. Check the file it came from.")
    thresholded = np.where(image > region_threshold(image), np.float32(0), image)
    if not is_region_done(thresholded):
        return image, np.ones(image.shape, bool)
    return thresholded, thresholded != 0
