"""Uploads: only masks that fit get in, whatever the bytes say."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from PIL import ExifTags, Image

from icefloe.active.uploads import (
    MAX_MASK_BYTES,
    decode_png,
    decode_upload,
    encode_png,
    read_mask_upload,
)
from icefloe.errors import IcefloeError

MASK = np.array([[0, 1, 1], [0, 255, 1]], np.uint8)


def png(image: Image.Image, format: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=format, **options)
    return buffer.getvalue()


@given(npst.arrays(np.uint8, npst.array_shapes(min_dims=2, max_dims=2, max_side=20)))
def test_a_mask_survives_encoding(mask):
    np.testing.assert_array_equal(decode_png(encode_png(mask)), mask)


def colours(mask: np.ndarray) -> np.ndarray:
    return np.repeat(mask[..., None], 3, axis=2)


def palette(mask: np.ndarray, colours: list[int]) -> Image.Image:
    image = Image.fromarray(mask, mode="P")
    image.putpalette(colours)
    return image


OPAQUE = np.full_like(MASK, 255)
VOC = [0, 0, 0, 128, 0, 0] + [224, 224, 192] * 254
READ = {
    "grey": (Image.fromarray(MASK), MASK),
    "grey with alpha, as GIMP writes it": (Image.merge("LA", [*map(Image.fromarray, (MASK, OPAQUE))]), MASK),
    "RGB, as Paint writes it": (Image.fromarray(colours(MASK)), MASK),
    "RGBA, as Preview writes it": (Image.fromarray(np.dstack([colours(MASK), OPAQUE])), MASK),
    "1 bit": (Image.fromarray(MASK == 1), (MASK == 1).astype(np.uint8)),
    "16 bit class indices": (Image.fromarray(MASK.astype(np.uint16)), MASK),
    "16 bit black and white": (Image.fromarray((MASK == 1) * np.uint16(65535)), (MASK == 1) * np.uint8(255)),
    "palette of greys": (palette(MASK, [*np.repeat(np.arange(256), 3)]), MASK),
    "palette with white first": (palette(MASK // 255, [255] * 3 + [0] * 3), (MASK != 255) * np.uint8(255)),
    "palette of label tools": (palette(MASK, VOC), MASK),
}  # fmt: skip


@pytest.mark.parametrize("kind", READ)
def test_masks_of_every_editor_are_read_as_the_levels_that_are_seen(kind):
    image, expected = READ[kind]
    np.testing.assert_array_equal(decode_upload(png(image), (2, 3), 2, "D3/a").values, expected)


def test_a_mask_of_ignored_pixels_alone_stays_one():
    ignored = (MASK == 255) * np.uint8(255)
    np.testing.assert_array_equal(read_mask_upload(encode_png(ignored), (2, 3), 2, "D3/a"), ignored)


GOOD = encode_png(MASK)
TURNED = Image.Exif()
TURNED[ExifTags.Base.Orientation] = 6


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


COLOUR_OF_16_BITS = (
    GOOD[:8]
    + chunk(b"IHDR", struct.pack(">IIBBBBB", 3, 2, 16, 2, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress((b"\0" + bytes(18)) * 2))
    + chunk(b"IEND", b"")
)
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


RED = (colours(MASK) * np.array([1, 0, 0])).astype(np.uint8)
SOFT = np.dstack([MASK, np.where(MASK == 1, 128, 255)]).astype(np.uint8)
REFUSED = {
    "a mask in colour, which doesn't say what is which class.": png(Image.fromarray(RED)),
    "the colours of the mask's palette don't say": png(palette(MASK // 255, [255, 0, 0, 0, 0, 255])),
    "parts of the mask are transparent, which is neither": png(Image.fromarray(SOFT, "LA")),
    "mask has values other than whole numbers from 0 to": png(Image.fromarray(MASK * np.uint16(9))),
    "a mask must be one image, this has 2 pages.": png(
        Image.fromarray(MASK), save_all=True, append_images=[Image.fromarray(255 - MASK)]
    ),
    "mask is 2x3 but the image is 3x2.": png(Image.fromarray(MASK), exif=TURNED),
    "a mask of 16 bits a channel in several channels.": COLOUR_OF_16_BITS,
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_an_editor_may_mean_otherwise_is_refused_with_the_remedy(message):
    with pytest.raises(IcefloeError, match=f"^D3/a: {message}"):
        read_mask_upload(REFUSED[message], (2, 3), 2, "D3/a")


@given(st.binary(max_size=200), st.integers(0, 100))
def test_no_bytes_raise_anything_but_our_error(noise, position):
    for data in (noise, GOOD[:position] + noise, GOOD[:33] + noise + GOOD[33:]):
        try:
            mask = read_mask_upload(data, (2, 3), 2, "D3/a")
        except IcefloeError:
            continue
        assert mask.shape == (2, 3)


def test_a_png_with_a_huge_text_chunk_is_refused_or_read_without_it():
    text = chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(10_000_000)))
    with pytest.raises(IcefloeError, match="the mask's PNG is damaged"):
        read_mask_upload(GOOD[:33] + text + GOOD[33:], (2, 3), 2, "D3/a")
