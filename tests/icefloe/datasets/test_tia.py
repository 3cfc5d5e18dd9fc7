"""Headers of TIA series that promise what no file holds: refused in one line, before memory is asked for."""

import struct
from pathlib import Path

import numpy as np
import pytest

from icefloe.datasets.readers import image_shape, read_image, read_mask, read_metadata, read_stack
from icefloe.datasets.recordings.opening import open_recording
from icefloe.errors import IcefloeError

N_VALID, DIMENSIONS, LENGTH, DESCRIPTION = 18, 26, 30, 54
"""Bytes at which these entries stand."""


@pytest.fixture
def series(tmp_path: Path) -> Path:
    """Two frames of 6 x 4 pixels, 16 bit."""
    frames = np.arange(48, dtype=np.uint16).reshape(2, 4, 6)
    dimension = struct.pack("<I2dI2I", 2, 0.0, 1.0, 0, 0, 0)
    table = 22 + 8 + len(dimension)
    header = struct.pack("<3H4I", 0x4949, 0x0197, 0x0210, 0x4122, 0x4152, 2, 2)
    calibration = struct.pack("<ddiddihii", 0, 5e-10, 0, 0, 5e-10, 0, 2, 6, 4)
    elements = [calibration + frame.tobytes() + struct.pack("<HHI", 0x4152, 0, 10**9) for frame in frames]
    places = [table + 16 + index * len(elements[0]) for index in range(2)]
    offsets = struct.pack("<4I", *places, *(place + len(elements[0]) - 8 for place in places))
    path = tmp_path / "a.ser"
    content = header + struct.pack("<II", table, 1) + dimension + offsets + b"".join(elements)
    path.write_bytes(content)
    return path


def _patched(path: Path, offset: int, form: str, value: int) -> None:
    content = bytearray(path.read_bytes())
    struct.pack_into(form, content, offset, value)
    path.write_bytes(content)


def test_the_series_itself_is_read(series):
    assert read_stack(series).shape == (2, 4, 6)
    assert len(list(open_recording(series).frames())) == 2


@pytest.mark.parametrize(
    ("offset", "form", "value"),
    [
        (N_VALID, "<I", 0xFFFFFFFF),
        (N_VALID, "<I", 10**8),
        (DIMENSIONS, "<I", 0x7FFFFFFF),
        (LENGTH, "<I", 0xFFFFFFFF),
        (DESCRIPTION, "<I", 0xFFFFFFFF),
        (22, "<I", 0xFFFFFFF0),
        (78 + 40 + 4 + 2, "<i", 10**9),
        (78 + 40 + 4 + 2, "<i", -6),
        (78 + 40 + 4, "<H", 99),
    ],
)
def test_an_absurd_entry_is_refused_in_one_line(series, offset, form, value):
    _patched(series, offset, form, value)
    for read in (read_image, read_stack, read_mask, read_metadata, image_shape, open_recording):
        with pytest.raises(IcefloeError) as refused:
            read(series)
        message = str(refused.value)
        assert "\n" not in message
        assert "more memory than there is" not in message
