"""X-ray hits in a single image: pixels far above its median (Sytwu, Rangel DaCosta & Scott 2023)."""

import numpy as np

from icefloe.imaging.hot_pixels import with_neighbours
from icefloe.typing import FloatArray

PASSES = 2
"""The first may leave the middle of a cluster, which only other hits touch."""

LARGEST_SHARE = 1e-3
"""Where more of the pixels stand out, it is the specimen that does, or the dose is another one."""

_SAMPLED_SIDE = 1024
"""The median of larger images is taken from a regular subgrid: it differs by far less than any limit."""


def remove_spikes(image: FloatArray, counts: float) -> FloatArray:
    """Replace X-ray hits by the mean of the pixels that touch them, and negative counts by 0.

    As the paper does, but for two things: hits that touch do not count in each other's means (in the paper's
    order, brightest first, the second of a pair keeps an eighth of an eighth of the first), and at the
    image's margin the pixels that are there count, not the mean of the image.

    Parameters
    ----------
    image : float32, shape (H, W)
        Image in counts of the camera.
    counts
        A hit is more than so many counts above the image's median; the paper takes 1500.

    Returns
    -------
    float32, shape (H, W)
        All pixels that are no hits and not negative are as they were. No hit is replaced where more than
        `LARGEST_SHARE` of the pixels stand out.
    """
    cleaned = np.maximum(image, np.float32(0))
    step = -(-max(image.shape) // _SAMPLED_SIDE)
    limit = np.median(cleaned[::step, ::step]) + np.float32(counts)
    for _ in range(PASSES):
        hits = cleaned > limit
        if not 0 < np.count_nonzero(hits) <= LARGEST_SHARE * hits.size:
            break
        cleaned = with_neighbours(hits).repair(cleaned)
    return cleaned
