"""Camera frames averaged into composites, a few frames in memory at a time."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain, count, islice
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from icefloe.errors import IcefloeError
from icefloe.imaging.alignment import AlignedMean, DriftTracker, Shift
from icefloe.imaging.hot_pixels import HotPixels
from icefloe.imaging.xrays import XrayRemover
from icefloe.typing import FloatArray

Frame = NDArray[Any]

LEAST_TAIL = Fraction(1, 2)
"""Share of a composite's frames that a tail needs to be kept: a noisier one looks like a change of dose."""

_SAME_TIME_S = 1e-6
"""Time stamps are fractions that floats miss: 0.999999999 s is of the next second."""

BLOCKS = 5
"""Means in a composite whose drift is measured: single frames are too noisy, a second is too long."""


@dataclass(frozen=True)
class Composite:
    """The mean of consecutive frames.

    Attributes
    ----------
    image : float32, shape (H, W)
        Mean of the frames, in their intensity unit (counts or grey levels).
    index
        Position in the recording: the second, where composites are seconds.
    first_frame
        Index of its first frame in the recording.
    n_frames
        Number of frames that were averaged.
    is_tail
        Whether they are fewer than a composite has, because the recording ended.
    xray_pixels
        Pixels of its frames that were X-ray hits and were replaced.
    drift : tuple of Shift
        Where the specimen was in each of a few blocks of frames; empty where drift was not followed.
    unseen_pixels
        Pixels at the margin that drift took out of every frame, filled from their neighbours.
    """

    image: FloatArray
    index: int
    first_frame: int
    n_frames: int
    is_tail: bool = False
    xray_pixels: int = 0
    drift: tuple[Shift, ...] = ()
    unseen_pixels: int = 0

    @property
    def displacement(self) -> tuple[float, float] | None:
        """Mean displacement of the specimen in px (row, column); None where drift was not followed."""
        if not self.drift:
            return None
        row, column = self._places().mean(axis=0)
        return float(row), float(column)

    @property
    def drift_scatter(self) -> float | None:
        """How far the blocks' places scatter about a straight line, in px (standard deviation along an axis).

        The error of a place, or a tremor of the specimen; None of fewer than three blocks.
        """
        n_blocks = len(self.drift)
        if n_blocks < 3:
            return None
        line = np.stack([np.ones(n_blocks), np.arange(n_blocks)], axis=1)
        residuals = self._places() - line @ np.linalg.lstsq(line, self._places())[0]
        return float(np.sqrt(np.sum(residuals**2) / (2 * (n_blocks - 2))))

    def _places(self) -> NDArray[np.float64]:
        return np.array([(shift.row, shift.column) for shift in self.drift])


def first_frame_of(index: int, per_composite: Fraction) -> int:
    """First frame of a composite; `per_composite` being the rate, frame i is of second floor(i / rate)."""
    return ceil(index * per_composite)


def composites_by_time(times_s: Sequence[float]) -> tuple[int, ...]:
    """First frame of each composite of a second, by the frames' own times.

    A second without a frame has no composite.

    Parameters
    ----------
    times_s
        Time of each frame in s, ascending.

    Returns
    -------
    tuple of int
        Indices of first frames; the last entry is the frame that would follow a last composite whose second
        is over, and lies beyond the end where it is not.
    """
    times = np.asarray(times_s, np.float64)
    seconds = np.floor(times + _SAME_TIME_S).astype(int)
    firsts = np.flatnonzero(np.diff(seconds, prepend=-1))
    n_last = len(times) - firsts[-1]
    interval = float(np.median(np.diff(times[firsts[-1] :]))) if n_last > 1 else 1.0
    covered = times[-1] + interval - seconds[-1]
    missing = max(0, round((1 - covered) / interval)) if interval > 0 else 0
    return (*(int(first) for first in firsts), len(times) + missing)


@dataclass
class Stacker:
    """Averages frames to composites.

    Parameters
    ----------
    per_composite
        Frames in a composite, at least 1: the frame rate (1/s) for composites of a second (Baskaran et al.
        2022), which need not be whole. Of 29.97 Hz composite k has the frames that begin in second k: 30 of
        them, and now and then 29.
    keep_tail
        Whether frames left over at the end (the published code drops them silently) become a composite; None
        keeps them if they are at least half of one.
    hot_pixels
        Wrong pixels to repair in every frame.
    remove_xrays
        Whether X-ray hits are replaced before averaging (`XrayRemover`).
    drift
        Follow the specimen and undo its motion; None leaves the frames where they are.
    firsts
        Where frames are not evenly spaced in time, the first frame of each composite (`composites_by_time`);
        it takes the place of `per_composite`.

    Attributes
    ----------
    n_frames
        Frames read so far.
    n_dropped
        Frames of the tail that were left out.
    """

    per_composite: Fraction
    keep_tail: bool | None = None
    hot_pixels: HotPixels | None = None
    remove_xrays: bool = False
    drift: DriftTracker | None = None
    firsts: tuple[int, ...] = ()
    n_frames: int = field(default=0, init=False)
    n_dropped: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.per_composite < 1:
            raise IcefloeError(
                f"A composite needs at least one frame; {float(self.per_composite):g} asked for."
            )

    def first_frame(self, index: int) -> int:
        """First frame of a composite; one beyond the last where there is no such composite."""
        if not self.firsts:
            return first_frame_of(index, self.per_composite)
        return self.firsts[min(index, len(self.firsts) - 1)]

    def composites(self, frames: Iterable[Frame], first: int = 0) -> Iterator[Composite]:
        """Composites of a recording, each as soon as its last frame is there.

        Sums are kept in float64, so long recordings of bright 16-bit frames lose nothing. Without drift and
        X-rays a composite is the mean exactly, and depends on its own frames only.

        Parameters
        ----------
        frames : iterable of arrays of any real dtype, shape (H, W)
            Camera frames in counts or grey levels, from the first frame of composite `first` on; read once,
            and never further ahead than needed.
        first
            Index of the first composite to make.

        Yields
        ------
        Composite

        Raises
        ------
        IcefloeError
            If a frame's shape differs from the first's.
        """
        source = self._counted(frames, self.first_frame(first))
        for index in count(first):
            composite = self._composite(source, index)
            if composite is None:
                return
            if not composite.is_tail:
                yield composite
                continue
            share = Fraction(composite.n_frames) / self._length(index)
            if share >= LEAST_TAIL if self.keep_tail is None else self.keep_tail:
                yield composite
            else:
                self.n_dropped = composite.n_frames
            return

    def _length(self, index: int) -> Fraction:
        """Frames that a composite has when it is whole."""
        if not self.firsts:
            return self.per_composite
        return Fraction(self.first_frame(index + 1) - self.first_frame(index))

    def _counted(self, frames: Iterable[Frame], start: int) -> Iterator[Frame]:
        shape = None
        for frame in frames:
            shape = shape or frame.shape
            if frame.shape != shape:
                raise IcefloeError(
                    f"Frame {start + self.n_frames} has shape {frame.shape} but the first has {shape}. "
                    "Stack frames of one size only."
                )
            self.n_frames += 1
            yield frame

    def _composite(self, source: Iterator[Frame], index: int) -> Composite | None:
        """The next composite of what is left; None where nothing is."""
        start, n_before = self.first_frame(index), self.n_frames
        wanted = self.first_frame(index + 1) - start
        if not wanted:  # time stamps end here
            return None
        frames: Iterable[Frame] = islice(source, wanted)
        if self.hot_pixels is not None and len(self.hot_pixels):
            frames = map(self.hot_pixels.repair, frames)
        xrays = XrayRemover()
        if self.remove_xrays:
            frames = xrays.clean(frames)
        blocks = _block_means(frames, wanted, min(BLOCKS, wanted) if self.drift else 1)
        first = next(blocks, None)
        if first is None:
            return None
        image, drift, unseen = (
            _aligned(chain([first], blocks), self.drift) if self.drift else (first.image, (), 0)
        )
        n_frames = self.n_frames - n_before
        return Composite(image, index, start, n_frames, n_frames < wanted, xrays.n_replaced, drift, unseen)


@dataclass(frozen=True)
class _Block:
    """The mean of a few frames, float32 of shape (H, W)."""

    image: FloatArray
    n_frames: int


def _block_means(frames: Iterable[Frame], wanted: int, n_blocks: int) -> Iterator[_Block]:
    """Means of `wanted` frames in `n_blocks` blocks of about equal length, each when it is complete."""
    total: NDArray[np.float64] | None = None
    n_frames = block = 0
    for position, frame in enumerate(frames):
        if total is not None and position * n_blocks // wanted > block:
            yield _Block((total / n_frames).astype(np.float32), n_frames)
            total, n_frames, block = None, 0, block + 1
        total = frame.astype(np.float64) if total is None else np.add(total, frame, out=total)
        n_frames += 1
    if total is not None:
        yield _Block((total / n_frames).astype(np.float32), n_frames)


def _aligned(blocks: Iterable[_Block], tracker: DriftTracker) -> tuple[FloatArray, tuple[Shift, ...], int]:
    """The mean of blocks with the specimen where it was at first, where it was, and pixels never seen."""
    mean: AlignedMean | None = None
    drift = []
    for block in blocks:
        shift = tracker.locate(block.image)
        drift.append(shift)
        mean = mean or AlignedMean(block.image.shape)
        mean.add(block.image, shift, block.n_frames)
        if tracker.is_beginning:
            tracker.look_at(mean.image()[0])
    assert mean is not None
    image, unseen = mean.image()
    tracker.learn(image)
    return image, tuple(drift), unseen
