"""Ordinary picture files: TIFF through `tiff`, PNG, JPEG and the like through Pillow, NumPy arrays."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import imageio.v3
import numpy as np
import rsciio.tiff
from numpy.typing import NDArray
from PIL import Image, ImageOps

from icefloe.datasets import tiff, tiff_notes
from icefloe.datasets.conditions import NOT_KNOWN, Conditions
from icefloe.datasets.raw import RawImage, one_grey_channel, quiet_readers, refuse_too_large, unreadable
from icefloe.datasets.signal_conditions import conditions_of_signal
from icefloe.datasets.units import pixel_size_nm
from icefloe.errors import IcefloeError

PILLOW = (
    ".bmp",
    ".dib",
    ".gif",
    ".jp2",
    ".jpe",
    ".jpeg",
    ".jpg",
    ".pbm",
    ".pgm",
    ".png",
    ".pnm",
    ".ppm",
    ".tga",
)
IMAGEIO = (".dcm", ".spe")
NUMPY = (".npy",)
PICTURES = tiff.SUFFIXES + PILLOW
"""Names of what is opened by its content, since programs name a PNG `.tif` and a TIFF `.jpg`."""

SUFFIXES = PICTURES + IMAGEIO + NUMPY

_FORMATS = ("BMP", "DIB", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TGA")
"""What is looked for in a picture, whatever its name: neither TIFF nor programs such as PostScript."""


def read_plain(path: Path) -> RawImage:
    """The image, or stack of images, in an ordinary picture file.

    Raises
    ------
    IcefloeError
        If the file can't be read or is a colour picture.
    """
    with _one_line_errors(path):
        if path.suffix.lower() in NUMPY:
            return _read_numpy(path)
        if path.suffix.lower() in IMAGEIO:
            return _read_imageio(path)
        return _read_tiff(path) if tiff.is_tiff(path) else _read_pillow(path)


def read_indexed(path: Path) -> NDArray[Any] | None:
    """Class indices as label tools write them, the palette being only for the eye.

    Returns
    -------
    shape (H, W) or None
        Indices of a picture with a palette, and grey levels of fewer than 8 bits as stored; None for any
        other file.

    Raises
    ------
    IcefloeError
        If the file can't be read, or its palette shows index 0, the background, brighter than another index.
    """
    if path.suffix.lower() not in PICTURES:
        return None
    with _one_line_errors(path):
        if tiff.is_tiff(path):
            return _read_tiff(path, indexed=True).data
        with _opened(path) as picture:
            if picture.mode == "P":
                indices = np.asarray(ImageOps.exif_transpose(picture))
                _refuse_bright_background(
                    path, indices, np.array(picture.getpalette("RGB") or []).reshape(-1, 3)
                )
                return indices
            if picture.format == "PNG" and picture.mode == "L" and (bits := _png_header(path)[0]) in (2, 4):
                # Pillow spreads them over 0 to 255.
                return np.asarray(ImageOps.exif_transpose(picture)) // (255 // (2**bits - 1))
    return None


def shape_from_header(path: Path) -> tuple[int, int] | None:
    """(H, W) as displayed, without decoding the pixels; None if the header does not tell, or of a stack."""
    found = stack_from_header(path)
    return found[1:] if found is not None and found[0] == 1 else None


def stack_from_header(path: Path) -> tuple[int, int, int] | None:
    """(T, H, W) as displayed, without decoding the pixels; None if the header does not tell."""
    if path.suffix.lower() not in PICTURES:
        return None
    with _one_line_errors(path):
        if tiff.is_tiff(path):
            with tiff.opened(path) as images:
                return images.n_frames, *images.shape
        with _opened(path) as picture:
            n_frames = getattr(picture, "n_frames", 1)
            shape = picture.height, picture.width
            turned = picture.getexif().get(_ORIENTATION) in (5, 6, 7, 8)
            return n_frames, *(shape[::-1] if turned else shape)


_ORIENTATION = 0x0112


def tiff_pixel_size_nm(path: Path, growing: bool = False) -> float | None:
    """Pixel edge in nm as `tiff_conditions` finds it; parameters as there."""
    return tiff_conditions(path, growing).pixel_size_nm


def tiff_conditions(path: Path, growing: bool = False) -> Conditions:
    """What a microscope, ImageJ or an OME writer put into a TIFF of its calibration and how it was taken.

    Parameters
    ----------
    path
        File of any kind; only a TIFF has an answer.
    growing
        Whether pages are still being added to it.
    """
    # A calibration that can't be read leaves the image usable, and most TIFFs have none.
    try:
        if path.suffix.lower() not in PICTURES or not tiff.is_tiff(path):
            return NOT_KNOWN
        with tiff.opened(path, growing) as images:
            axes = tiff_notes.imagej_axes(images.tiff) or tiff_notes.ome_axes(images.tiff)
            found = tiff_notes.ome_conditions(images.tiff)
            is_long = images.n_frames > tiff.MOST_PAGES_COMPARED
            may_have_tags = images.is_whole and not (images.tiff.is_ome or is_long)
        # RosettaSciIO, which knows the tags of many microscopes, makes some kB of objects for each page, and
        # walks through all the planes that OME promises.
        if axes is None and may_have_tags:
            with quiet_readers():
                signal = rsciio.tiff.file_reader(str(path), lazy=True)[-1]
            axes, found = signal["axes"], conditions_of_signal(signal)
        return found.model_copy(update={"pixel_size_nm": pixel_size_nm(axes) if axes else None})
    except Exception:
        return NOT_KNOWN


@contextmanager
def _one_line_errors(path: Path) -> Iterator[None]:
    try:
        with quiet_readers():
            yield
    except IcefloeError:
        raise
    # A damaged file makes a decoder fail in any way at all: struct, zlib, memory, end of file ...
    except Exception as error:
        raise unreadable(path, error) from error


def _read_tiff(path: Path, indexed: bool = False) -> RawImage:
    with tiff.opened(path) as images:
        refuse_too_large(path, (images.n_frames, *images.shape))
        frames = list(images.frames(indexed=indexed))
        if indexed and images.first.colormap is not None:
            _refuse_bright_background(path, frames[0], images.first.colormap.T)
        return RawImage(frames[0] if len(frames) == 1 else np.stack(frames), chosen=images.chosen)


def _refuse_bright_background(path: Path, indices: NDArray[Any], palette: NDArray[Any]) -> None:
    """Refuse indices of which 0 is shown brighter than others, so that it can't be background.

    Parameters
    ----------
    path
        The file that the error names.
    indices : uint8, shape (H, W)
        Palette index of each pixel.
    palette : shape (N, 3)
        Red, green and blue of each index.
    """
    if not (indices == 0).any():
        return
    brightness = palette.astype(np.int64).sum(axis=1)[np.unique(indices)]
    if (brightness < brightness[0]).any():
        raise IcefloeError(
            f"{path}: a viewer shows class 0 of this mask brighter than others, by its palette. "
            "Export it as grey, black being background."
        )


def _read_numpy(path: Path) -> RawImage:
    # A map fails where the header promises more than the file holds, before memory is asked for it.
    mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    refuse_too_large(path, mapped.shape)
    return RawImage(np.array(mapped))


def _read_imageio(path: Path) -> RawImage:
    if imageio.v3.immeta(path).get("PhotometricInterpretation", "MONOCHROME2") != "MONOCHROME2":
        raise IcefloeError(f"{path}: a DICOM image that is not plain grey. Export it as TIFF.")
    return RawImage(imageio.v3.imread(path))


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """A picture in Pillow, its size checked."""
    Image.init()  # or only formats that were opened before are known
    try:
        with Image.open(path, formats=_FORMATS) as picture:
            refuse_too_large(path, (getattr(picture, "n_frames", 1), picture.height, picture.width))
            yield picture
    except Image.DecompressionBombError as error:
        most = 2 * (Image.MAX_IMAGE_PIXELS or 0)
        raise IcefloeError(
            f"{path}: its header says more than {most:,} pixels, too many for a picture of this kind. "
            "Crop or bin it, or export it as TIFF."
        ) from error


def _read_pillow(path: Path) -> RawImage:
    with _opened(path) as picture:
        _refuse_deep_colour(path, picture)
        frames = []
        for index in range(getattr(picture, "n_frames", 1)):
            picture.seek(index)
            frames.append(_grey_frame(path, ImageOps.exif_transpose(picture)))
    if len({frame.shape for frame in frames}) > 1:
        raise IcefloeError(f"{path}: its pages differ in size. Export the one that is meant.")
    return RawImage(frames[0] if len(frames) == 1 else np.stack(frames))


def _grey_frame(path: Path, picture: Image.Image) -> NDArray[Any]:
    if picture.mode in ("1", "L", "F") or picture.mode.startswith("I"):
        return np.asarray(picture)
    if picture.mode != "LA":
        alpha = picture.mode == "RGBA" or "transparency" in picture.info
        picture = picture.convert("RGBA" if alpha else "RGB")
    return one_grey_channel(path, np.asarray(picture))


def _refuse_deep_colour(path: Path, picture: Image.Image) -> None:
    if picture.format == "PNG" and _png_header(path) in ((16, 2), (16, 4), (16, 6)):
        raise IcefloeError(
            f"{path}: 16 bits in colour channels, which would be cut to 8. Export it as 16-bit grey."
        )


def _png_header(path: Path) -> tuple[int, int]:
    """Bit depth and colour type; Pillow cuts 16-bit colour to 8 bits without a word."""
    with path.open("rb") as file:
        header = file.read(26)
    return header[24], header[25]
