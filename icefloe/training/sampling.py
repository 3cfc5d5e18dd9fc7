"""Which images an epoch shows, and how varied: functions of seed and epoch, so that resuming is exact."""

import numpy as np
from numpy.typing import NDArray

from icefloe.imaging.augment import Augmentation, augment
from icefloe.training.crops import cut, draw_corner
from icefloe.training.data import PreparedImages
from icefloe.typing import FloatArray, MaskArray

_ORDER, _AUGMENTATION, _CROP = 0, 1, 2  # what a stream of random numbers is for


def draw_order(weights: NDArray[np.float64], n_draws: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """Indices of the images that an epoch shows.

    Systematic resampling: each image is drawn as often as its weight says, rounded up or down. With equal
    weights and as many draws as images, this is a permutation.

    Parameters
    ----------
    weights : float64, shape (N,)
        Positive; how often an image is drawn in relation to the others.
    n_draws
        Number of images to draw.
    seed, epoch
        Together they fix the result.

    Returns
    -------
    int64, shape (n_draws,)
        Index of the image of each draw.
    """
    rng = np.random.default_rng((seed, _ORDER, epoch))
    shuffled = rng.permutation(len(weights))  # so that no image is rounded up because of its position
    expected = np.cumsum(weights[shuffled] / weights.sum() * n_draws)
    # The last sum is left out: a rounding error below n_draws would point one past the end.
    indices = np.searchsorted(expected[:-1], rng.random() + np.arange(n_draws), side="right")
    return rng.permutation(shuffled[indices])


def augmented(
    data: PreparedImages, indices: NDArray[np.int64], config: Augmentation, seed: int, epoch: int, first: int
) -> tuple[FloatArray, MaskArray]:
    """One batch of varied images, or of crops of them.

    Every second crop is centred near a pixel of a foreground class; see `icefloe.training.crops`.

    Parameters
    ----------
    data
        Images and masks to take from, as a whole or in crops.
    indices : int64, shape (B,)
        Indices of the batch's images in `data`.
    config
        Kinds and strengths of the augmentation.
    seed, epoch
        Seed and epoch; with an image's position in the epoch they fix its variation.
    first
        Position of the batch's first image in the epoch.

    Returns
    -------
    images : float32, shape (B, S, S)
        Augmented images.
    masks : uint8, shape (B, S, S)
        Their masks, moved in the same way.
    """
    size = data.crop or len(data.images[0])
    images = np.empty((len(indices), size, size), np.float32)
    masks = np.empty(images.shape, np.uint8)
    for position, index in enumerate(indices, first):
        image, mask = data.images[index], data.masks[index]
        if data.crop is not None:
            rng = np.random.default_rng((seed, _CROP, epoch, position))
            wanted = data.class_pixels[index] if position % 2 else ()
            corner = draw_corner(mask.shape, size, wanted, rng)
            image, mask = cut(image, mask, corner, size, config.margin(size))
        rng = np.random.default_rng((seed, _AUGMENTATION, epoch, position))
        images[position - first], masks[position - first] = augment(image, mask, config, rng, size)
    return images, masks
