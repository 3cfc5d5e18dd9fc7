"""Images for few-shot sessions: a mosaic of three textures, whose shares change from frame to frame."""

import numpy as np

SHAPE = (256, 384)
EDGE = 32
"""Of chips; the textures' borders lie on this grid."""

TEXTURES = ("stripes", "dots", "noise")
STEMS = ("mosaic_1", "mosaic_2", "mosaic_3")


def truth(stem: str) -> np.ndarray:
    """Texture of each chip; uint8, shape (8, 12): stripes left, dots in the middle, noise right."""
    first = 4 - STEMS.index(stem)
    return np.tile(np.repeat([0, 1, 2], [first, 4, 8 - first]), (SHAPE[0] // EDGE, 1)).astype(np.uint8)


def chips_of(stem: str, texture: str) -> list[int]:
    """Numbers of a texture's chips."""
    return np.flatnonzero(truth(stem).ravel() == TEXTURES.index(texture)).tolist()


def mosaic(stem: str) -> np.ndarray:
    """uint16, shape SHAPE."""
    rng = np.random.default_rng(STEMS.index(stem))
    rows, columns = np.indices(SHAPE)
    stripes = np.sin(2 * np.pi * rows / 8)
    dots = (np.hypot(rows % 16 - 8, columns % 16 - 8) < 4) * 2.0 - 1
    noise = rng.normal(0, 1, SHAPE)
    drawn = np.choose(np.kron(truth(stem), np.ones((EDGE, EDGE), np.uint8)), [stripes, dots, noise])
    return (20000 + 6000 * drawn + rng.normal(0, 600, SHAPE)).clip(0, 65535).astype(np.uint16)
