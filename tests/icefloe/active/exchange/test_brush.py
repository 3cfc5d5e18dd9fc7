"""Brush masks: what Label Studio writes is read, and what we write it reads."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from icefloe.active.exchange.brush import decode_brush, encode_brush
from icefloe.errors import IcefloeError
from tests.icefloe.active.exchange.reference import rle_pack_decode

SMALL = np.zeros((3, 5), bool)
SMALL[1, 1:4] = True

# By `label_studio_sdk.converter.brush.mask2rle` of label-studio-sdk 2.0.13.
BY_LABEL_STUDIO = [0, 0, 0, 60, 57, 27, 254, 23, 0, 183, 255, 133, 192, 0]


def literal_code(values: list[int]) -> list[int]:
    """A code that uses literal runs, which Label Studio's page writes and our encoder never does."""
    bits = f"{len(values):032b}{7:05b}" + "".join(f"{size - 1:04b}" for size in (2, 4, 8, 16))
    for start in range(0, len(values), 10):
        part = values[start : start + 10]
        bits += f"001{len(part) - 1:04b}" + "".join(f"{value:08b}" for value in part)
    bits += "0" * (-len(bits) % 8)
    return [int(bits[start : start + 8], 2) for start in range(0, len(bits), 8)]


def test_the_code_is_byte_for_byte_label_studios():
    assert encode_brush(SMALL) == BY_LABEL_STUDIO


def test_label_studios_code_is_read_with_the_filling_byte_it_adds_at_times():
    np.testing.assert_array_equal(decode_brush([*BY_LABEL_STUDIO, 0], (3, 5), "D3/a"), SMALL)


masks = npst.arrays(bool, npst.array_shapes(min_dims=2, max_dims=2, max_side=24))


@given(masks)
def test_an_independent_decoder_reads_our_code(mask):
    assert rle_pack_decode(encode_brush(mask)) == (np.repeat(mask.ravel(), 4) * 255).tolist()


@given(masks)
def test_a_mask_survives_there_and_back(mask):
    np.testing.assert_array_equal(decode_brush(encode_brush(mask), mask.shape, "D3/a"), mask)


@given(masks)
def test_literal_runs_are_read(mask):
    code = literal_code((np.repeat(mask.ravel(), 4) * 255).tolist())
    np.testing.assert_array_equal(decode_brush(code, mask.shape, "D3/a"), mask)


@pytest.mark.parametrize("side", [127, 128, 129])  # a run of 65536 values is the longest that one code holds
def test_runs_longer_than_the_code_can_say_are_divided(side):
    mask = np.ones((128, side), bool)
    code = encode_brush(mask)
    assert len(rle_pack_decode(code)) == mask.size * 4
    np.testing.assert_array_equal(decode_brush(code, mask.shape, "D3/a"), mask)


def test_only_alpha_is_the_mask_and_pixels_at_a_strokes_edge_count_from_half_on():
    code = literal_code([200, 200, 200, 127, 0, 0, 0, 128])
    np.testing.assert_array_equal(decode_brush(code, (1, 2), "D3/a"), [[False, True]])


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ([], "it is no list of bytes"),
        ("nonsense", "it is no list of bytes"),
        ([0.5], "it is no list of bytes"),
        ([300], "it is no list of bytes"),
        ([[1, 2], [3, 4]], "it is no list of bytes"),
        ([0, 0, 0], "no header"),
        (BY_LABEL_STUDIO[:9], "it is cut off or damaged"),
        ([255, 255, 255, 255, *BY_LABEL_STUDIO[4:]], "it has 4294967295 values, not the 60 of the image"),
        ([0, 0, 0, 60, 255, *BY_LABEL_STUDIO[5:]], "its words have 32 bits, not 8"),
    ],
)
def test_a_bad_code_is_refused_in_one_line(code, reason):
    with pytest.raises(IcefloeError) as error:
        decode_brush(code, (3, 5), "D3/a")
    assert str(error.value) == (
        f"D3/a: the brush mask can't be decoded ({reason}). Export it from Label Studio again."
    )


@given(st.lists(st.integers(0, 255), max_size=40))
def test_no_bytes_raise_anything_but_our_error(code):
    for given_code in (code, BY_LABEL_STUDIO[:7] + code):
        try:
            mask = decode_brush(given_code, (3, 5), "D3/a")
        except IcefloeError:
            continue
        assert mask.shape == (3, 5)
