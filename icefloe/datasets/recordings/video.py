"""Video files (AVI, MP4, ...) through PyAV, which brings FFmpeg along."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from icefloe.datasets.raw import one_grey_channel, unreadable
from icefloe.datasets.recordings.recording import Frame, FrameRate, Recording, cut_off
from icefloe.errors import IcefloeError

SUFFIXES = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm", ".wmv")

_NEUTRAL = 8 / 255
"""Compression tints grey by up to this share of full scale."""

_MISCOUNTED = 2
"""Headers count a frame or two that are not there, and frames that were dropped."""

_MOST_TINTED = 0.01
"""Share of an image in colour above which it is no camera's grey frame with a coloured scale bar."""


@dataclass(frozen=True)
class VideoRecording(Recording):
    """A video's brightness, frame by frame in the order of showing."""

    def read(self, start: int) -> Iterator[Frame]:
        n_read = start
        promised = self.n_frames or 0
        with _opened(self.path) as (container, stream):
            # Those before are decoded too: most frames say only what changed, and a palette comes once.
            for frame in islice(container.decode(stream), start, None):
                yield _grey(self.path, frame)
                n_read += 1
        if promised - n_read > max(_MISCOUNTED, promised // 100):
            raise cut_off(self.path, n_read, promised)


def open_video(path: Path) -> VideoRecording:
    """A video as a recording.

    The brightness is taken as stored (a lossy codec's 16 to 235 stay 16 to 235), 8 to 16 bit.

    Raises
    ------
    IcefloeError
        If PyAV is missing, or the file is damaged, without pictures, or in colour.
    """
    with _opened(path) as (container, stream):
        first = next(container.decode(stream), None)
        if first is None:
            raise IcefloeError(f"{path}: the recording has no frames. Check the file it came from.")
        _grey(path, first)  # a colour video is refused before work begins
        rate = stream.average_rate or stream.guessed_rate
        is_even = stream.base_rate in (None, rate)
        source = "from the video's header" if is_even else "on average by the video's header"
        return VideoRecording(
            path=path,
            shape=(first.height, first.width),
            n_frames=stream.frames or None,  # some containers do not count
            frame_rate=FrameRate(rate, source) if rate else None,
            pixel_size_nm=None,
        )


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, Any]]:
    """PyAV's container and video stream; what FFmpeg can't read is one line."""
    try:
        import av
    except ModuleNotFoundError as error:
        raise unreadable(path, error) from error
    try:
        with av.open(path) as container:
            if not container.streams.video:
                raise IcefloeError(f"{path}: a file without pictures. Choose the video itself.")
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            yield container, stream
    except av.error.FFmpegError as error:
        raise unreadable(path, error) from error


def _grey(path: Path, frame: Any) -> Frame:
    """Brightness of a decoded frame, uint8 or uint16, shape (H, W)."""
    kind = frame.format
    if kind.is_rgb or kind.has_palette:
        deep = kind.components[0].bits > 8
        return one_grey_channel(path, frame.to_ndarray(format="rgb48le" if deep else "rgb24"))
    if kind.name.startswith(("gray", "y16")):
        return _plane(frame, 0)
    if not kind.is_planar:  # YUYV and the like, which cameras that are webcams write
        frame = frame.reformat(format="yuv422p")
    full_scale = 2 ** frame.format.components[0].bits - 1
    for index in (1, 2):
        tint = np.abs(_plane(frame, index).astype(np.float32) / full_scale - 0.5)
        if np.count_nonzero(tint > _NEUTRAL) > _MOST_TINTED * tint.size:
            raise IcefloeError(
                f"{path}: a colour video where the camera's grey values are meant. Export it in grey."
            )
    return _plane(frame, 0)


def _plane(frame: Any, index: int) -> Frame:
    """One plane of a frame: brightness (0) or a colour difference (1, 2)."""
    plane, component = frame.planes[index], frame.format.components[index]
    dtype: np.dtype[Any] = np.dtype("u1")
    if component.bits > 8:
        dtype = np.dtype(">u2" if frame.format.is_big_endian else "<u2")
    rows = np.frombuffer(plane, dtype).reshape(plane.height, plane.line_size // dtype.itemsize)
    return rows[:, : plane.width].copy()  # the decoder uses the plane's memory again
