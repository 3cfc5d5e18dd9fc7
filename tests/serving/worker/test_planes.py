"""Pixels as browsers take them: nothing lost, or no more than said."""

import gzip

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from icefloe.datasets.dataset import Sample
from serving.prepared import plane_file, read_planes
from serving.worker.planes import LARGEST, prepare_planes, quantised


@given(arrays(np.float32, (3, 4), elements=st.integers(-30_000, 30_000).map(float)))
def test_whole_numbers_come_back_exactly(image):
    levels, scale, offset = quantised(image)
    assert (scale, levels.dtype) == (1.0, np.uint16)
    assert np.array_equal(levels + offset, image)


@given(arrays(np.float32, (3, 4), elements=st.floats(-1e6, 1e6, width=32)))
def test_other_numbers_come_back_within_half_a_level(image):
    levels, scale, offset = quantised(image)
    wrong = np.abs(offset + scale * levels.astype(np.float64) - image)
    assert wrong.max() <= 0.5001 * max(scale, np.ptp(image.astype(np.float64)) / LARGEST) + 1e-3


@pytest.fixture
def planes(tmp_path):
    """The planes of an image, read as a browser does."""

    def make(image):
        path = tmp_path / "a.tif"
        tifffile.imwrite(path, image)
        folder = tmp_path / "planes"
        prepare_planes(Sample("D1", "a", 0, path, pixel_size_nm=0.5), folder)
        found = {}
        for side, about in read_planes(folder).planes.items():
            values = np.frombuffer(gzip.decompress((folder / plane_file(side)).read_bytes()), "<u2")
            found[side] = (values.reshape(about.height, about.width), about)
        return found

    return make


def test_a_16_bit_image_is_streamed_as_it_is_and_in_overviews(planes, rng):
    image = rng.integers(0, 65536, (700, 2100)).astype(np.uint16)
    found = planes(image)
    assert np.array_equal(found[0][0], image)
    values, about = found[1024]
    assert values.shape == (233, 700)  # blocks of three
    blocks = image[:699].reshape(233, 3, 700, 3).mean((1, 3))
    assert np.abs(about.offset + about.scale * values - blocks).max() <= about.scale
    assert about.pixel_size_nm == pytest.approx(1.5)
    assert found[256][0].shape == (700 // 9, 2100 // 9)


def test_a_thin_strip_has_overviews_too(planes, rng):
    found = planes(rng.integers(0, 200, (2, 3000)).astype(np.uint8))
    assert found[256][0].shape == (1, 250)


def test_a_small_image_is_its_own_overview(planes, rng):
    image = rng.integers(0, 200, (20, 30)).astype(np.uint8)
    assert np.array_equal(planes(image)[256][0], image)
