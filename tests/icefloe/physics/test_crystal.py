import numpy as np
import pytest

from icefloe.errors import IcefloeError
from icefloe.physics.crystal import measure


def disc(radius: float, row: float = 128.3, column: float = 140.7, size: int = 280) -> np.ndarray:
    rows, columns = np.mgrid[:size, :size]
    return ((rows - row) ** 2 + (columns - column) ** 2 < radius**2).astype(np.uint8)


def test_centre_of_a_circle_of_radius_100_is_good_to_a_tenth_of_a_pixel():
    row, column = measure(disc(100), 1.0).centre_nm
    assert row == pytest.approx(128.3, abs=0.1)
    assert column == pytest.approx(140.7, abs=0.1)


def test_front_of_a_circle_of_radius_100_is_good_to_a_pixel_on_every_line():
    crystal = measure(disc(100), 1.0)
    assert crystal.front_nm.shape == (72,)
    assert np.abs(crystal.front_nm - 100).max() < 1.0
    assert crystal.front_nm.mean() == pytest.approx(100, abs=0.25)


def test_area_of_a_circle_is_analytic_in_square_nanometres():
    assert measure(disc(100), 2.0).area_nm2 == pytest.approx(np.pi * 200**2, rel=1e-3)


def test_lengths_scale_with_the_pixel_size():
    one, two = measure(disc(60), 1.0), measure(disc(60), 2.0)
    np.testing.assert_allclose(two.front_nm, 2 * one.front_nm)
    assert two.centre_nm == pytest.approx([2 * value for value in one.centre_nm])


def test_front_of_an_ellipse_follows_its_polar_equation():
    rows, columns = np.mgrid[:300, :300] - 150.0
    mask = ((columns / 120) ** 2 + (rows / 60) ** 2 < 1).astype(np.uint8)
    crystal = measure(mask, 1.0, n_lines=36)
    angle = crystal.angles_rad
    expected = 1 / np.hypot(np.cos(angle) / 120, np.sin(angle) / 60)
    assert np.abs(crystal.front_nm - expected).max() < 1.0


def test_a_line_that_passes_between_two_crystals_has_no_front():
    mask = disc(30, 140, 60) | disc(30, 140, 220)
    crystal = measure(mask, 1.0, n_lines=4)
    assert np.isnan(crystal.front_nm[[1, 3]]).all()
    np.testing.assert_allclose(crystal.front_nm[[0, 2]], 110, atol=1)


def test_front_of_ice_that_leaves_the_image_stops_at_the_edge():
    mask = np.ones((50, 50), np.uint8)
    front = measure(mask, 1.0, n_lines=4).front_nm
    np.testing.assert_allclose(front, 25, atol=0.5)


def test_a_mask_without_ice_is_refused():
    with pytest.raises(IcefloeError, match=r"^Mask: no pixel of class 1, so there is no ice to measure"):
        measure(np.zeros((8, 8), np.uint8), 1.0)


def test_ignored_pixels_are_not_ice():
    mask = disc(40)
    mask[:, :20] = 255
    assert measure(mask, 1.0).area_nm2 == disc(40).sum()


def test_a_pixel_size_that_is_not_positive_is_refused():
    with pytest.raises(IcefloeError, match=r"^Pixel size 0 nm: not positive"):
        measure(disc(40), 0)


def test_a_stack_of_masks_is_refused():
    with pytest.raises(IcefloeError, match="Measure one mask at a time"):
        measure(np.ones((2, 8, 8), np.uint8), 1.0)
