"""X-ray hits: bright specks that are in one frame and not in those before and after."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from icefloe.typing import FloatArray

Frame = NDArray[Any]

BLOCK = 16
"""Frames that are judged by each other; also how many are in memory (twice that at most)."""

LEAST_FRAMES = 4
"""Fewer can't tell an X-ray from the specimen: one frame is the brightest of three by chance."""

SIGMAS = 10.0
"""Height of a hit over the other frames' mean, in their standard deviations.

A lower hit does no harm: in a mean of n frames it is worth 10 / sqrt(n) of that mean's noise. Below, the
electrons themselves are taken for hits: counting statistics are skewed where a pixel gets one or none.
"""

EDGE_SIGMAS = 4.0
"""A hit's charge spreads to neighbours; those above this belong to it."""

LARGEST_PIXELS = 16
"""What is larger is no X-ray: an edge that moved, a flash of the beam."""

_NEIGHBOURHOOD = 7
"""Side of the square over which the noise of single pixels, known from few frames, is pooled."""


class XrayRemover:
    """Replaces X-ray hits by the mean of the same pixel in the other frames around.

    Attributes
    ----------
    n_replaced
        Number of pixels that were X-ray hits and were replaced so far.
    """

    def __init__(self) -> None:
        self.n_replaced = 0

    def clean(self, frames: Iterable[Frame]) -> Iterator[FloatArray]:
        """The frames of one composite, without hits.

        Each frame is judged with 15 others of the composite, whatever the size of pieces it is read in; of
        fewer than 4 frames nothing is replaced.

        Parameters
        ----------
        frames : iterable of arrays of any real dtype, shape (H, W)
            Camera frames in counts or grey levels, all of one size.

        Yields
        ------
        float32, shape (H, W)
        """
        window: list[FloatArray] = []
        waiting = 0
        for frame in frames:
            window.append(frame.astype(np.float32))
            waiting += 1
            if waiting == BLOCK:
                window = window[-BLOCK:]
                yield from self._judged(window, waiting)
                waiting = 0
        if waiting:
            yield from self._judged(window[-BLOCK:], waiting)

    def _judged(self, window: list[FloatArray], n_last: int) -> Iterator[FloatArray]:
        """The last frames of a window, cleaned by all of it."""
        judged = window[len(window) - n_last :]
        if len(window) < LEAST_FRAMES:
            yield from judged
            return
        mean, noise, highest = _others(window)
        threshold = mean + np.float32(SIGMAS) * noise
        has_hits = (highest > threshold).any()
        for frame in judged:
            yield self._without_hits(frame, mean, noise, threshold) if has_hits else frame

    def _without_hits(
        self, frame: FloatArray, mean: FloatArray, noise: FloatArray, threshold: FloatArray
    ) -> FloatArray:
        if not (frame > threshold).any():
            return frame
        specks, n_specks = ndimage.label(frame > mean + np.float32(EDGE_SIGMAS) * noise, np.ones((3, 3)))
        sizes = np.bincount(specks.ravel(), minlength=n_specks + 1)
        is_hit = np.zeros(n_specks + 1, bool)
        is_hit[specks[frame > threshold]] = True
        is_hit &= sizes <= LARGEST_PIXELS
        hits = is_hit[specks]
        self.n_replaced += int(np.count_nonzero(hits))
        return np.where(hits, mean, frame)


def _others(window: list[FloatArray]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mean and noise of each pixel without its highest frame, and that highest value; each (H, W)."""
    total = np.zeros(window[0].shape)
    squares = np.zeros(window[0].shape)
    highest = window[0].copy()
    for frame in window:
        total += frame
        squares += np.square(frame, dtype=np.float64)
        np.maximum(highest, frame, out=highest)
    n_others = len(window) - 1
    mean = (total - highest) / n_others
    variance = (squares - np.square(highest, dtype=np.float64)) / n_others - mean**2
    pooled = ndimage.uniform_filter(variance, _NEIGHBOURHOOD)
    noise = np.sqrt(np.maximum(pooled, np.finfo(np.float32).tiny))
    return mean.astype(np.float32), noise.astype(np.float32), highest
