"""PNG, JPEG and their like through Pillow: turned by EXIF, classes as stored, absurd headers refused."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from icefloe.datasets.readers import image_shape, read_image, read_mask, read_stack
from icefloe.datasets.recordings.opening import open_recording
from icefloe.errors import IcefloeError

TURNED = {
    1: lambda picture: picture,
    2: np.fliplr,
    3: lambda picture: np.rot90(picture, 2),
    4: np.flipud,
    5: np.transpose,
    6: lambda picture: np.rot90(picture, -1),
    7: lambda picture: np.rot90(np.transpose(picture), 2),
    8: np.rot90,
}
"""By the EXIF standard's table: where the first row and first column of what is stored are shown."""


def _save(path: Path, stored: np.ndarray, orientation: int) -> Path:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(stored).save(path, exif=exif)
    return path


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_exif_turns_images_masks_and_frames(tmp_path, rng, name, orientation):
    stored = np.kron(rng.integers(0, 2, (3, 5)), np.full((16, 16), 200)).astype(np.uint8)
    path = _save(tmp_path / name, stored, orientation)
    expected = TURNED[orientation](stored)
    for read in (read_image, read_mask, lambda path: next(open_recording(path).frames())):
        # JPEG is lossy.
        np.testing.assert_allclose(read(path).astype(float), expected, atol=6 if name == "a.jpg" else 0)
    assert image_shape(path) == expected.shape


def test_a_palette_mask_is_turned_too(tmp_path, rng):
    classes = rng.integers(0, 3, (6, 9), dtype=np.uint8)
    picture = Image.fromarray(classes)
    picture.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(tmp_path / "m.png", exif=exif)
    np.testing.assert_array_equal(read_mask(tmp_path / "m.png"), np.rot90(classes, -1))


def _png(shape: tuple[int, int], bits: int, rows: bytes, colour_type: int = 0) -> bytes:
    """A PNG file of given bit depth, which Pillow does not write."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        )

    header = struct.pack(">IIBBBBB", shape[1], shape[0], bits, colour_type, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_classes_in_a_png_of_few_bits_are_those_stored(tmp_path, rng, bits):
    classes = rng.integers(0, 2**bits, (8, 16), dtype=np.uint8)
    spread = np.unpackbits(classes[..., None], axis=-1)[..., -bits:].reshape(8, -1)
    rows = b"".join(b"\0" + np.packbits(row).tobytes() for row in spread)
    (tmp_path / "m.png").write_bytes(_png((8, 16), bits, rows))
    np.testing.assert_array_equal(read_mask(tmp_path / "m.png"), classes)


def test_a_png_that_promises_a_billion_pixels_each_way_is_refused(tmp_path):
    (tmp_path / "a.png").write_bytes(_png((10**9, 10**9), 8, b"\0" * 100))
    for read in (read_image, read_mask, image_shape, open_recording):
        with pytest.raises(IcefloeError, match=r"a\.png: its header says more than .* pixels") as refused:
            read(tmp_path / "a.png")
        assert "\n" not in str(refused.value)


def test_a_png_that_promises_more_than_its_bytes_can_hold_is_refused(tmp_path):
    (tmp_path / "a.png").write_bytes(_png((12_000, 12_000), 8, b"\0" * 100))
    with pytest.raises(IcefloeError, match=r"12,000 x 12,000 pixels, more than a file of .* bytes"):
        read_image(tmp_path / "a.png")


def test_a_numpy_header_that_promises_more_than_its_file_is_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(12.0).reshape(3, 4))
    content = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes(content.replace(b"(3, 4), }      ", b"(99999, 99999)}"))
    for read in (read_image, read_stack, open_recording):
        with pytest.raises(IcefloeError, match=r"a\.npy: (truncated|cut off)"):
            read(tmp_path / "a.npy")


def test_postscript_under_a_pictures_name_starts_no_program(tmp_path):
    script = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(touched) (w) file closefile\n"
    (tmp_path / "a.png").write_bytes(script)
    with pytest.raises(IcefloeError, match="truncated, damaged, or not what its name says"):
        read_image(tmp_path / "a.png")
