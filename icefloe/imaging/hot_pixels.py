"""Pixels of the camera that are wrong in every frame: hot, dead, or noisier than their neighbours."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from icefloe.errors import IcefloeError
from icefloe.typing import FloatArray

Frame = NDArray[Any]

LOOKED_AT = 64
"""Frames from which hot pixels are found: the first of a recording."""

LEAST_FRAMES = 8
"""With fewer, counting statistics look like hot pixels."""

SIGMAS = 8.0
"""How far a hot pixel stands out from its neighbours, in robust standard deviations of all such distances
around."""

LARGEST_PIXELS = 4
"""Wrong pixels come alone, or as a few that touch; what is larger is a feature of the specimen."""

_MEDIAN_SIDE = 5
_TO_SIGMA = 0.608
"""Standard deviation of a normal deviate over the 90th percentile of its distance from 0."""

_AROUND = 4
"""Pixels on each side of a pixel whose distances are compared with its own."""


@dataclass(frozen=True)
class HotPixels:
    """Wrong pixels and what replaces them.

    Attributes
    ----------
    where : intp, shape (N, 2)
        Row and column, in px, of each of N wrong pixels.
    """

    where: NDArray[np.intp]
    _sources: NDArray[np.intp]
    _weights: FloatArray

    def __len__(self) -> int:
        return len(self.where)

    def repair(self, frame: Frame) -> FloatArray:
        """A frame with its wrong pixels replaced by the mean of the right ones that touch them.

        Parameters
        ----------
        frame : any real dtype, shape (H, W)
            Camera frame in counts or grey levels, of the size that the wrong pixels were found in.

        Returns
        -------
        float32, shape (H, W)
        """
        repaired = frame.astype(np.float32)
        values = repaired[self._sources[..., 0], self._sources[..., 1]]
        repaired[self.where[:, 0], self.where[:, 1]] = (values * self._weights).sum(axis=1)
        return repaired


def find_hot_pixels(frames: Iterable[Frame], name: object) -> HotPixels:
    """Find wrong pixels: their mean over frames, or its deviation, stands out where nothing near does.

    The highest frame of each pixel counts in neither, so that an X-ray hit makes no hot pixel. The specimen
    can't stand out by one pixel: the detector's point spread and the optics are wider.

    Parameters
    ----------
    frames : iterable of arrays of any real dtype, shape (H, W)
        Camera frames in counts or grey levels; the first `LOOKED_AT` are read.
    name
        What the error calls the recording.

    Returns
    -------
    HotPixels

    Raises
    ------
    IcefloeError
        If there are fewer than `LEAST_FRAMES`.
    """
    mean, deviation, n_frames = _trimmed_moments(islice(frames, LOOKED_AT))
    if n_frames < LEAST_FRAMES:
        raise IcefloeError(
            f"{name}: {n_frames} frames are too few to tell hot pixels from noise; "
            f"{LEAST_FRAMES} are needed. Leave --hot-pixels out."
        )
    wrong = _stands_out(mean, both_ways=True) | _stands_out(deviation, both_ways=False)
    labels, n_labels = ndimage.label(wrong, np.ones((3, 3)))
    is_small = np.bincount(labels.ravel(), minlength=n_labels + 1) <= LARGEST_PIXELS
    is_small[0] = False
    return with_neighbours(is_small[labels])


def _trimmed_moments(frames: Iterable[Frame]) -> tuple[NDArray[Any], NDArray[Any], int]:
    """Mean and standard deviation over frames of each pixel without its highest; and how many frames."""
    total = squares = highest = np.zeros(0)
    n_frames = 0
    for frame in frames:
        values = frame.astype(np.float64)
        if not n_frames:
            total, squares, highest = np.zeros_like(values), np.zeros_like(values), values.copy()
        total += values
        squares += values**2
        np.maximum(highest, values, out=highest)
        n_frames += 1
    n_others = max(n_frames - 1, 1)
    mean = (total - highest) / n_others
    variance = (squares - highest**2) / n_others - mean**2
    return mean, np.sqrt(np.maximum(variance, 0)), n_frames


def _stands_out(values: NDArray[Any], both_ways: bool) -> NDArray[np.bool_]:
    """Where the distance from the median around is far above such distances around."""
    distance = values - ndimage.median_filter(values, _MEDIAN_SIDE)
    height = np.abs(distance) if both_ways else distance
    # Noise grows with brightness, and edges and fringes are distances too: what is alike around is no fault.
    candidates = height > SIGMAS / 2 * ndimage.uniform_filter(np.abs(distance), 4 * _AROUND + 1)
    where = np.argwhere(candidates)
    spread = _TO_SIGMA * np.percentile(_around(np.abs(distance), where), 90, axis=1)
    candidates[candidates] = height[candidates] > SIGMAS * spread
    return candidates


def _around(values: NDArray[Any], where: NDArray[np.intp]) -> NDArray[Any]:
    """Values around N pixels but those that touch them, shape (N, 72); mirrored at the image's margin."""
    padded = np.pad(values, _AROUND, mode="symmetric")
    steps = np.arange(2 * _AROUND + 1)
    patches = padded[where[:, 0, None, None] + steps[:, None], where[:, 1, None, None] + steps]
    touching = np.hypot(steps[:, None] - _AROUND, steps - _AROUND) < 2
    return patches[:, ~touching]


def with_neighbours(wrong: NDArray[np.bool_]) -> HotPixels:
    """Wrong pixels that are known, with the right ones that touch them; those that none touches are left out.

    Parameters
    ----------
    wrong : bool, shape (H, W)
        Whether a pixel is wrong.
    """
    where = np.argwhere(wrong)
    around = np.array([(row, column) for row in (-1, 0, 1) for column in (-1, 0, 1) if row or column])
    sources = where[:, None] + around
    inside = ((sources >= 0) & (sources < wrong.shape)).all(axis=2)
    sources = np.clip(sources, 0, np.array(wrong.shape) - 1)
    right = inside & ~wrong[sources[..., 0], sources[..., 1]]
    repairable = right.any(axis=1)
    right = right[repairable]
    weights = right / right.sum(axis=1, keepdims=True)
    return HotPixels(where[repairable], sources[repairable], weights.astype(np.float32))
