"""Ordinary picture files: TIFF through tifffile, NumPy arrays, and what Pillow and imageio read."""

import re
import struct
from pathlib import Path
from typing import Any

import imageio.v3
import numpy as np
import rsciio.tiff
import tifffile
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from icefloe.datasets.containers import pixel_size_nm
from icefloe.datasets.raw import RawImage, one_grey_channel, quiet_readers, unreadable
from icefloe.errors import IcefloeError

TIFF = (".btf", ".tf8", ".tif", ".tiff")
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
SUFFIXES = TIFF + PILLOW + IMAGEIO + NUMPY

MOST_PAGES_DESCRIBED = 2000
"""RosettaSciIO, which knows the tags of many microscopes, makes some kB of objects for each page."""


def read_plain(path: Path) -> RawImage:
    """The image, or stack of images, in an ordinary picture file.

    Raises
    ------
    IcefloeError
        If the file can't be read or is a colour picture.
    """
    suffix = path.suffix.lower()
    try:
        with quiet_readers():
            if suffix in TIFF:
                return _read_tiff(path)
            if suffix in NUMPY:
                return RawImage(np.load(path, allow_pickle=False))
            if suffix in IMAGEIO:
                return RawImage(imageio.v3.imread(path))
            return _read_pillow(path)
    except IcefloeError:
        raise
    # A damaged file makes a decoder fail in any way at all: struct, zlib, memory, end of file ...
    except Exception as error:
        raise unreadable(path, error) from error


def read_indexed(path: Path) -> NDArray[Any] | None:
    """Palette indices of a picture with a palette, shape (H, W); None for any other file.

    Label tools write class indices this way, the palette being only for the eye.
    """
    try:
        with Image.open(path) as picture:
            return np.asarray(picture) if picture.mode == "P" else None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        return None


def tiff_pixel_size_nm(path: Path) -> float | None:
    """Calibration that a microscope, ImageJ or an OME writer put into a TIFF; None where there is none."""
    if path.suffix.lower() not in TIFF:
        return None
    # A calibration that can't be read leaves the image usable, and most TIFFs have none.
    try:
        with quiet_readers():
            with tifffile.TiffFile(path) as tiff:
                axes = _imagej_axes(tiff) or _ome_axes(tiff)
                is_long = len(tiff.pages) > MOST_PAGES_DESCRIBED
            if axes is None and not is_long:
                axes = rsciio.tiff.file_reader(str(path), lazy=True)[-1]["axes"]
            return pixel_size_nm(axes) if axes else None
    except Exception:
        return None


def ome_pixels(tiff: tifffile.TiffFile) -> dict[str, str]:
    """Attributes of the `Pixels` element in OME's description; none in other files."""
    element = re.search(r"<(?:\w+:)?Pixels\b([^>]*)>", tiff.ome_metadata or "")
    return dict(re.findall(r'(\w+)="([^"]*)"', element[1])) if element else {}


def _imagej_axes(tiff: tifffile.TiffFile) -> list[dict[str, Any]] | None:
    units, tags = (tiff.imagej_metadata or {}).get("unit"), tiff.pages.first.tags
    if units is None or "XResolution" not in tags or "YResolution" not in tags:
        return None
    resolutions = [tags[name].value for name in ("YResolution", "XResolution")]
    return [{"units": units, "scale": per / pixels if pixels else 0} for pixels, per in resolutions]


def _ome_axes(tiff: tifffile.TiffFile) -> list[dict[str, Any]] | None:
    pixels = ome_pixels(tiff)
    names = [f"PhysicalSize{axis}" for axis in "YX"]
    if not all(name in pixels for name in names):
        return None
    return [{"units": pixels.get(f"{name}Unit", "µm"), "scale": pixels[name]} for name in names]


def shape_from_header(path: Path) -> tuple[int, int] | None:
    """(H, W) without decoding the pixels; None if the header does not tell."""
    if path.suffix.lower() not in TIFF + PILLOW:
        return None
    try:
        with quiet_readers(), Image.open(path) as picture:
            # The first page of several may be a thumbnail.
            return (picture.height, picture.width) if getattr(picture, "n_frames", 1) == 1 else None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        return None


def _read_tiff(path: Path) -> RawImage:
    try:
        with tifffile.TiffFile(path) as tiff:
            _refuse_cut_off(tiff)
            # A colour thumbnail may stand beside the detector's own grey values.
            series = min(tiff.series, key=lambda one: "S" in one.axes)
            data = series.asarray()
            if series.axes.endswith("S"):
                data = one_grey_channel(path, data)
            elif "S" in series.axes:
                data = one_grey_channel(path, np.moveaxis(data, series.axes.index("S"), -1))
            chosen = (
                f"series {tiff.series.index(series) + 1} of {len(tiff.series)}"
                if len(tiff.series) > 1
                else ""
            )
    except (tifffile.TiffFileError, ValueError) as error:
        # Not a TIFF inside, or a compression such as LZW that tifffile leaves to another package.
        if (
            isinstance(error, ValueError)
            and "imagecodecs" not in str(error)
            and "not a TIFF" not in str(error)
        ):
            raise
        return _read_pillow(path)
    return RawImage(np.squeeze(data) if data.ndim > 3 else data, chosen=chosen)


def _refuse_cut_off(tiff: tifffile.TiffFile) -> None:
    size = tiff.filehandle.size
    for page in tiff.pages:
        for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
            if offset + count > size:
                raise EOFError(f"the file ends at byte {size}, its pixels at {offset + count}")
    if chain_is_cut(tiff):
        raise EOFError(f"the file ends at byte {size}, before its next page")


def chain_is_cut(tiff: tifffile.TiffFile) -> bool:
    """Whether the last page points to a next one beyond the file's end.

    tifffile only logs that, and gives the pages before it.
    """
    layout, last = tiff.tiff, tiff.pages[-1]
    tiff.filehandle.seek(last.offset)
    (n_tags,) = struct.unpack(layout.tagnoformat, tiff.filehandle.read(layout.tagnosize))
    tiff.filehandle.seek(last.offset + layout.tagnosize + n_tags * layout.tagsize)
    (following,) = struct.unpack(layout.offsetformat, tiff.filehandle.read(layout.offsetsize))
    return bool(following >= tiff.filehandle.size)


def _read_pillow(path: Path) -> RawImage:
    with Image.open(path) as picture:
        _refuse_deep_colour(path, picture)
        frames = []
        for index in range(getattr(picture, "n_frames", 1)):
            picture.seek(index)
            frames.append(_grey_frame(path, picture))
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
    # Pillow cuts 16-bit colour to 8 bits without a word; bytes 24, 25 of a PNG are bit depth, colour type.
    if picture.format == "PNG":
        with path.open("rb") as file:
            header = file.read(26)
        if header[24] == 16 and header[25] in (2, 4, 6):
            raise IcefloeError(
                f"{path}: 16 bits in colour channels, which would be cut to 8. Export it as 16-bit grey."
            )
