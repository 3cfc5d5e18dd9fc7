"""MRC stacks, of any camera, and what Direct Electron's software writes beside them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from icefloe.datasets import mrc
from icefloe.datasets.recordings.layout import Layout, PlainRecording, n_frames_of
from icefloe.datasets.recordings.recording import Frame, FrameRate
from icefloe.errors import IcefloeError


@dataclass(frozen=True)
class MrcRecording(PlainRecording):
    """The sections of an MRC file as frames."""

    header: mrc.MrcHeader

    def read(self, start: int) -> Iterator[Frame]:
        for frame in super().read(start):
            mrc.refuse_unknown_sign(self.path, self.header, frame)
            yield frame


def open_mrc(path: Path, growing: bool) -> MrcRecording:
    """An MRC stack as a recording.

    The format knows no frame rate; Direct Electron's `<name>_info.txt` beside `<name>_movie.mrc` does.

    Raises
    ------
    IcefloeError
        If the header is damaged or the file is cut off.
    """
    header = mrc.read_header(path)
    layout = Layout(header.offset, header.frame_bytes, header.shape, header.dtype)
    notes = _camera_notes(path)
    if notes.get("Scan - Enable") == "Enable":
        raise IcefloeError(
            f"{path}: a scan of diffraction patterns. Choose the file of the recording itself."
        )
    return MrcRecording(
        path=path,
        shape=layout.shape,
        n_frames=n_frames_of(path, layout, header.n_frames, growing),
        frame_rate=_frame_rate(notes),
        pixel_size_nm=_pixel_size_nm(notes) or header.pixel_size_nm,
        layout=layout,
        header=header,
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


def _pixel_size_nm(notes: dict[str, str]) -> float | None:
    try:
        size = float(notes["Specimen Pixel Size X (nanometers)"])
    except (KeyError, ValueError):
        return None
    return size if size > 0 else None
