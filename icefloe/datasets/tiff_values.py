"""A TIFF page's pixels as a viewer shows them, from what its tags say of their values."""

from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from tifffile import COMPRESSION, PHOTOMETRIC, TiffPage

from icefloe.datasets.raw import one_grey_channel, refuse_too_large
from icefloe.errors import IcefloeError

_JPEG = (COMPRESSION.OJPEG, COMPRESSION.JPEG, COMPRESSION.ALT_JPEG)

_TURNS: dict[int, Any] = {
    2: lambda picture: picture[:, ::-1],
    3: lambda picture: picture[::-1, ::-1],
    4: lambda picture: picture[::-1],
    5: lambda picture: picture.swapaxes(0, 1),
    6: lambda picture: np.rot90(picture, -1),
    7: lambda picture: np.rot90(picture, 2).swapaxes(0, 1),
    8: lambda picture: np.rot90(picture),
}
"""By the tag Orientation: from stored rows and columns to those displayed."""


def displayed(path: Path, page: TiffPage, stored: NDArray[Any], indexed: bool = False) -> NDArray[Any]:
    """A page's grey values as a viewer shows them.

    Parameters
    ----------
    path
        File that errors name.
    page
        The page, whose tags say what the values are.
    stored : shape (H, W), (H, W, S) or (S, H, W)
        Decoded pixels of the page in its stored type; S is the samples of a pixel.
    indexed
        Leave the indices of a palette as they are, and the booleans that Python's tifffile wrote.

    Returns
    -------
    any real dtype, shape (H', W')
        Turned as the tag Orientation says.

    Raises
    ------
    IcefloeError
        If it is in colour, transparent, of another colour space than grey, RGB or a palette, or floating
        numbers of which the smallest is white.
    """
    grey = _one_channel(path, page, stored)
    if page.photometric == PHOTOMETRIC.PALETTE and not indexed:
        grey = _through_palette(path, page, grey)
    if page.photometric == PHOTOMETRIC.MINISWHITE and not (indexed and _is_numpy_bool(page)):
        grey = _inverted(path, page, grey)
    turn = _TURNS.get(_orientation(page))
    return turn(grey) if turn else grey


def _is_numpy_bool(page: TiffPage) -> bool:
    """Whether tifffile wrote True and False, which it declares MinIsWhite: a viewer shows them reversed."""
    return page.bitspersample == 1 and str(page.software).startswith("tifffile")


def _one_channel(path: Path, page: TiffPage, stored: NDArray[Any]) -> NDArray[Any]:
    if stored.ndim == 2:
        return stored
    if stored.ndim != 3 or "S" not in page.axes:
        raise IcefloeError(f"{path}: a page of {stored.ndim} dimensions. Export one image a page.")
    channels = np.moveaxis(stored, page.axes.index("S"), -1)
    n_colours = page.samplesperpixel - len(page.extrasamples)
    extra = channels[..., n_colours:]
    if extra.size and (extra != extra[:1, :1]).any():
        what = "parts of the picture are transparent" if any(page.extrasamples) else "has several channels"
        raise IcefloeError(f"{path}: {what}. Export the detector's own grey values alone.")
    if n_colours not in (1, 3):
        raise IcefloeError(f"{path}: has {n_colours} channels. Export the detector's own grey values alone.")
    return one_grey_channel(path, channels[..., :n_colours])


def _through_palette(path: Path, page: TiffPage, indices: NDArray[Any]) -> NDArray[Any]:
    """Grey levels of a palette's indices, 8 bit unless the palette is finer."""
    assert page.colormap is not None
    used = one_grey_channel(path, np.asarray(page.colormap)[:, np.unique(indices)].T)
    levels = np.asarray(page.colormap)[0]
    # 16-bit levels are 8-bit ones times 257 or 256; old writers leave them as 8-bit.
    if (used % 257 == 0).all() or (used % 256 == 0).all():
        levels = levels >> 8
    return levels.astype(np.uint8 if levels[np.unique(indices)].max() < 256 else np.uint16)[indices]


def _inverted(path: Path, page: TiffPage, stored: NDArray[Any]) -> NDArray[Any]:
    if stored.dtype.kind == "f":
        raise IcefloeError(
            f"{path}: floating numbers of which the smallest is white, without saying what is black. "
            "Save it with black as the smallest."
        )
    if stored.dtype.kind == "u":
        return ((1 << page.bitspersample) - 1 - stored).astype(stored.dtype)
    return ~stored


def _orientation(page: TiffPage) -> int:
    tag = page.tags.get("Orientation")
    return tag.value if tag is not None and isinstance(tag.value, int) else 1


def displayed_shape(page: TiffPage) -> tuple[int, int]:
    """(H, W) of a page, turned as the tag Orientation says."""
    shape = (page.imagelength, page.imagewidth)
    return shape[::-1] if _orientation(page) in (5, 6, 7, 8) else shape


def no_codec(path: Path, page: TiffPage) -> IcefloeError:
    """The error for a page compressed in a way that can't be undone, which it names."""
    name = getattr(page.compression, "name", "an unknown method")
    return IcefloeError(
        f"{path}: compressed by {name} ({int(page.compression)}), which can't be undone here. "
        "Save it uncompressed, or with LZW, Deflate or ZSTD."
    )


def refuse_unknown(path: Path, page: TiffPage) -> None:
    """Refuse a page that would be decoded to wrong values, or not at all.

    Raises
    ------
    IcefloeError
        If its colour space, compression or type is none of a grey image, or it is larger than what its file
        can hold.
    """
    photometric, compression = page.photometric, page.compression
    grey_or_rgb = (PHOTOMETRIC.MINISWHITE, PHOTOMETRIC.MINISBLACK, PHOTOMETRIC.RGB, PHOTOMETRIC.PALETTE)
    if photometric not in grey_or_rgb and not (
        photometric == PHOTOMETRIC.YCBCR and compression in _JPEG  # which the decoder makes RGB
    ):
        name = getattr(photometric, "name", photometric)
        raise IcefloeError(
            f"{path}: its values are {name}, not grey or RGB. Export the detector's own grey values."
        )
    if compression != COMPRESSION.NONE and compression not in tifffile.TIFF.DECOMPRESSORS:
        raise no_codec(path, page)
    if page.dtype is None or page.imagedepth != 1:
        raise IcefloeError(
            f"{path}: {page.bitspersample} bit in sample format {page.sampleformat} is no grey image. "
            "Export it as 8, 16 or 32 bit."
        )
    refuse_too_large(path, tuple(int(length) for length in page.shape))
    if page.is_tiled:
        refuse_too_large(path, (page.tilelength, page.tilewidth, page.samplesperpixel))
