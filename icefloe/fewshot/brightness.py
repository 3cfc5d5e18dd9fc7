"""How bright a chip is: numbers that an encoder's features, made for contours, say little of."""

import numpy as np

from icefloe.fewshot.grid import Grid
from icefloe.typing import FloatArray

N_NUMBERS = 5
WEIGHT = 0.5
"""Of brightness beside an encoder's features. Chosen on images with masks (docs/fewshot.md): with more,
textures of equal brightness are confused; with less, phases that differ in nothing else."""

_QUANTILES = (0.1, 0.5, 0.9)


def with_brightness(features: FloatArray, image: FloatArray, grid: Grid) -> FloatArray:
    """Features and brightness of each chip.

    Brightness is the mean, standard deviation and three quantiles of a chip's grey values, in units that make
    a difference of one standard deviation of the image count as much as `WEIGHT` times the features' own
    spread, whatever the encoder.

    Parameters
    ----------
    features : float32, shape (N, F)
        The chips', by an encoder.
    image : float32, shape (H, W)
        Of mean 0 and standard deviation 1.
    grid
        Of the N chips.

    Returns
    -------
    float32, shape (N, F + N_NUMBERS)
    """
    chips = grid.chips(image).reshape(grid.n_chips, -1)
    numbers = np.stack(
        [chips.mean(axis=1), chips.std(axis=1), *np.quantile(chips, _QUANTILES, axis=1)], axis=1
    )
    spread = np.sqrt(features.var(axis=0, dtype=np.float64).sum())
    return np.hstack([features, WEIGHT * spread * numbers]).astype(np.float32)
