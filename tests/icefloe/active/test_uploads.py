"""Uploads: only masks that fit get in, whatever the bytes say."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from PIL import Image

from icefloe.active.uploads import (
    MAX_MASK_BYTES,
    check_name,
    decode_png,
    encode_png,
    read_mask_upload,
)
from icefloe.errors import IcefloeError

MASK = np.array([[0, 1, 1], [0, 255, 1]], np.uint8)


def png(image: Image.Image, format: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=format)
    return buffer.getvalue()


@given(npst.arrays(np.uint8, npst.array_shapes(min_dims=2, max_dims=2, max_side=20)))
def test_a_mask_survives_encoding(mask):
    np.testing.assert_array_equal(decode_png(encode_png(mask)), mask)


def test_grey_palette_and_one_bit_masks_are_read():
    palette = Image.fromarray(MASK, mode="P")
    palette.putpalette(list(range(256)) * 3)
    for image, expected in [
        (Image.fromarray(MASK), MASK),
        (palette, MASK),
        (Image.fromarray(MASK == 1), (MASK == 1).astype(np.uint8)),
    ]:
        np.testing.assert_array_equal(read_mask_upload(png(image), (2, 3), 2, "D3/a"), expected)


def test_black_and_white_is_class_0_and_1():
    white = (MASK == 1).astype(np.uint8) * 255
    np.testing.assert_array_equal(read_mask_upload(encode_png(white), (2, 3), 2, "D3/a"), MASK == 1)


GOOD = encode_png(MASK)
BOMB = GOOD[:16] + struct.pack(">II", 60000, 60000) + GOOD[24:]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "D3/a: the mask is not a PNG. Export it as PNG."),
        (b"\x89PNG\r\n\x1a\n", "D3/a: the mask is not a PNG."),
        (png(Image.fromarray(MASK), "BMP"), "D3/a: the mask is not a PNG."),
        (png(Image.fromarray(MASK), "TIFF"), "D3/a: the mask is not a PNG."),
        (GOOD + bytes(MAX_MASK_BYTES), "D3/a: the mask has 32 MiB, more than the 32 allowed. Export it as a"),
        (BOMB, "D3/a: mask is 60000x60000 but the image is 3x2. Export the mask at the image's size."),
        (encode_png(MASK.T.copy()), "D3/a: mask is 2x3 but the image is 3x2."),
        (png(Image.fromarray(MASK).convert("RGB")), "D3/a: the mask is a PNG in colour"),
        (png(Image.fromarray(MASK).convert("LA")), "D3/a: the mask is a PNG in colour, with transparency"),
        (png(Image.fromarray(MASK.astype(np.uint16))), "or of another depth than 8 bit. Export one channel"),
        (encode_png(MASK * 2), "D3/a: mask has unknown classes (values 2, 254); known are 0 to 1 and 255 ="),
        (GOOD[:45], "D3/a: the mask's PNG is damaged"),
        (GOOD.replace(GOOD[41:45], b"oops"), "D3/a: the mask's PNG is damaged"),
    ],
)  # fmt: skip
def test_a_bad_mask_is_refused_in_one_line(data, message):
    with pytest.raises(IcefloeError) as error:
        read_mask_upload(data, (2, 3), 2, "D3/a")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@given(st.binary(max_size=200), st.integers(0, 100))
def test_no_bytes_raise_anything_but_our_error(noise, position):
    for data in (noise, GOOD[:position] + noise, GOOD[:33] + noise + GOOD[33:]):
        try:
            mask = read_mask_upload(data, (2, 3), 2, "D3/a")
        except IcefloeError:
            continue
        assert mask.shape == (2, 3)


def test_a_png_with_a_huge_text_chunk_is_refused_or_read_without_it():
    text = zlib.compress(bytes(10_000_000))
    body = b"zTXt" + b"k\0\0" + text
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    with pytest.raises(IcefloeError, match="the mask's PNG is damaged"):
        read_mask_upload(GOOD[:33] + chunk + GOOD[33:], (2, 3), 2, "D3/a")


@pytest.mark.parametrize("name", ["stack_1", "Bild 7 (neu)", "a.b-c+d=e,f@g#h", "Eis_wächst"])
def test_ordinary_names_are_safe(name):
    assert check_name("image", name) == name


@given(st.text(max_size=20))
def test_no_safe_name_leads_out_of_its_folder(name):
    try:
        check_name("image", name)
    except IcefloeError as error:
        assert "\n" not in str(error)  # noqa: PT017 - names that pass are the other half of the test
    else:
        assert not set(name) & set("/\\:\0\n")
        assert name.strip(".")
        assert not name.startswith(".")
