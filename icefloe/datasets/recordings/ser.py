"""Series of images that TIA (FEI, Thermo Fisher) writes.

Layout: C. B. Boothroyd's description of the format and RosettaSciIO's reader, which loads all frames at once.
"""

import struct
from io import BufferedReader
from pathlib import Path

import numpy as np

from icefloe.datasets.raw import unreadable
from icefloe.datasets.recordings.layout import Layout, PlainRecording, n_frames_of
from icefloe.datasets.recordings.recording import FrameRate
from icefloe.datasets.tia import CALIBRATION, DTYPES, IMAGES, SHORT_OFFSETS, refuse_absurd_series
from icefloe.datasets.units import pixel_size_nm
from icefloe.errors import IcefloeError

_LEAST_SECONDS = 10
"""Over fewer, times in whole seconds say nothing of a rate."""


def open_ser(path: Path) -> PlainRecording:
    """A TIA series as a recording.

    Only frames that were recorded are counted, not those that were asked for. The rate follows from the
    frames' times, which are whole seconds, where the series lasted at least ten.

    Raises
    ------
    IcefloeError
        If the file is damaged or cut off, or holds spectra or pictures of several sizes.
    """
    try:
        refuse_absurd_series(path)
        with path.open("rb") as file:
            offsets = _offsets(path, file)
            file.seek(offsets[0])
            first = CALIBRATION.unpack(file.read(CALIBRATION.size))
            _, scale_x, _, _, scale_y, _, kind, columns, rows = first
            layout = Layout(
                offset=int(offsets[0]) + CALIBRATION.size,
                stride=int(offsets[1] - offsets[0]) if len(offsets) > 1 else 1,
                shape=(rows, columns),
                dtype=np.dtype(DTYPES[kind]),
                bottom_up=True,
            )
            n_frames = n_frames_of(path, layout, len(offsets), growing=False)
            times = [_time(file, layout, int(offset)) for offset in offsets[[0, -1]]]
    # A damaged header points anywhere.
    except (struct.error, KeyError, IndexError, ValueError, OverflowError, OSError) as error:
        raise unreadable(path, error) from error
    axes = [{"units": "m", "scale": scale} for scale in (scale_y, scale_x)]
    return PlainRecording(
        path=path,
        shape=layout.shape,
        n_frames=n_frames,
        frame_rate=_frame_rate(n_frames, times[1] - times[0]),
        pixel_size_nm=pixel_size_nm(axes),
        layout=layout,
    )


def _offsets(path: Path, file: BufferedReader) -> np.ndarray:
    """Byte at which each recorded frame begins, with its calibration."""
    _, _, version, content, _, _, n_valid = struct.unpack("<3H4I", file.read(22))
    wide = version > SHORT_OFFSETS
    (table,) = struct.unpack("<Q" if wide else "<I", file.read(8 if wide else 4))
    if content != IMAGES:
        raise IcefloeError(f"{path}: holds spectra, not images. Choose the file of the recording itself.")
    file.seek(table)
    dtype = np.dtype("<u8" if wide else "<u4")
    offsets = np.frombuffer(file.read(n_valid * dtype.itemsize), dtype).astype(np.int64)
    if len(offsets) != n_valid or (np.diff(offsets, n=2) != 0).any():
        raise ValueError("its frames do not lie at equal distances")
    if not n_valid:
        raise IcefloeError(f"{path}: the recording has no frames. Check the file it came from.")
    return offsets


def _time(file: BufferedReader, layout: Layout, offset: int) -> int:
    """When the frame at `offset` was taken, in seconds since 1970."""
    file.seek(offset + CALIBRATION.size + layout.frame_bytes + 4)
    (seconds,) = struct.unpack("<I", file.read(4))
    return int(seconds)


def _frame_rate(n_frames: int, seconds: int) -> FrameRate | None:
    if seconds < _LEAST_SECONDS:
        return None
    precision = f"from the frames' times, {n_frames} in {seconds} +- 1 s"
    return FrameRate.of_interval(seconds / (n_frames - 1), precision)
