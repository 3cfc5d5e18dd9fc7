"""Files that people send: read where they can do no harm, and kept as a dataset of their own."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from icefloe.datasets import plain
from icefloe.datasets.dataset import DatasetInfo
from icefloe.datasets.readers import load_raw, read_metadata
from icefloe.errors import IcefloeError, TooLargeError
from icefloe.fewshot.source import read_picture
from icefloe.files import atomic_directory
from serving.fewshot import PICTURE, PictureAbout
from serving.prepared import LARGEST_SIDE, MOST_IMAGES


def unpack(file: Path, folder: Path) -> int:
    """Make a dataset of a file that somebody has sent; return its number of frames.

    Parameters
    ----------
    file
        An image or a stack, in any format that Icefloe reads; removed afterwards.
    folder
        New folder of the dataset, named as it.

    Raises
    ------
    TooLargeError
        If a side is longer than `LARGEST_SIDE`, or there are more than `MOST_IMAGES` frames; where the header
        tells, no pixel is unpacked.
    IcefloeError
        If it cannot be read.
    """
    try:
        frames = _frames(file)
        if not np.isfinite(frames).all():
            raise IcefloeError(f"{file.name}: some pixels are not numbers. Export it again.")
        with atomic_directory(folder) as beside:
            _write(file, frames, beside, folder.name)
        return len(frames)
    except IcefloeError as error:
        raise _as_sent(error, file) from error
    finally:
        shutil.rmtree(file.parent, ignore_errors=True)


def unpack_picture(file: Path, folder: Path, frame: int | None) -> None:
    """Make a dataset of one grey image of a file that somebody has sent, for few-shot classification.

    Parameters
    ----------
    file, folder
        As of `unpack`.
    frame
        Which frame of a stack, from 0.

    Raises
    ------
    TooLargeError
        As of `unpack`.
    IcefloeError
        If it cannot be read, is a stack and no frame is named, or is of one value.
    """
    try:
        n_frames = len(_frames(file))
        if n_frames > 1 and frame is None:
            raise IcefloeError(
                f"{file.name}: a stack of {n_frames} frames where one image is meant. Say which: add "
                f"`frame=0` to `frame={n_frames - 1}` to the address, or send one frame."
            )
        found = read_picture(file, frame)
        with atomic_directory(folder) as beside:
            _write(file, found.image[None], beside, folder.name)
            about = PictureAbout(reference=found.reference, notes=found.notes)
            (beside / PICTURE).write_text(about.model_dump_json(), encoding="utf-8")
    except IcefloeError as error:
        raise _as_sent(error, file) from error
    finally:
        shutil.rmtree(file.parent, ignore_errors=True)


def _frames(file: Path) -> NDArray[Any]:
    """All frames as stored, shape (T, H, W), if they are not too large."""
    if (promised := plain.stack_from_header(file)) is not None:
        _check(file.name, *promised)
    data = load_raw(file).data
    frames = data if data.ndim == 3 else data[None]
    _check(file.name, len(frames), *frames.shape[1:])
    return frames


def _write(file: Path, frames: NDArray[Any], folder: Path, name: str) -> None:
    (folder / "images").mkdir()
    for index, frame in enumerate(frames):
        stem = file.stem if len(frames) == 1 else f"{file.stem}_{index}"
        tifffile.imwrite(folder / "images" / f"{stem}.tif", frame.astype(np.float32))
    info = DatasetInfo(name=name, experiment=file.stem, pixel_size_nm=read_metadata(file).pixel_size_nm)
    info.save(folder)


def _as_sent(error: IcefloeError, file: Path) -> IcefloeError:
    """The name by which it was sent; where it was put is nobody's business."""
    return type(error)(str(error).replace(str(file), file.name))


def _check(name: str, n_frames: int, height: int, width: int) -> None:
    if max(height, width) > LARGEST_SIDE:
        raise TooLargeError(
            f"{name}: {width}x{height} px is more than {LARGEST_SIDE} a side. Cut it into parts, or use "
            "`icefloe predict`."
        )
    if n_frames > MOST_IMAGES:
        raise TooLargeError(f"{name}: {n_frames} frames are more than {MOST_IMAGES}. Send it in parts.")
