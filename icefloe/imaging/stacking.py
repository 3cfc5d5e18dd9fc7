"""Camera frames averaged into composites, one frame in memory at a time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from icefloe.errors import IcefloeError
from icefloe.typing import FloatArray


@dataclass(frozen=True)
class Composite:
    """The mean of consecutive frames.

    Attributes
    ----------
    image : float32, shape (H, W)
        In the frames' intensity units.
    first_frame
        Index of its first frame in the recording.
    n_frames
        How many frames were averaged; fewer than the others in a short tail.
    """

    image: FloatArray
    first_frame: int
    n_frames: int


def composites(
    frames: FloatArray | Iterable[FloatArray], per_composite: int, min_tail: float = 0.5
) -> Iterator[Composite]:
    """Average every `per_composite` frames, those of one second in Baskaran et al. 2022.

    Sums are kept in float64, so long recordings of bright 16-bit frames lose nothing. The frames left over at
    the end (the published code drops them silently) become a composite of their own when they are at least
    `min_tail` of a full one, and are otherwise joined to the last: no frame is lost, and each composite says
    how many it holds.

    Parameters
    ----------
    frames : shape (T, H, W), or an iterable of (H, W)
        An iterator is read once, and never further ahead than the composite being made.
    per_composite
        Frames in a composite, at least 1: the frame rate (1/s) times the seconds wanted.
    min_tail
        Smallest tail that stands alone, as a share of `per_composite` in [0, 1]. A noisier composite than
        this would look like a change of dose.

    Yields
    ------
    Composite

    Raises
    ------
    IcefloeError
        If `per_composite` is below 1, there are no frames, or a frame's shape differs from the first's.
    """
    if per_composite < 1:
        raise IcefloeError(f"A composite needs at least one frame; {per_composite} asked for.")
    pending: _Sum | None = None
    current = _Sum(0)
    for index, frame in enumerate(frames):
        current.add(frame, index)
        if current.n_frames == per_composite:
            if pending:
                yield pending.composite()
            pending, current = current, _Sum(index + 1, current.shape)
    if pending is None and not current.n_frames:
        raise IcefloeError("The recording has no frames. Check the file it came from.")
    if pending and 0 < current.n_frames < min_tail * per_composite:
        pending.join(current)
        current = _Sum(0)
    for last in (pending, current):
        if last and last.n_frames:
            yield last.composite()


class _Sum:
    """A running sum of frames."""

    def __init__(self, first_frame: int, shape: tuple[int, ...] | None = None) -> None:
        self.first_frame = first_frame
        self.n_frames = 0
        self.shape = shape
        self._total: np.ndarray | None = None

    def add(self, frame: FloatArray, index: int) -> None:
        if self.shape is not None and frame.shape != self.shape:
            raise IcefloeError(
                f"Frame {index} has shape {frame.shape} but the first has {self.shape}. "
                "Stack frames of one size only."
            )
        if self._total is None:
            self.shape = frame.shape
            self._total = np.zeros(frame.shape, np.float64)
        self._total += frame
        self.n_frames += 1

    def join(self, other: "_Sum") -> None:
        assert self._total is not None
        self._total += other._total
        self.n_frames += other.n_frames

    def composite(self) -> Composite:
        assert self._total is not None
        image = (self._total / self.n_frames).astype(np.float32)
        return Composite(image, self.first_frame, self.n_frames)
