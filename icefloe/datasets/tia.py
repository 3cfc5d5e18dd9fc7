"""Headers of TIA series (`.ser`), checked before a reader asks for the memory that they promise.

Layout: C. B. Boothroyd's description of the format.
"""

import math
import struct
from io import BufferedReader
from pathlib import Path

import numpy as np

from icefloe.datasets.raw import refuse_too_large

SUFFIXES = (".ser",)

IMAGES = 0x4122
"""Content of a series of images; other series hold spectra."""

SHORT_OFFSETS = 0x0210
"""The last version whose offsets have four bytes."""

DTYPES = {1: "<u1", 2: "<u2", 3: "<u4", 4: "<i1", 5: "<i2", 6: "<i4", 7: "<f4", 8: "<f8"}

CALIBRATION = struct.Struct("<ddiddihii")
"""Offset, scale, element along x and y; type, columns, rows: before each frame's pixels."""

_MOST_DIMENSIONS = 8


def refuse_absurd_series(path: Path) -> None:
    """Refuse a series whose header promises more than its file holds.

    RosettaSciIO, and any reader, makes arrays as large as the header says.

    Raises
    ------
    IcefloeError
        If the frames, with those that were asked for and not recorded, are more than an image can be.
    ValueError, struct.error
        If the header is damaged.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        _, _, version, content, _, _, n_valid = struct.unpack("<3H4I", file.read(22))
        wide = version > SHORT_OFFSETS
        table, n_dimensions = struct.unpack("<QI" if wide else "<II", file.read(12 if wide else 8))
        if n_dimensions > _MOST_DIMENSIONS:
            raise ValueError(f"{n_dimensions} dimensions")
        asked = [_dimension(file, size) for _ in range(n_dimensions)]
        if n_valid * (8 if wide else 4) > size:
            raise ValueError(f"{n_valid} frames in {size} bytes")
        if content != IMAGES or not n_valid:
            return
        file.seek(table)
        (first,) = struct.unpack("<Q" if wide else "<I", file.read(8 if wide else 4))
        if first > size:
            raise ValueError(f"the first frame is at byte {first} of {size}")
        file.seek(first)
        *_, kind, columns, rows = CALIBRATION.unpack(file.read(CALIBRATION.size))
    if kind not in DTYPES or n_valid * rows * columns * np.dtype(DTYPES[kind]).itemsize > size:
        raise ValueError(f"{n_valid} frames of {columns} x {rows} pixels in {size} bytes")
    refuse_too_large(path, (max(n_valid, math.prod(asked)), rows, columns))


def _dimension(file: BufferedReader, size: int) -> int:
    """Length of one dimension of the series; the file stands behind its description afterwards."""
    (length,) = struct.unpack("<I", file.read(4))
    file.seek(20, 1)
    for _ in range(2):  # description and unit
        (n_letters,) = struct.unpack("<I", file.read(4))
        if n_letters > size:
            raise ValueError(f"a text of {n_letters} letters")
        file.seek(n_letters, 1)
    return int(length)
