"""What a file held before it is checked: pixels of any kind, made grey or refused."""

import contextlib
import logging
import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from icefloe.datasets.conditions import NOT_KNOWN, Conditions
from icefloe.errors import IcefloeError


@dataclass(frozen=True)
class RawImage:
    """Pixels as a file holds them.

    Attributes
    ----------
    data : any real dtype, shape (H, W) or (T, H, W)
        Grey values in the file's own unit (counts or grey levels).
    pixel_size_nm
        Edge of a square pixel; None where the file does not say or the axes differ.
    chosen
        Which of a file's several images this is, in words; empty where there is one.
    conditions
        How it was taken, as far as the file says.
    not_square
        Width and height of a pixel, in words, where they differ; else empty.
    """

    data: NDArray[Any]
    pixel_size_nm: float | None = None
    chosen: str = ""
    conditions: Conditions = NOT_KNOWN
    not_square: str = ""


MOST_PIXELS = 2**30
"""Pixels of one image; four times as many bytes are needed to hold it."""

MOST_PIXELS_UNSEEN = 2**26
"""Pixels that a file may promise without the bytes to make them probable (8192 x 8192)."""

MOST_PIXELS_PER_BYTE = 2000
"""No lossless compression of an image that shows anything does better."""


class CutOffError(EOFError):
    """A file that ends before its last frame; its readers say so in their own words.

    Attributes
    ----------
    found, promised
        Number of frames that are there, and that the file says there are.
    """

    def __init__(self, found: int, promised: int) -> None:
        super().__init__(f"{found} of {promised} frames are there")
        self.found, self.promised = found, promised


def refuse_too_large(path: Path, shape: tuple[int, ...]) -> None:
    """Refuse what a header promises before memory is asked for it.

    Parameters
    ----------
    path
        File that the array would come from; its length in bytes counts.
    shape
        Lengths of the array that reading would make, in px and frames; all axes count.

    Raises
    ------
    IcefloeError
        If it is empty, larger than any image, or the file has too few bytes to hold so much.
    """
    n_pixels = math.prod(shape)
    size = " x ".join(f"{length:,}" for length in reversed(shape) if length != 1)
    if min(shape, default=0) < 1:
        raise IcefloeError(
            f"{path}: its header says {size} pixels, which is no image. Export or copy it again."
        )
    if n_pixels > max(MOST_PIXELS_UNSEEN, MOST_PIXELS_PER_BYTE * path.stat().st_size):
        raise IcefloeError(
            f"{path}: its header says {size} pixels, more than a file of {path.stat().st_size:,} bytes "
            "holds. Export or copy it again."
        )
    if n_pixels > MOST_PIXELS:
        raise IcefloeError(
            f"{path}: {size} pixels are more than Icefloe reads at once ({MOST_PIXELS:,}). "
            "Crop or bin it, or take a recording frame by frame with `icefloe stack`."
        )


def unreadable(path: Path, error: Exception) -> IcefloeError:
    """The one-line error for a file that its reader could not make sense of."""
    if isinstance(error, ModuleNotFoundError):
        return IcefloeError(
            f"{path}: reading this format needs the Python package {error.name!r}. "
            "Install it, or export the image as TIFF."
        )
    if isinstance(error, MemoryError):
        return IcefloeError(
            f"{path}: takes more memory than there is, or is damaged. Export it again, cropped or binned."
        )
    reason = " ".join(str(error).split()).replace(str(path), "the file") or type(error).__name__
    return IcefloeError(
        f"{path}: truncated, damaged, or not what its name says ({reason[:120]}). Export or copy it again."
    )


def one_grey_channel(path: Path, channels: NDArray[Any]) -> NDArray[Any]:
    """The grey values of a picture stored in colour channels.

    Parameters
    ----------
    path
        The file that the error names.
    channels : shape (..., C)
        C = 1 or 2 is grey (+ alpha), 3 or 4 red, green, blue (+ alpha).

    Returns
    -------
    shape (...)
        The one grey channel.

    Raises
    ------
    IcefloeError
        If the channels differ (real colour) or the alpha channel hides something.
    """
    n_channels = channels.shape[-1]
    colour = channels[..., : 3 if n_channels >= 3 else 1]
    if n_channels in (2, 4):
        alpha = channels[..., -1]
        if alpha.min() != alpha.max():
            raise IcefloeError(
                f"{path}: parts of the picture are transparent. Export it without transparency."
            )
    if (colour != colour[..., :1]).any():
        raise IcefloeError(
            f"{path}: a colour picture (its red, green and blue differ) where a grey one is meant. "
            "Export the detector's own grey values."
        )
    return colour[..., 0]


def grey_from_fields(path: Path, data: NDArray[Any]) -> NDArray[Any]:
    """As `one_grey_channel`, for the structured arrays with fields R, G, B (A) that RosettaSciIO gives."""
    names = data.dtype.names or ()
    return one_grey_channel(path, np.stack([data[name] for name in names], axis=-1))


@contextlib.contextmanager
def quiet_readers() -> Iterator[None]:
    """Keep the readers' own warnings off the user's screen; what matters is raised as an error."""
    loggers = [logging.getLogger(name) for name in ("rsciio", "tifffile", "PIL")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
