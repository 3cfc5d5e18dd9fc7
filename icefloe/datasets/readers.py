"""Images, stacks and masks from any file a microscope or a label tool writes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from icefloe.datasets import mrc, plain
from icefloe.datasets.conditions import Conditions
from icefloe.datasets.containers import READERS, read_container
from icefloe.datasets.raw import CutOffError, RawImage, unreadable
from icefloe.errors import IcefloeError
from icefloe.typing import FloatArray, MaskArray

ARCHIVES = (".7z", ".bz2", ".gz", ".rar", ".tar", ".tgz", ".xz", ".zip")


@dataclass(frozen=True)
class ImageMetadata:
    """What a file says of its image.

    Attributes
    ----------
    shape
        (H, W), or (T, H, W) of a stack.
    dtype
        Name of the stored type, such as `uint16`.
    pixel_size_nm
        Edge of a square pixel in nm; None where unknown, reciprocal, or different along x and y.
    chosen
        Which of a file's several images was taken; empty where there is one.
    conditions
        How it was taken, as far as the file says, the pixel size among them.
    not_square
        Width and height of a pixel, in words, where they differ; else empty.
    """

    shape: tuple[int, ...]
    dtype: str
    pixel_size_nm: float | None
    chosen: str
    conditions: Conditions
    not_square: str


def is_readable_name(path: Path) -> bool:
    """Whether the file's ending is one that `read_image` knows."""
    return path.suffix.lower() in (*READERS, *mrc.SUFFIXES, *plain.SUFFIXES)


def is_plain_name(path: Path) -> bool:
    """Whether the file is a picture that any viewer opens, and needs no conversion when imported."""
    return path.suffix.lower() in plain.PICTURES


def read_image(path: Path) -> FloatArray:
    """One grey image of a file.

    Each format has one reader: DigitalMicrograph, Velox, TIA, Bruker, HyperSpy and other containers are read
    by RosettaSciIO, MRC by `mrc`, TIFF by tifffile and imagecodecs (`tiff`), other pictures by Pillow; 8, 16
    and 32 bit, integer or float. Values are those displayed: turned as Orientation says, white the largest. A
    picture in colour channels is converted if the channels are equal, else refused. Nothing is ever
    unpickled.

    Returns
    -------
    float32, shape (H, W)
        Intensity in the file's own units.

    Raises
    ------
    IcefloeError
        If the file is missing, of an unknown format, cut off, a stack, in colour, of one pixel, constant,
        or has NaN or infinite pixels.
    """
    data = load_raw(path).data
    if data.ndim != 2:
        raise IcefloeError(
            f"{path}: a stack of {len(data)} frames where one image is meant. "
            "Average its frames into composites first, or export one frame."
        )
    return _checked(path, data)


def read_stack(path: Path) -> FloatArray:
    """All frames of a file; a single image is a stack of one.

    Returns
    -------
    float32, shape (T, H, W)
        Intensity in the file's own units.

    Raises
    ------
    IcefloeError
        As `read_image`, but for the number of frames.
    """
    data = load_raw(path).data
    return _checked(path, data if data.ndim == 3 else data[None])


def read_metadata(path: Path) -> ImageMetadata:
    """Shape, stored type and calibration of a file's image or stack.

    Raises
    ------
    IcefloeError
        If the file can't be read or holds no grey image.
    """
    raw = load_raw(path)
    stated = raw.conditions.model_copy(update={"pixel_size_nm": raw.pixel_size_nm})
    conditions = stated.over(plain.tiff_conditions(path))
    return ImageMetadata(
        raw.data.shape, str(raw.data.dtype), conditions.pixel_size_nm, raw.chosen, conditions, raw.not_square
    )


def image_shape(path: Path) -> tuple[int, int]:
    """(H, W) of an image, from the header where the format allows it.

    Raises
    ------
    IcefloeError
        As `read_image`.
    """
    shape = plain.shape_from_header(path) or read_image(path).shape
    return shape[0], shape[1]


def read_mask(path: Path) -> MaskArray:
    """The class indices in a mask file.

    Returns
    -------
    uint8, shape (H, W)
        Values as stored: grey level, palette index, or the equal colour channels.

    Raises
    ------
    IcefloeError
        If the file can't be read, is in colour, has a palette that shows background brighter than a class,
        or has values that are no whole numbers from 0 to 255.
    """
    _refuse_absent(path)
    data = plain.read_indexed(path)
    if data is None:
        data = load_raw(path).data
    if data.ndim != 2:
        raise IcefloeError(
            f"{path}: a mask must be one image, this has {len(data)} pages. Export one mask an image."
        )
    if not np.isin(data, np.arange(256)).all():
        raise IcefloeError(
            f"{path}: mask has values other than whole numbers from 0 to 255. Export class indices."
        )
    return data.astype(np.uint8)


def load_raw(path: Path) -> RawImage:
    """The grey pixels of a file as stored, shape (H, W) or (T, H, W), before their values are checked.

    Raises
    ------
    IcefloeError
        If the file is missing, of an unknown format, damaged, in colour, or holds no image or stack.
    """
    _refuse_absent(path)
    suffix = path.suffix.lower()
    if suffix in ARCHIVES:
        raise IcefloeError(f"{path}: an archive. Unpack it and name what is inside.")
    if not is_readable_name(path):
        raise IcefloeError(f"{path}: not an image format that Icefloe reads. Export it as TIFF or PNG.")
    raw = _reader(suffix)(path)
    if raw.data.ndim not in (2, 3) or raw.data.dtype.kind not in "buif":
        raise IcefloeError(
            f"{path}: {raw.data.ndim} dimensions of {raw.data.dtype} are no grey image. Export it as TIFF."
        )
    return raw


def _reader(suffix: str) -> Callable[[Path], RawImage]:
    if suffix in READERS:
        return read_container
    return _read_mrc if suffix in mrc.SUFFIXES else plain.read_plain


def _read_mrc(path: Path) -> RawImage:
    try:
        return mrc.read_mrc(path)
    except (CutOffError, OSError) as error:
        raise unreadable(path, error) from error


def _refuse_absent(path: Path) -> None:
    if not path.is_file():
        raise IcefloeError(f"{path}: no such file. Check the name.")


def _checked(path: Path, data: NDArray[Any]) -> FloatArray:
    if min(data.shape[-2:]) < 2:
        raise IcefloeError(
            f"{path}: the image is only {data.shape[-1]}x{data.shape[-2]} pixels. Export it at full size."
        )
    image = data.astype(np.float32)
    if not np.isfinite(image).all():
        raise IcefloeError(
            f"{path}: {np.count_nonzero(~np.isfinite(image))} pixels are NaN or infinite. "
            "Replace or crop them before importing."
        )
    if image.min() == image.max():
        raise IcefloeError(
            f"{path}: all pixels have the value {image.flat[0]:g}, nothing to see. Leave the image out."
        )
    return image
