"""Agreement of boundaries within a tolerance."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from skimage.segmentation import find_boundaries

from icefloe.errors import IcefloeError
from icefloe.typing import IGNORE, MaskArray


def surface_dice(reference: MaskArray, predicted: MaskArray, tolerance_px: float) -> float:
    """Share of both masks' outlines that lies within a tolerance of the other's.

    Surface Dice of Nikolov et al. 2021 (J. Med. Internet Res. 23, e26151), made to estimate what part of an
    outline need not be drawn again; lengths are counted in boundary pixels. Where outlines end at the image's
    margin there is nothing to draw.

    Parameters
    ----------
    reference, predicted : uint8, shape (H, W)
        Class indices; where the reference is 255, the prediction counts as right. With several classes the
        outlines of all of them count together.
    tolerance_px
        Largest distance at which two outlines agree, in pixels.

    Returns
    -------
    float
        Score in [0, 1]; 1 where neither mask has an outline, 0 where only one has.

    Raises
    ------
    IcefloeError
        If the masks differ in shape.
    """
    if reference.shape != predicted.shape:
        raise IcefloeError(
            f"Masks of {reference.shape[1]}x{reference.shape[0]} and {predicted.shape[1]}x"
            f"{predicted.shape[0]} pixels. Compare masks of the same image at the same size."
        )
    reference_outline = _outline(reference)
    predicted_outline = _outline(np.where(reference == IGNORE, reference, predicted))
    total = int(reference_outline.sum() + predicted_outline.sum())
    if total == 0:
        return 1.0
    return (
        _near(reference_outline, predicted_outline, tolerance_px)
        + _near(predicted_outline, reference_outline, tolerance_px)
    ) / total


def _outline(mask: MaskArray) -> NDArray[np.bool_]:
    return np.asarray(find_boundaries(mask, mode="inner"), dtype=np.bool_)


def _near(outline: NDArray[np.bool_], other: NDArray[np.bool_], tolerance_px: float) -> int:
    """Pixels of an outline within the tolerance of another."""
    if not other.any():
        return 0
    return int((distance_transform_edt(~other)[outline] <= tolerance_px).sum())
