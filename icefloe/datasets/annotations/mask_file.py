"""Mask files as people's tools write them, decided by what a viewer shows: black is background."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from icefloe.datasets import plain, readers
from icefloe.datasets.raw import quiet_readers
from icefloe.errors import IcefloeError
from icefloe.typing import IGNORE, MaskArray

WHITE = 255
BLACK_AND_WHITE_REMEDY = "Paint the background black and the rest white, or export class indices 0, 1, ..."
LOSSY = (".jpe", ".jpeg", ".jpg", ".jp2", ".webp")
NUMPY = ".npy"
PICTURES = (".bmp", ".dib", ".gif", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tga")
TIFF = (".tif", ".tiff")
SUFFIXES = (*PICTURES, *TIFF, NUMPY)
"""Endings of mask files that are read."""

FORMATS = ("BMP", "DIB", "GIF", "PNG", "PPM", "TGA", "TIFF")
"""What Pillow may take a file's content for; others start programs, or blur."""

MOST_CLASSES = 20
"""Higher values than this are a smoothed border or a grey picture, not classes that someone left unnamed."""


@dataclass(frozen=True)
class MaskFile:
    """What a mask file shows.

    Attributes
    ----------
    values : uint8, shape (H, W)
        Grey levels or class indices, as the file has them; white is 255.
    indexed
        Whether they are class indices for certain, and 255 means ignore. Otherwise what 255 means is up to
        the masks that came with it: see `White`.
    """

    values: MaskArray
    indexed: bool = False

    @property
    def present(self) -> frozenset[int]:
        """The values that occur."""
        return frozenset(np.unique(self.values).tolist())


def read_mask_file(path: Path, n_classes: int) -> MaskFile:
    """A mask in a picture, TIFF or NumPy array.

    Raises
    ------
    IcefloeError
        If it can't be read, its borders are blurred by JPEG, or its colours don't say what is background.
    """
    if path.suffix.lower() in LOSSY:
        raise IcefloeError(
            f"{path}: a mask in a format that blurs the borders between classes. Export it as PNG."
        )
    if path.suffix.lower() not in SUFFIXES:
        raise IcefloeError(f"{path}: a mask in a format that is not read. Export it as PNG.")
    if path.suffix.lower() in PICTURES or _has_palette(path):
        try:
            with quiet_readers(), path.open("rb") as file, Image.open(file, formats=FORMATS) as picture:
                file.seek(0)
                return decode_mask(picture, file.read(26), n_classes, str(path))
        # A damaged file makes Pillow fail with any of these.
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            reason = " ".join(str(error).split()).replace(str(path), "the file")[:120]
            raise IcefloeError(f"{path}: the mask can't be read ({reason}). Export it again.") from error
    # Booleans of Python's tifffile are read as they were written.
    data = plain.read_indexed(path) if path.suffix.lower() in TIFF else readers.load_raw(path).data
    assert data is not None
    if data.ndim == 3 and 1 in (data.shape[0], data.shape[-1]):
        data = data[0] if data.shape[0] == 1 else data[..., 0]
    if data.ndim != 2:
        raise IcefloeError(
            f"{path}: a mask must be one image, this has {len(data)} pages. Export one mask an image."
        )
    return MaskFile(_levels(data, str(path)))


def decode_mask(picture: Image.Image, header: bytes, n_classes: int, what: str) -> MaskFile:
    """A mask in a picture that Pillow has opened.

    Parameters
    ----------
    picture
        The opened picture; its pixels are decoded here.
    header
        The file's first 26 bytes; of a PNG they hold the depth, which Pillow keeps to itself.
    n_classes
        Number of classes of the dataset.
    what
        The file or image that an error names.

    Raises
    ------
    IcefloeError
        If it has several pages, transparent parts, 16 bits a colour, or colours that don't say what is
        background.
    OSError, SyntaxError, ValueError
        If the picture is damaged.
    """
    n_pages = getattr(picture, "n_frames", 1)
    if n_pages > 1:
        raise IcefloeError(
            f"{what}: a mask must be one image, this has {n_pages} pages. Export one mask an image."
        )
    depth, colour_type = (header[24], header[25]) if picture.format == "PNG" else (8, 0)
    if depth == 16 and colour_type != 0:
        raise IcefloeError(
            f"{what}: a mask of 16 bits a channel in several channels. Export it as 8-bit grey."
        )
    picture.load()
    picture = ImageOps.exif_transpose(picture)
    if "A" in picture.getbands() or "transparency" in picture.info:
        alpha = np.asarray(picture.convert("RGBA"))[..., 3]
        if alpha.min() < 255:
            raise IcefloeError(
                f"{what}: parts of the mask are transparent, which is neither black nor white. "
                "Export it without transparency, on black."
            )
    if picture.mode == "P":
        return _from_palette(picture, n_classes, what)
    if picture.mode == "L" and depth in (2, 4):
        return MaskFile(_unstretched(np.asarray(picture), depth, n_classes, what))
    if picture.mode in ("1", "L", "F") or picture.mode.startswith("I"):
        return MaskFile(_levels(np.asarray(picture), what))
    if picture.mode == "LA":
        return MaskFile(_levels(np.asarray(picture)[..., 0], what))
    channels = np.asarray(picture.convert("RGB"))
    if picture.mode not in ("RGB", "RGBA", "RGBX") or (channels != channels[..., :1]).any():
        raise IcefloeError(
            f"{what}: a mask in colour, which doesn't say what is which class. {BLACK_AND_WHITE_REMEDY}"
        )
    return MaskFile(np.ascontiguousarray(channels[..., 0]))


def _has_palette(path: Path) -> bool:
    try:
        with Image.open(path, formats=FORMATS) as picture:
            return picture.mode == "P"
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        return False


def _levels(data: NDArray[Any], what: str) -> MaskArray:
    if not data.size:
        raise IcefloeError(f"{what}: a mask without a pixel. Export it again.")
    if data.dtype == np.uint8:
        return data
    present = np.unique(data)
    if data.dtype.itemsize > 1 and present[-1] == 65535 and np.isin(present, (0, 65535)).all():
        # Black and white at 16 bits.
        return _black_and_white(data == 65535)
    if not np.isin(present, np.arange(256)).all():
        raise IcefloeError(
            f"{what}: mask has values other than whole numbers from 0 to 255. Export class indices."
        )
    return np.asarray(data, dtype=np.uint8)


def _black_and_white(white: NDArray[np.bool_]) -> MaskArray:
    return np.where(white, np.uint8(WHITE), np.uint8(0))


def _unstretched(stretched: NDArray[Any], depth: int, n_classes: int, what: str) -> MaskArray:
    # Pillow spreads 2 and 4 bits over 0 to 255.
    white = 2**depth - 1
    values: MaskArray = (stretched // (WHITE // white)).astype(np.uint8)
    if not np.isin(values, (0, white)).all():
        return values
    if n_classes > white and (values == white).any():
        raise IcefloeError(
            f"{what}: the mask's {white} at {depth} bits is white or class {white}. Export it at 8 bits."
        )
    return _black_and_white(values == white)


def _from_palette(picture: Image.Image, n_classes: int, what: str) -> MaskFile:
    """By the colours that a viewer shows: an editor may put white, or anything, at index 0."""
    indices = np.asarray(picture)
    palette = np.asarray(picture.getpalette("RGB"), dtype=int).reshape(-1, 3)
    used = np.unique(indices)
    if used[-1] >= len(palette):
        raise IcefloeError(f"{what}: the mask's palette lacks colours that it uses. Export it again.")
    colours = palette[used]
    grey = (colours == colours[:, :1]).all()
    n_colours = len(np.unique(colours, axis=0))
    if n_colours == 1 < len(used):
        raise IcefloeError(
            f"{what}: the mask's palette shows its {len(used)} values in one colour. Export it as 8-bit grey."
        )
    if grey and (np.isin(colours, (0, WHITE)).all() or (colours[:, 0] == used).all()):
        return MaskFile(palette[indices, 0].astype(np.uint8))
    if (colours == _standard_palette()[used]).all():
        return MaskFile(indices.astype(np.uint8), indexed=True)
    black = (colours == 0).all(axis=1)
    if n_classes == 2 and n_colours == 2 and black.any():
        return MaskFile(np.isin(indices, used[~black]).astype(np.uint8), indexed=True)
    raise IcefloeError(
        f"{what}: the colours of the mask's palette don't say what is which class. {BLACK_AND_WHITE_REMEDY}"
    )


def _standard_palette() -> NDArray[np.int_]:
    """The PASCAL VOC colours by class index, which labelme and CVAT write."""
    index = np.arange(256)[:, None]
    colours = np.zeros((256, 3), dtype=int)
    for bit in range(8):
        colours |= ((index >> (3 * bit + np.arange(3))) & 1) << (7 - bit)
    return colours


@dataclass(frozen=True)
class White:
    """What white, 255, means in masks that came together: the second of two classes, or ignore.

    Attributes
    ----------
    n_classes
        Number of classes of the dataset.
    as_class
        Whether a mask among them holds 0 and 255 and nothing else.
    as_ignore
        Whether 255 stands beside further classes in one of them.
    has_classes
        Whether one of them holds class indices other than 0.
    """

    n_classes: int
    as_class: bool
    as_ignore: bool
    has_classes: bool

    @classmethod
    def of(cls, present: Sequence[frozenset[int]], n_classes: int) -> Self:
        """By the values that each of the masks holds."""
        return cls(
            n_classes=n_classes,
            as_class=frozenset({0, WHITE}) in present,
            as_ignore=any(WHITE in values and values - {0, WHITE} for values in present),
            has_classes=any(values - {0, WHITE} for values in present),
        )

    def class_indices(self, mask: MaskFile, what: Path | str) -> MaskArray:
        """The mask as class indices; uint8, shape (H, W), 255 = ignore.

        Raises
        ------
        IcefloeError
            If 255 could mean either.
        """
        present = mask.present
        if mask.indexed or WHITE not in present or present - {0, WHITE}:
            return mask.values
        if self.n_classes > 2:
            if self.has_classes:
                return mask.values
            raise IcefloeError(
                f"{what}: a mask of nothing but 0 and 255 doesn't say which of {self.n_classes} classes is "
                "meant. Export class indices 0, 1, 2, ..."
            )
        if self.as_ignore:
            raise IcefloeError(
                f"{what}: 255 may be class 1 here, or ignored as in other masks beside class 1. "
                "Write class 1 as 1 in all masks, and leave out those of ignored pixels only."
            )
        if present == {WHITE} and not self.as_class:
            raise IcefloeError(
                f"{what}: the mask is 255 all over, which may be class 1, or ignored. Write class 1 as 1."
            )
        return np.asarray(mask.values == WHITE, dtype=np.uint8)


def check_values(mask: MaskArray, classes: Sequence[str], what: Path | str) -> None:
    """Refuse a mask that holds other values than those of `classes` and 255.

    Raises
    ------
    IcefloeError
        If it does; the error tells whether further classes have to be named, or the mask is of grey levels.
    """
    unknown = np.unique(mask[(mask >= len(classes)) & (mask != IGNORE)]).tolist()
    if not unknown:
        return
    shown = ", ".join(str(value) for value in unknown[:5])
    known = ", ".join(f"{value} = {name}" for value, name in enumerate(classes))
    if unknown[-1] < MOST_CLASSES:
        more = ",".join([*classes, *(f"NAME{value}" for value in range(len(classes), unknown[-1] + 1))])
        remedy = f'Name every class: --classes "{more}".'
    else:
        remedy = f"Those are grey levels, not classes. {BLACK_AND_WHITE_REMEDY}"
    raise IcefloeError(
        f"{what}: mask has unknown classes (values {shown}); known are {known} and 255 = ignore. {remedy}"
    )
