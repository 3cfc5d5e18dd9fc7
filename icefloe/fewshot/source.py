"""An image for few-shot classification: read, checked, and known again by its pixels."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from icefloe.datasets.readers import read_image, read_stack
from icefloe.errors import IcefloeError
from icefloe.typing import FloatArray

_JPEG = b"\xff\xd8\xff"
_JPEG_NAMES = (".jpg", ".jpeg", ".jpe")


class ImageReference(BaseModel):
    """Which image a session is of.

    Attributes
    ----------
    name
        Of its file, without a folder.
    sha256
        Hash of its size and pixels, however they are stored.
    height, width
        In px.
    frame
        Number of a stack's frame, from 0; None of a single image.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    sha256: str
    height: int
    width: int
    frame: int | None = None


@dataclass(frozen=True, eq=False)
class Picture:
    """An image with what identifies it.

    Attributes
    ----------
    image : float32, shape (H, W)
        Intensity in the file's own units.
    reference
        Which image it is.
    notes
        Sentences on what its user should know of the file.
    """

    image: FloatArray
    reference: ImageReference
    notes: tuple[str, ...] = ()


def read_picture(path: Path, frame: int | None = None) -> Picture:
    """Read one grey image; the file is only read.

    Parameters
    ----------
    path
        In any format that Icefloe reads.
    frame
        Which frame of a stack, from 0.

    Raises
    ------
    IcefloeError
        If the file can't be read, is in colour, is a stack and no frame is named, or the image is of one
        value or has NaN or infinite pixels.
    """
    image = _read(path, frame)
    height, width = image.shape
    reference = ImageReference(
        name=path.name, sha256=image_hash(image), height=height, width=width, frame=frame
    )
    return Picture(image, reference, _notes(path))


def checked(image: FloatArray) -> FloatArray:
    """An image that can be classified, or an error.

    Raises
    ------
    IcefloeError
        If it is not of two dimensions, is of one value, or has NaN or infinite pixels.
    """
    if image.ndim != 2 or min(image.shape) < 2:
        raise IcefloeError(
            f"An array of shape {image.shape} is no grey image. Choose one frame, or one channel, first."
        )
    n_lost = np.count_nonzero(~np.isfinite(image))
    if n_lost:
        raise IcefloeError(
            f"{n_lost} pixels of the image are NaN or infinite. Replace or crop them before importing."
        )
    if image.min() == image.max():
        raise IcefloeError(
            f"All pixels of the image have the value {image.flat[0]:g}, nothing to see. Choose another image."
        )
    return image


def image_hash(image: FloatArray) -> str:
    """SHA-256 of an image's size and float32 pixels, the same on every machine."""
    digest = hashlib.sha256(f"{image.shape[0]}x{image.shape[1]}:".encode())
    digest.update(np.ascontiguousarray(image, "<f4").data)
    return digest.hexdigest()


def binned(image: FloatArray, binning: int) -> NDArray[np.float64]:
    """Means of squares of `binning` px, float64; what is left at the right and bottom is cut off."""
    height, width = (length // binning for length in image.shape)
    whole = image[: height * binning, : width * binning].astype(np.float64)
    return whole.reshape(height, binning, width, binning).mean(axis=(1, 3))


def _read(path: Path, frame: int | None) -> FloatArray:
    if frame is None:
        return read_image(path)
    stack = read_stack(path)
    if not 0 <= frame < len(stack):
        raise IcefloeError(f"{path}: no frame {frame}, it has 0 to {len(stack) - 1}. Choose one of these.")
    try:
        return checked(np.array(stack[frame]))
    except IcefloeError as error:
        raise IcefloeError(f"{path}, frame {frame}: {error}") from error


def _notes(path: Path) -> tuple[str, ...]:
    with path.open("rb") as file:
        is_jpeg = file.read(len(_JPEG)) == _JPEG
    if not is_jpeg:
        return ()
    named = "a JPEG" if path.suffix.lower() in _JPEG_NAMES else "a JPEG inside, whatever its name says"
    return (
        f"{path.name}: {named}, whose compression has changed the pixels. Use the microscope's own file.",
    )
