"""MRC: signed and unsigned bytes, either byte order, honest pixel sizes; images and recordings alike."""

import struct
from pathlib import Path

import numpy as np
import pytest

from icefloe.datasets.readers import read_image, read_metadata, read_stack
from icefloe.datasets.recordings.opening import open_recording
from icefloe.errors import IcefloeError

MODES = {"i1": 0, "u1": 0, "i2": 1, "f4": 2, "u2": 6, "f2": 12}


def write_mrc(
    path: Path,
    frames: np.ndarray,
    order: str = "<",
    *,
    sampling: tuple[int, int] | None = None,
    cell_nm: float = 2.0,
    extremes: tuple[float, float] = (0.0, 0.0),
    imod_flags: int | None = None,
    map_stamp: bytes | None = None,
    extended: bytes = b"",
) -> Path:
    """An MRC file after the MRC2014 paper's table, independent of the reader."""
    n_frames, rows, columns = frames.shape
    header = bytearray(1024)
    struct.pack_into(f"{order}4i", header, 0, columns, rows, n_frames, MODES[frames.dtype.str[1:]])
    struct.pack_into(f"{order}3i", header, 28, *(sampling or (columns, rows)), n_frames)
    struct.pack_into(f"{order}3f", header, 40, 10 * cell_nm * columns, 10 * cell_nm * rows, 0)
    struct.pack_into(f"{order}2f", header, 76, *extremes)
    struct.pack_into(f"{order}i", header, 92, len(extended))
    if imod_flags is not None:
        struct.pack_into(f"{order}2i", header, 152, 1146047817, imod_flags)
    header[208:216] = b"MAP " + (map_stamp or {"<": b"\x44\x44\0\0", ">": b"\x11\x11\0\0"}[order])
    swapped = frames.astype(frames.dtype.newbyteorder(order))
    path.write_bytes(bytes(header) + extended + swapped.tobytes())
    return path


def _paths(path: Path) -> list[np.ndarray]:
    return [read_stack(path), np.array(list(open_recording(path).frames()), np.float32)]


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("dtype", ["i1", "i2", "u2", "f4", "f2"])
@pytest.mark.parametrize("extended", [b"", bytes(256)])
def test_either_byte_order_and_every_mode_give_the_values_written(tmp_path, rng, order, dtype, extended):
    frames = rng.integers(-100, 100, (3, 6, 8)).astype(dtype)
    path = write_mrc(tmp_path / "a.mrc", frames, order, extended=extended)
    for read in _paths(path):
        np.testing.assert_array_equal(read, frames.astype(np.float32))
    assert read_metadata(path).pixel_size_nm == pytest.approx(2.0)
    assert open_recording(path).pixel_size_nm == pytest.approx(2.0)


@pytest.mark.parametrize("stamp", [bytes(4), b"\x44\x44\0\0", b"\x44\x41\0\0"])
def test_a_big_endian_file_with_the_wrong_machine_stamp_is_read_by_its_length(tmp_path, rng, stamp):
    frames = rng.integers(-100, 100, (2, 6, 8)).astype("i1")
    path = write_mrc(tmp_path / "a.mrc", frames, ">", map_stamp=stamp)
    for read in _paths(path):
        np.testing.assert_array_equal(read, frames)


@pytest.mark.parametrize(
    ("header", "signed"),
    [
        ({}, True),
        ({"extremes": (-104, 61)}, True),
        ({"extremes": (2, 1)}, True),
        ({"extremes": (0, 255)}, False),
        ({"extremes": (27, 203)}, False),
        ({"imod_flags": 1}, True),
        ({"imod_flags": 0}, False),
        ({"imod_flags": 1, "extremes": (0, 255)}, True),
        ({"imod_flags": 0, "extremes": (-3, 100)}, False),
    ],
)
def test_bytes_are_signed_unless_imod_or_the_headers_extremes_say_otherwise(tmp_path, rng, header, signed):
    stored = rng.integers(0, 256, (1, 6, 8)).astype("u1")
    path = write_mrc(tmp_path / "a.mrc", stored, **header)
    expected = stored.view("i1") if signed else stored
    for read in _paths(path):
        np.testing.assert_array_equal(read, expected)


def test_bytes_of_an_old_header_that_tells_nothing_are_refused_where_it_matters(tmp_path, rng):
    path = write_mrc(tmp_path / "a.mrc", rng.integers(0, 128, (2, 6, 8)).astype("u1"))
    content = bytearray(path.read_bytes())
    content[208:216] = bytes(8)
    path.write_bytes(content)
    assert len(_paths(path)) == 2
    content[-1] = 200
    path.write_bytes(content)
    for read in (read_stack, lambda path: list(open_recording(path).frames())):
        with pytest.raises(IcefloeError, match=r"the header does not tell which\. Save it as 16 bit"):
            read(path)


@pytest.mark.parametrize(
    ("sampling", "cell_nm"), [((0, 0), 2.0), ((8, 6), 0.0), ((8, 0), 2.0), ((8, 6), -1.0)]
)
def test_a_header_without_sampling_or_cell_gives_no_pixel_size(tmp_path, rng, sampling, cell_nm):
    frames = rng.integers(-100, 100, (1, 6, 8)).astype("i2")
    path = write_mrc(tmp_path / "a.mrc", frames, sampling=sampling, cell_nm=cell_nm)
    assert read_metadata(path).pixel_size_nm is None
    assert open_recording(path).pixel_size_nm is None


@pytest.mark.parametrize("kept", [0, 500, 1023, 1024, 1100])
def test_a_truncated_file_is_refused(tmp_path, rng, kept):
    path = write_mrc(tmp_path / "a.mrc", rng.integers(0, 99, (1, 6, 8)).astype("i2"))
    path.write_bytes(path.read_bytes()[:kept])
    for read in (read_image, open_recording):
        with pytest.raises(IcefloeError, match=r"a\.mrc: (truncated|cut off)"):
            read(path)


@pytest.mark.parametrize("mode", [3, 4, 16, 101, -1, 7])
def test_modes_that_are_no_grey_image_are_refused(tmp_path, rng, mode):
    path = write_mrc(tmp_path / "a.mrc", rng.integers(0, 99, (1, 6, 8)).astype("f4"))
    content = bytearray(path.read_bytes())
    struct.pack_into("<i", content, 12, mode)
    path.write_bytes(content)
    for read in (read_image, open_recording):
        with pytest.raises(IcefloeError, match="not an MRC file of 8, 16 or 32 bit grey values"):
            read(path)
