import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from icefloe.errors import IcefloeError
from icefloe.imaging.region import is_region_done, two_phase_region


def micrograph(rng, surround=None, blob=130.0, background=200.0, deviation=4.0, side=160):
    """A disc on a brighter background, inside an aperture when `surround` says how dark it is around it."""
    rows, columns = np.indices((side, side)) - side / 2
    distance = np.hypot(rows, columns)
    image = np.where(distance < side / 5, blob, background)
    if surround is not None:
        image = np.where(distance > side / 2.1, surround, image)
    noisy = image + rng.normal(0, deviation, image.shape)
    return noisy.astype(np.float32), distance < side / 5


@pytest.mark.parametrize("surround", [None, 7.0, 100.0])
def test_the_blob_is_kept_and_the_background_is_zero_with_and_without_an_aperture(rng, surround):
    image, blob = micrograph(rng, surround)
    thresholded, region = two_phase_region(image)
    assert region[blob].mean() > 0.999
    np.testing.assert_array_equal(thresholded[region], image[region])
    background = ~blob & (image > 165)
    assert not thresholded[background].any()


@pytest.mark.parametrize("surround", [None, 7.0])
def test_applying_the_region_twice_equals_applying_it_once(rng, surround):
    once, region = two_phase_region(micrograph(rng, surround)[0])
    twice, region_again = two_phase_region(once)
    np.testing.assert_array_equal(once, twice)
    np.testing.assert_array_equal(region, region_again)


@given(arrays(np.float32, (12, 11), elements=st.floats(-10, 300, width=16)))
def test_any_image_that_has_a_region_has_the_same_one_afterwards(image):
    if image.min() == image.max():
        return
    once, region = two_phase_region(image)
    twice, region_again = two_phase_region(once)
    np.testing.assert_array_equal(once, twice)
    if is_region_done(once):
        np.testing.assert_array_equal(region, region_again)


def test_an_image_without_a_background_is_left_alone(rng):
    image = np.full((64, 64), 100, np.float32)
    image[0, 0] = 200
    thresholded, region = two_phase_region(image)
    assert thresholded is image
    assert region.all()


def test_the_published_images_are_not_changed(real_data):
    paths = sorted((real_data / "ice").glob("D*/stack_*[0-9].png"))
    assert len(paths) == 20
    for path in paths:
        image = np.asarray(Image.open(path), np.float32)
        np.testing.assert_array_equal(two_phase_region(image)[0], image, err_msg=path.name)


def test_a_constant_image_is_refused():
    with pytest.raises(IcefloeError, match="The image is constant"):
        two_phase_region(np.ones((8, 8), np.float32))
