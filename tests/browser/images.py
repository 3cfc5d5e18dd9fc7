"""Images to label in a browser: a bright crystal each, and the mask that an ensemble might give for it."""

import numpy as np

SHAPE = (96, 128)
CLASSES = ("background", "ice")
STEMS = ("stack_1", "stack_2", "stack_3")


def truth(stem: str) -> np.ndarray:
    """A disc; uint8, shape SHAPE."""
    rows, columns = np.indices(SHAPE)
    middle = 50 + 10 * STEMS.index(stem)
    return ((rows - 50) ** 2 + (columns - middle) ** 2 < 24**2).astype(np.uint8)


def presegmentation(stem: str) -> np.ndarray:
    """The disc with a hole, and a speck beside it."""
    mask = truth(stem)
    middle = 50 + 10 * STEMS.index(stem)
    mask[46:52, middle - 2 : middle + 4] = 0
    mask[5:7, 120:122] = 1
    return mask


def image(stem: str) -> np.ndarray:
    """The disc, brighter, in noise; uint16, shape SHAPE."""
    rng = np.random.default_rng(STEMS.index(stem))
    return (8000 + 9000.0 * truth(stem) + rng.normal(0, 900, SHAPE)).clip(0, 65535).astype(np.uint16)
