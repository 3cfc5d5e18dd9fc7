"""Frames that lie one after the other as plain numbers in a file, at equal distances."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np

from icefloe.datasets.recordings.recording import Frame, Recording, cut_off
from icefloe.errors import IcefloeError


@dataclass(frozen=True)
class Layout:
    """Where the frames of a file lie.

    Attributes
    ----------
    offset
        Byte of the first frame's first pixel.
    stride
        Bytes from one frame to the next.
    shape
        (H, W) of a frame in px.
    dtype
        Stored type, with its byte order.
    bottom_up
        Whether the last row of the picture is stored first.
    """

    offset: int
    stride: int
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    bottom_up: bool = False

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame's pixels."""
        return self.shape[0] * self.shape[1] * self.dtype.itemsize

    def n_complete(self, file_bytes: int) -> int:
        """How many frames lie wholly within a file of that size."""
        beyond_first = file_bytes - self.offset - self.frame_bytes
        return 0 if beyond_first < 0 else beyond_first // self.stride + 1


@dataclass(frozen=True)
class PlainRecording(Recording):
    """A recording whose frames need no decoding.

    The frames are read, not mapped into memory: what a map has touched counts as the process's memory, which
    then grows with the recording.
    """

    layout: Layout

    def read(self, start: int) -> Iterator[Frame]:
        n_frames = self.n_frames or 0
        with self.path.open("rb", buffering=0) as file:
            for index in range(start, n_frames):
                file.seek(self.layout.offset + index * self.layout.stride)
                frame = _read_frame(file, self.layout)
                if frame is None:
                    raise cut_off(self.path, index, n_frames)
                yield frame[::-1] if self.layout.bottom_up else frame


def n_frames_of(path: Path, layout: Layout, promised: int, growing: bool) -> int:
    """How many frames to read of a file whose header promises `promised`.

    A growing file's header is of the time when it was begun, so what lies in the file counts.

    Raises
    ------
    IcefloeError
        If a file that does not grow is cut off, or holds no frame or no number.
    """
    if layout.dtype.kind not in "buif" or min(layout.shape) < 1:
        raise IcefloeError(f"{path}: {layout.dtype} pixels are no grey values. Export it as TIFF.")
    complete = layout.n_complete(path.stat().st_size)
    if growing:
        return complete
    if complete < promised:
        raise cut_off(path, complete, promised)
    return promised


def _read_frame(file: FileIO, layout: Layout) -> Frame | None:
    """The frame at the file's position, or None where the file ends before its last pixel."""
    frame = np.empty(layout.shape, layout.dtype)
    to_fill = frame.reshape(-1).view(np.uint8)
    while len(to_fill):  # a network drive may give less than what is asked for
        n_bytes = file.readinto(to_fill.data)
        if not n_bytes:
            return None
        to_fill = to_fill[n_bytes:]
    return frame
