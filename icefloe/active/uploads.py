"""Checks on what comes from outside: people's names, and masks that become labels."""

import io
import struct

import numpy as np
from imagecodecs import PNG, png_encode
from PIL import Image, UnidentifiedImageError

from icefloe.datasets.annotations.mask_file import MaskFile, decode_mask
from icefloe.datasets.dataset import check_mask
from icefloe.errors import IcefloeError
from icefloe.typing import MaskArray

MAX_MASK_BYTES = 32 * 2**20
MAX_NAME_LENGTH = 128

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def check_person(name: object) -> str:
    """Return `name` if it can stand as a label's author: printable, not blank, at most 128 characters.

    Raises
    ------
    IcefloeError
        If it can't.
    """
    if not isinstance(name, str) or not name.strip() or not name.isprintable() or len(name) > MAX_NAME_LENGTH:
        raise IcefloeError(f"author {repr(name)[:80]}: not a name. Say who made the label.")
    return name


def read_mask_upload(png: bytes, shape: tuple[int, int], n_classes: int, what: str) -> MaskArray:
    """Decode a PNG of class indices that a person or another tool sent, trusting nothing it says.

    Parameters
    ----------
    png
        The file's bytes: grey, or black and white in any kind of PNG that editors write.
    shape
        (H, W) of the image.
    n_classes
        Values 0 to n_classes - 1 are known.
    what
        The file or image that a message names.

    Returns
    -------
    uint8, shape (H, W)
        Class index, 255 = ignore.

    Raises
    ------
    IcefloeError
        If it is too large, not such a PNG, damaged, of another size, or has unknown classes.
    """
    mask = decode_upload(png, shape, n_classes, what).values
    check_mask(what, mask, shape, n_classes)
    return mask


def decode_upload(png: bytes, shape: tuple[int, int], n_classes: int, what: str) -> MaskFile:
    """What a PNG from outside shows, however an editor stored it.

    Bytes and dimensions are checked before any pixel is unpacked, so a file can't fill the memory. Parameters
    are those of `read_mask_upload`.

    Raises
    ------
    IcefloeError
        If it is too large, no PNG, damaged, of another size, or does not say what is which class.
    """
    if len(png) > MAX_MASK_BYTES:
        raise IcefloeError(
            f"{what}: the mask has {len(png) >> 20} MiB, more than the {MAX_MASK_BYTES >> 20} allowed. "
            "Export it as a compressed PNG."
        )
    if len(png) < 33 or not png.startswith(_PNG_SIGNATURE) or png[12:16] != b"IHDR":
        raise IcefloeError(f"{what}: the mask is not a PNG. Export it as PNG.")
    width, height = struct.unpack(">II", png[16:24])
    if (height, width) != shape:
        raise IcefloeError(
            f"{what}: mask is {width}x{height} but the image is {shape[1]}x{shape[0]}. "
            "Export the mask at the image's size."
        )
    try:
        with Image.open(io.BytesIO(png), formats=["PNG"]) as picture:
            return decode_mask(picture, png, n_classes, what)
    except (OSError, SyntaxError, ValueError) as error:  # Pillow raises all three on damaged files
        known = not isinstance(error, UnidentifiedImageError)
        reason = " ".join(str(error).split())[:120] if known else "its beginning is no picture's"
        raise IcefloeError(
            f"{what}: the mask's PNG is damaged ({reason}). Export or send it again."
        ) from error


def encode_png(mask: MaskArray) -> bytes:
    """A mask as 8 bit grey PNG; uint8, shape (H, W), class index, 255 = ignore.

    Run lengths without a filter suit areas of one value: Pillow's own choice takes four times as long, and is
    no smaller.
    """
    return bytes(
        png_encode(
            np.ascontiguousarray(mask),
            level=PNG.COMPRESSION.SPEED,
            strategy=PNG.STRATEGY.RLE,
            filter=PNG.FILTER.NO,
        )
    )


def decode_png(png: bytes) -> MaskArray:
    """A mask that `encode_png` made; uint8, shape (H, W), class index, 255 = ignore."""
    with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
        return np.asarray(image).astype(np.uint8)
