"""NumPy arrays, and pictures that are small enough for memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from icefloe.datasets.raw import unreadable
from icefloe.datasets.readers import load_raw
from icefloe.datasets.recordings.layout import Layout, PlainRecording, n_frames_of
from icefloe.datasets.recordings.recording import Frame, Recording
from icefloe.errors import IcefloeError


@dataclass(frozen=True)
class PictureRecording(Recording):
    """The frames of a picture file, such as a GIF, all in memory."""

    stack: NDArray[Any]

    def read(self, start: int) -> Iterator[Frame]:
        yield from self.stack[start:]


def open_picture(path: Path) -> PictureRecording:
    """A picture as a recording of one frame, or of its pages.

    Raises
    ------
    IcefloeError
        As `readers.load_raw`.
    """
    data = load_raw(path).data
    stack = data if data.ndim == 3 else data[None]
    return PictureRecording(path, (stack.shape[1], stack.shape[2]), len(stack), None, None, stack)


def open_numpy(path: Path) -> PlainRecording:
    """A NumPy array of shape (T, H, W) or (H, W) as a recording.

    Raises
    ------
    IcefloeError
        If the file is damaged or cut off, or holds anything else.
    """
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise unreadable(path, error) from error
    if array.ndim not in (2, 3) or (np.isfortran(array) and array.size > 1):
        raise IcefloeError(
            f"{path}: {array.ndim} dimensions of {array.dtype} in this order are no frames. "
            "Save an array of (frames, rows, columns) in C order."
        )
    shape = (array.shape[-2], array.shape[-1])
    layout = Layout(array.offset, array.itemsize * shape[0] * shape[1], shape, array.dtype)
    n_frames = n_frames_of(path, layout, len(array) if array.ndim == 3 else 1, growing=False)
    return PlainRecording(path, shape, n_frames, None, None, layout)
