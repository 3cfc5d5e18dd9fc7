"""Which reader reads which recording."""

from pathlib import Path

from icefloe.datasets import mrc, plain, tia, tiff
from icefloe.datasets.containers import READERS
from icefloe.datasets.recordings import video
from icefloe.datasets.recordings.container import open_container
from icefloe.datasets.recordings.folder import open_folder
from icefloe.datasets.recordings.mrc import open_mrc
from icefloe.datasets.recordings.pictures import open_numpy, open_picture
from icefloe.datasets.recordings.recording import Recording
from icefloe.datasets.recordings.ser import open_ser
from icefloe.datasets.recordings.tiff import open_tiff
from icefloe.errors import IcefloeError

CAN_GROW = (*tiff.SUFFIXES, *mrc.SUFFIXES)
"""Files whose frames can be read while they are being written; others have their index at the end."""

SUFFIXES = {*video.SUFFIXES, *READERS, *mrc.SUFFIXES, *plain.SUFFIXES}


def is_recording_name(path: Path) -> bool:
    """Whether the file's ending is one that `open_recording` knows."""
    return path.suffix.lower() in SUFFIXES


def open_recording(path: Path, growing: bool = False) -> Recording:
    """Open a file or folder of frames; no frame but perhaps the first is read yet.

    Parameters
    ----------
    path
        AVI, MP4 and other video; multi-page TIFF; MRC; DigitalMicrograph, TIA, Velox and other containers;
        or a folder of images or of recordings that follow each other.
    growing
        The file is still being written: frames that are not complete yet are no error. For `CAN_GROW`.

    Raises
    ------
    IcefloeError
        If there is no such thing, it is of an unknown kind, damaged, cut off, in colour, or has no frame, or
        can't be read while it grows.
    """
    if path.is_dir():
        return open_folder(path, is_recording_name, open_recording)
    if not path.is_file():
        raise IcefloeError(f"{path}: no such file or folder. Check the name.")
    if not is_recording_name(path):
        raise IcefloeError(
            f"{path}: not a recording that Icefloe reads. Export it as multi-page TIFF, MRC or AVI."
        )
    recording = _open_file(path, path.suffix.lower(), growing)
    if recording.n_frames == 0:
        raise IcefloeError(f"{path}: the recording has no frames. Check the file it came from.")
    return recording


def _open_file(path: Path, suffix: str, growing: bool) -> Recording:
    # What is in it counts: programs name a PNG `.tif`, and a TIFF `.jpg`.
    if (growing and suffix in tiff.SUFFIXES) or (suffix in plain.PICTURES and tiff.is_tiff(path)):
        return open_tiff(path, growing)
    if suffix in mrc.SUFFIXES:
        return open_mrc(path, growing)
    if growing:
        raise IcefloeError(
            f"{path}: can't be read while it is being written, since its index comes at its end. "
            "Stack it with `icefloe stack` when it is complete, or record TIFF, MRC or a folder."
        )
    if suffix in tia.SUFFIXES:
        return open_ser(path)
    if suffix in video.SUFFIXES:
        return video.open_video(path)
    if suffix in READERS:
        return open_container(path)
    if suffix in plain.NUMPY:
        return open_numpy(path)
    return open_picture(path)
