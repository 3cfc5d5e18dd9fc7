"""MRC stacks, of any camera, and what Direct Electron's software writes beside them."""

import re
import struct
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import rsciio.mrc

from icefloe.datasets.containers import pixel_size_nm
from icefloe.datasets.raw import quiet_readers, unreadable
from icefloe.datasets.recordings.layout import Layout, PlainRecording, n_frames_of
from icefloe.datasets.recordings.recording import FrameRate
from icefloe.errors import IcefloeError

SUFFIXES = (".ali", ".mrc", ".mrcs")

# By the header's mode, as RosettaSciIO reads single images; 8-bit cameras write mode 0 unsigned.
_DTYPES = {0: "u1", 1: "i2", 2: "f4", 6: "u2", 12: "f2"}
_HEADER_BYTES = 1024


@dataclass(frozen=True)
class _Header:
    """The entries of an MRC2014 header that say where the frames are."""

    columns: int
    rows: int
    sections: int
    dtype: np.dtype
    extended_bytes: int


def open_mrc(path: Path, growing: bool) -> PlainRecording:
    """An MRC stack as a recording.

    The format knows no frame rate; Direct Electron's `<name>_info.txt` beside `<name>_movie.mrc` does.

    Raises
    ------
    IcefloeError
        If the header is damaged or the file is cut off.
    """
    header = _read_header(path)
    layout = Layout(
        offset=_HEADER_BYTES + header.extended_bytes,
        stride=header.columns * header.rows * header.dtype.itemsize,
        shape=(header.rows, header.columns),
        dtype=header.dtype,
    )
    notes = _camera_notes(path)
    if notes.get("Scan - Enable") == "Enable":
        raise IcefloeError(
            f"{path}: a scan of diffraction patterns. Choose the file of the recording itself."
        )
    return PlainRecording(
        path=path,
        shape=layout.shape,
        n_frames=n_frames_of(path, layout, header.sections, growing),
        frame_rate=_frame_rate(notes),
        pixel_size_nm=_pixel_size_nm(path, notes),
        layout=layout,
    )


def _read_header(path: Path) -> _Header:
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    if len(header) < _HEADER_BYTES:
        raise unreadable(path, EOFError(f"{len(header)} bytes, less than a header"))
    for order in "<>":  # the machine stamp that should tell is often wrong
        columns, rows, sections, mode = struct.unpack_from(f"{order}4i", header)
        (extended,) = struct.unpack_from(f"{order}i", header, 92)
        if mode in _DTYPES and min(columns, rows) > 0 and min(sections, extended) >= 0:
            return _Header(columns, rows, sections, np.dtype(order + _DTYPES[mode]), extended)
    raise IcefloeError(
        f"{path}: not an MRC file of 8, 16 or 32 bit grey values. Export it as TIFF or as such an MRC file."
    )


def _camera_notes(path: Path) -> dict[str, str]:
    """`name = value` lines of the camera's text file beside a movie; none where there is no such file."""
    name, is_movie = re.subn(r"_movie$", "", path.stem)
    if not is_movie:
        return {}
    for stem in (name, re.sub(r"_\d+$", "", name)):  # a movie of several has its number before `_movie`
        notes = path.with_name(f"{stem}_info.txt")
        if notes.is_file():
            lines = notes.read_text(encoding="utf-8", errors="replace").splitlines()
            pairs = (line.partition("=") for line in lines if "=" in line)
            return {entry.strip(): value.strip() for entry, _, value in pairs}
    return {}


def _frame_rate(notes: dict[str, str]) -> FrameRate | None:
    try:
        rate = Fraction(notes["Frames Per Second"]) / Fraction(notes.get("Autosave Movie Sum Count", "1"))
    except (KeyError, ValueError, ZeroDivisionError):
        return None
    return FrameRate(rate, "from the camera's text file") if rate > 0 else None


def _pixel_size_nm(path: Path, notes: dict[str, str]) -> float | None:
    try:
        size = float(notes["Specimen Pixel Size X (nanometers)"])
        return size if size > 0 else None
    except (KeyError, ValueError):
        pass
    # A calibration that can't be read leaves the frames usable.
    try:
        with quiet_readers():
            return pixel_size_nm(rsciio.mrc.file_reader(str(path), lazy=True, metadata_file=None)[0]["axes"])
    except Exception:
        return None
