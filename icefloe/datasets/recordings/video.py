"""Video files (AVI, MP4, ...) through PyAV, which brings FFmpeg along."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from icefloe.datasets.raw import one_grey_channel, unreadable
from icefloe.datasets.recordings.recording import Frame, FrameRate, Recording, cut_off
from icefloe.errors import IcefloeError

SUFFIXES = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm", ".wmv")

_NEUTRAL = 8 / 255
"""Compression tints grey by up to this share of full scale."""

_SAME_TIME_S = 1e-3

_MISCOUNTED = 2
"""Headers count a frame or two that are not there, and frames that were dropped."""

_LEAST_FRAMES = 3
"""Fewer frames have no rate to differ from."""

_MOST_TINTED = 0.01
"""Share of an image in colour above which it is no camera's grey frame with a coloured scale bar."""


@dataclass(frozen=True)
class VideoRecording(Recording):
    """A video's brightness, frame by frame in the order of showing."""

    def read(self, start: int) -> Iterator[Frame]:
        n_read = start
        promised = self.n_frames or 0
        origin = None
        with _opened(self.path) as (container, stream):
            # Those before are decoded too: most frames say only what changed, and a palette comes once.
            for index, frame in enumerate(container.decode(stream)):
                origin = frame.pts if origin is None else origin
                if index < start:
                    continue
                if self.times_s is not None:
                    self._check_time(index, frame.pts, origin, stream.time_base)
                yield _grey(self.path, frame)
                n_read += 1
        if promised - n_read > max(_MISCOUNTED, promised // 100):
            raise cut_off(self.path, n_read, promised)

    def _check_time(self, index: int, stamp: int | None, origin: int | None, time_base: Fraction) -> None:
        """Refuse a frame that is not the one whose time stamp is known by its index."""
        times = self.times_s or ()
        time = float((stamp - origin) * time_base) if stamp is not None and origin is not None else np.inf
        if index >= len(times) or abs(time - times[index]) > _SAME_TIME_S:
            raise IcefloeError(
                f"{self.path}: frame {index} does not have the time stamp that the file's index says. "
                "Convert it to a constant frame rate, or give the rate with --frame-rate HZ."
            )


def open_video(path: Path) -> VideoRecording:
    """A video as a recording.

    The brightness is taken as stored (a lossy codec's 16 to 235 stay 16 to 235), 8 to 16 bit. Time stamps
    are looked at for every frame: where they are not even, each frame keeps its own time.

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
        shape = first.height, first.width
    with _opened(path) as (container, stream):
        times = _times_s(container, stream)
        rate, are_even = _frame_rate(stream, times)
        return VideoRecording(
            path=path,
            shape=shape,
            n_frames=stream.frames or None,  # some containers do not count
            frame_rate=rate,
            pixel_size_nm=None,
            times_s=None if are_even else tuple(times.tolist()),
        )


def _times_s(container: Any, stream: Any) -> NDArray[np.float64]:
    """Times of all frames in s from the first, in the order of showing; empty where one has no time stamp.

    Nothing is decoded.
    """
    found = [packet.pts for packet in container.demux(stream) if packet.size and not packet.is_discard]
    if not found or None in found:
        return np.zeros(0)
    stamps = np.sort(np.array(found, np.float64))
    return (stamps - stamps[0]) * float(stream.time_base)


def _frame_rate(stream: Any, times: NDArray[np.float64]) -> tuple[FrameRate | None, bool]:
    """The rate, and whether every frame is less than half an interval from where that rate puts it."""
    promised = stream.average_rate or stream.guessed_rate
    header = FrameRate(promised, "from the video's header") if promised else None
    if len(times) < _LEAST_FRAMES or times[-1] <= 0:
        return header, True
    interval = times[-1] / (len(times) - 1)
    if header and np.abs(times - np.arange(len(times)) / float(header.hz)).max() < interval / 2:
        return header, True
    if np.abs(times - np.arange(len(times)) * interval).max() < interval / 2:
        return FrameRate.of_interval(interval, "by the frames' time stamps"), True
    mean = FrameRate.of_interval(interval, "on average, each frame at its own time stamp")
    return mean and FrameRate(mean.hz, mean.source, is_even=False), False


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
