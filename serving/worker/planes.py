"""An image as a browser takes it: 16-bit values, whole and in overviews."""

import gzip
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from icefloe.active.uploads import encode_png
from icefloe.datasets.dataset import Sample
from icefloe.files import atomic_directory
from icefloe.typing import FloatArray
from serving.prepared import ABOUT, LABEL, SIDES, PlaneAbout, PlanesAbout, plane_file

Levels = NDArray[np.uint16]
LARGEST = np.iinfo(np.uint16).max
FASTEST = 1
"""Level of gzip: somebody waits, and a camera's noise does not shrink much anyway."""


def prepare_planes(sample: Sample, folder: Path) -> None:
    """Write the planes of an image, and its label.

    Parameters
    ----------
    sample
        The image.
    folder
        New folder for `SIDES` and the image itself.

    Raises
    ------
    IcefloeError
        If the image or its label cannot be read.
    """
    image = sample.image()
    planes = {}
    with atomic_directory(folder, durable=False) as beside:
        for side in (0, *SIDES):
            small = image if not side else overview(image, side)
            levels, scale, offset = quantised(small)
            (beside / plane_file(side)).write_bytes(gzip.compress(levels.astype("<u2").tobytes(), FASTEST))
            height, width = levels.shape
            edge = sample.pixel_size_nm and sample.pixel_size_nm * image.shape[1] / width
            planes[side] = PlaneAbout(
                height=height, width=width, scale=scale, offset=offset, pixel_size_nm=edge
            )
        if sample.is_labelled:
            (beside / LABEL).write_bytes(encode_png(sample.mask()))
        about = PlanesAbout(planes=planes, is_labelled=sample.is_labelled)
        (beside / ABOUT).write_text(about.model_dump_json(), encoding="utf-8")


def quantised(image: FloatArray) -> tuple[Levels, float, float]:
    """An image as 16-bit levels.

    Parameters
    ----------
    image : float32, shape (H, W)
        Intensities.

    Returns
    -------
    levels : uint16, shape (H, W)
    scale, offset
        An intensity is offset + scale * level: exactly where intensities are whole numbers that 16 bits hold,
        else within half a level, of which the image's range has 65535.
    """
    low, high = float(image.min()), float(image.max())
    whole = bool(np.all(image == np.rint(image)))
    if whole and high - low <= LARGEST:
        offset = 0.0 if low >= 0 and high <= LARGEST else low
        return (image - np.float32(offset)).astype(np.uint16), 1.0, offset
    scale = (high - low) / LARGEST or 1.0  # means may be equal where pixels are not
    levels = np.rint((image.astype(np.float64) - low) / scale)
    return levels.astype(np.uint16), scale, low


def overview(image: FloatArray, side: int) -> FloatArray:
    """An image, float32 of shape (H, W), with a longest side of at most `side` px: means of blocks."""
    factor = -(-max(image.shape) // side)
    factors = tuple(min(factor, length) for length in image.shape)
    # Blocks that the image fills only in part would be darkened by what is not there.
    height, width = (length // block * block for length, block in zip(image.shape, factors, strict=True))
    rows = image[:height, :width].reshape(-1, factors[0], width).mean(axis=1, dtype=np.float32)
    return np.asarray(rows.reshape(len(rows), -1, factors[1]).mean(axis=2, dtype=np.float32), np.float32)
