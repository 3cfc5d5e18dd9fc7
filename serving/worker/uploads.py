"""Files that people send: read where they can do no harm, and kept as a dataset of their own."""

import shutil
from pathlib import Path

import numpy as np
import tifffile

from icefloe.datasets import plain
from icefloe.datasets.dataset import DatasetInfo
from icefloe.datasets.readers import load_raw, read_metadata
from icefloe.errors import IcefloeError, TooLargeError
from icefloe.files import atomic_directory
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
        if (promised := plain.stack_from_header(file)) is not None:
            _check(file.name, *promised)
        data = load_raw(file).data
        frames = data if data.ndim == 3 else data[None]
        _check(file.name, len(frames), *frames.shape[1:])
        if not np.isfinite(frames).all():
            raise IcefloeError(f"{file.name}: some pixels are not numbers. Export it again.")
        with atomic_directory(folder) as beside:
            (beside / "images").mkdir()
            for index, frame in enumerate(frames):
                stem = file.stem if len(frames) == 1 else f"{file.stem}_{index}"
                tifffile.imwrite(beside / "images" / f"{stem}.tif", frame.astype(np.float32))
            info = DatasetInfo(
                name=folder.name, experiment=file.stem, pixel_size_nm=read_metadata(file).pixel_size_nm
            )
            info.save(beside)
        return len(frames)
    except IcefloeError as error:
        # The name by which it was sent; where it was put is nobody's business.
        raise type(error)(str(error).replace(str(file), file.name)) from error
    finally:
        shutil.rmtree(file.parent, ignore_errors=True)


def _check(name: str, n_frames: int, height: int, width: int) -> None:
    if max(height, width) > LARGEST_SIDE:
        raise TooLargeError(
            f"{name}: {width}x{height} px is more than {LARGEST_SIDE} a side. Cut it into parts, or use "
            "`icefloe predict`."
        )
    if n_frames > MOST_IMAGES:
        raise TooLargeError(f"{name}: {n_frames} frames are more than {MOST_IMAGES}. Send it in parts.")
