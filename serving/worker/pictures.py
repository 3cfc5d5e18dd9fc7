"""Pictures for browsers, written while somebody waits."""

import numpy as np
from imagecodecs import PNG, png_encode

from icefloe.typing import MaskArray


def png(values: MaskArray) -> bytes:
    """8-bit PNG, grey of shape (H, W) or colour of (H, W, 3).

    Paeth's filter leaves nothing in a smooth map for deflate to search for: by run lengths alone it is as
    small, in half the time.
    """
    return bytes(
        png_encode(
            np.ascontiguousarray(values),
            level=PNG.COMPRESSION.SPEED,
            strategy=PNG.STRATEGY.RLE,
            filter=PNG.FILTER.PAETH,
        )
    )
