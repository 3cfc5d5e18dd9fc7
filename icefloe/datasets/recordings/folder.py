"""A folder as one recording: its files in natural order, with one frame or many in each."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from icefloe.datasets.dataset import natural_key
from icefloe.datasets.readers import load_raw
from icefloe.datasets.recordings.recording import Frame, FrameRate, Recording
from icefloe.errors import IcefloeError

_GATAN_FRAME = re.compile(r"(Hour_\d+_Minute_\d+_Second_\d+)_Frame_(\d+)$")
_GATAN_HOUR = re.compile(r"Hour_\d+$")


@dataclass(frozen=True)
class FolderRecording(Recording):
    """The frames of several files, one file after the other.

    Attributes
    ----------
    files
        In the order of their frames.
    open_file
        Opens a file of several frames; None where each holds one.
    """

    files: tuple[Path, ...]
    open_file: Callable[[Path], Recording] | None

    def read(self, start: int) -> Iterator[Frame]:
        if self.open_file is None:
            for path in self.files[start:]:
                yield single_frame(path)
            return
        for path in self.files:
            part = self.open_file(path)
            if start:
                n_frames = sum(1 for _ in part.frames()) if part.n_frames is None else part.n_frames
                if n_frames <= start:
                    start -= n_frames
                    continue
            yield from part.frames(start)
            start = 0


def single_frame(path: Path) -> Frame:
    """The one frame of a file, as stored.

    Raises
    ------
    IcefloeError
        If the file can't be read, is in colour, or holds several frames.
    """
    data = load_raw(path).data
    if data.ndim != 2:
        raise IcefloeError(
            f"{path}: holds {len(data)} frames where the folder's first file holds one. "
            "Keep files of one kind in a folder."
        )
    return data


def open_folder(
    path: Path, is_recording: Callable[[Path], bool], open_file: Callable[[Path], Recording]
) -> FolderRecording:
    """A folder as a recording.

    Gatan's layout of in-situ recordings, `Hour_00/Minute_00/Second_00/..._Frame_0000.dm4`, is known: the
    frame rate is then the number of frames in its fullest second.

    Parameters
    ----------
    path
        Folder of images, of parts of a recording, or of Gatan's hours, minutes and seconds.
    is_recording
        Whether a file's name is that of an image or recording.
    open_file
        Opens one file as a recording.

    Raises
    ------
    IcefloeError
        If the folder has no frame, or files of several kinds.
    """
    files = files_in_order(path, is_recording)
    if not files:
        raise IcefloeError(f"{path}: no image or recording in this folder. Name the folder of the frames.")
    return folder_of(path, files, open_file)


def folder_of(path: Path, files: tuple[Path, ...], open_file: Callable[[Path], Recording]) -> FolderRecording:
    """As `open_folder`, of the files given, at least one, in the order given."""
    first = open_file(files[0])
    has_parts = first.n_frames != 1
    return FolderRecording(
        path=path,
        shape=first.shape,
        n_frames=None if has_parts else len(files),
        frame_rate=_gatan_rate(files) or first.frame_rate,
        pixel_size_nm=first.pixel_size_nm,
        files=files,
        open_file=open_file if has_parts else None,
    )


def files_in_order(folder: Path, is_recording: Callable[[Path], bool]) -> tuple[Path, ...]:
    """A recording's files; those of the folder itself, or of Gatan's folders of hours, minutes and seconds.

    Raises
    ------
    IcefloeError
        If the files are of several kinds, which leaves open what is a frame.
    """
    hours = [inside for inside in folder.iterdir() if inside.is_dir() and _GATAN_HOUR.match(inside.name)]
    found = [file for hour in hours for file in hour.rglob("*")] if hours else list(folder.iterdir())
    files = [path for path in found if is_recording(path) and not path.name.startswith(".")]
    kinds = sorted({path.suffix.lower() for path in files})
    if kinds == [".emi", ".ser"]:  # TIA writes a description beside each series
        files, kinds = [path for path in files if path.suffix.lower() == ".ser"], [".ser"]
    if len(kinds) > 1:
        raise IcefloeError(
            f"{folder}: holds files of several kinds ({', '.join(kinds)}). "
            "Leave only the recording's own in the folder."
        )
    return tuple(sorted(files, key=lambda path: in_order(folder, path)))


def in_order(folder: Path, path: Path) -> list[tuple[int, int, str]]:
    """Sort key of a recording's file: `frame 9` before `frame 10`, second 9 before second 10."""
    return natural_key(path.relative_to(folder).as_posix())


def _gatan_rate(files: tuple[Path, ...]) -> FrameRate | None:
    counts: dict[str, int] = {}
    for path in files:
        if not (match := _GATAN_FRAME.search(path.stem)):
            return None
        counts[match[1]] = counts.get(match[1], 0) + 1
    if len(counts) < 2:  # the only second may be a part of one
        return None
    return FrameRate(Fraction(max(counts.values())), "from the number of files in a second")
