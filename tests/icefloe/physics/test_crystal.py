import numpy as np
import pytest
from PIL import Image
from scipy.special import ellipe

from icefloe.errors import IcefloeError
from icefloe.imaging.geometry import Geometry
from icefloe.physics.crystal import measure


def mask_of(probability: np.ndarray) -> np.ndarray:
    return (probability >= 0.5).astype(np.uint8)


@pytest.fixture
def circle(disc):
    """The acceptance check's circle as a mask: radius 100, between the pixels."""
    return mask_of(disc(100, 128.3, 140.7, 280))


def test_centre_of_a_masked_circle_of_radius_100_is_good_to_a_tenth_of_a_pixel(circle):
    assert measure(circle, 0.5, 1.0).centre_nm == pytest.approx((128.3, 140.7), abs=0.1)


def test_front_of_a_masked_circle_of_radius_100_is_good_to_a_pixel_on_every_line(circle):
    front = measure(circle, 0.5, 1.0).front_nm
    assert front.shape == (72,)
    assert np.abs(front - 100).max() < 1.0
    assert front.mean() == pytest.approx(100, abs=0.1)


def test_curvature_of_a_masked_circle_of_radius_100_is_a_hundredth_everywhere(circle):
    low, high = measure(circle, 0.5, 1.0).curvature_range_per_nm
    assert 0.0095 < low <= high < 0.0105
    assert measure(circle, 0.5, 1.0).mean_curvature_per_nm == pytest.approx(0.01, rel=0.005)


def test_area_of_a_mask_is_its_number_of_pixels_to_a_pixel(circle):
    assert measure(circle, 0.5, 1.0).area_nm2 == pytest.approx(circle.sum(), abs=1)


@pytest.mark.parametrize("radius", [12.0, 20.25, 20.5, 33.1, 50.0])
def test_a_circle_between_the_pixels_is_measured_between_them(disc, radius):
    crystal = measure(disc(radius), 0.5, 1.0)
    assert crystal.area_nm2 == pytest.approx(np.pi * radius**2, rel=2e-3)
    assert crystal.equivalent_radius_nm == pytest.approx(radius, abs=0.02)
    assert crystal.centre_nm == pytest.approx((63.7, 70.2), abs=0.01)
    np.testing.assert_allclose(crystal.front_nm, radius, atol=0.1)


@pytest.mark.parametrize("threshold", [0.2, 0.33, 0.8])
def test_the_outline_lies_where_the_probability_crosses_the_threshold(disc, threshold):
    crossing = 40 - 1.5 * np.log(threshold / (1 - threshold))
    assert measure(disc(40), threshold, 1.0).mean_front_nm == pytest.approx(crossing, abs=0.05)


def test_lengths_scale_with_the_pixel_size(disc):
    one, three = measure(disc(30), 0.5, 1.0), measure(disc(30), 0.5, 3.0)
    assert three.area_nm2 == pytest.approx(9 * one.area_nm2)
    assert three.perimeter_nm == pytest.approx(3 * one.perimeter_nm)
    assert three.centre_nm == pytest.approx([3 * value for value in one.centre_nm])
    np.testing.assert_allclose(three.front_nm, 3 * one.front_nm)
    assert three.mean_curvature_per_nm == pytest.approx(one.mean_curvature_per_nm / 3)


@pytest.mark.parametrize(("a", "b"), [(120, 60), (90, 80), (140, 35)])
def test_area_perimeter_and_centre_of_an_ellipse_are_analytic(ellipse, a, b):
    crystal = measure(ellipse(a, b), 0.5, 1.5)
    assert crystal.area_nm2 == pytest.approx(np.pi * a * b * 1.5**2, rel=1e-3)
    assert crystal.perimeter_nm == pytest.approx(4 * a * 1.5 * ellipe(1 - (b / a) ** 2), rel=0.01)
    assert crystal.centre_nm == pytest.approx((1.5 * 159.6, 1.5 * 160.3), abs=0.05)


def test_front_of_an_ellipse_follows_its_polar_equation(ellipse):
    crystal = measure(ellipse(120, 60), 0.5, 1.0, n_lines=36)
    angle = crystal.angles_rad
    np.testing.assert_allclose(
        crystal.front_nm, 1 / np.hypot(np.cos(angle) / 120, np.sin(angle) / 60), atol=0.1
    )


def test_a_grid_stretched_by_a_resize_is_mapped_back(disc):
    native = disc(200, 440, 500, 960, width=4.0)[:894]
    stretched = np.asarray(Image.fromarray(native).resize((512, 512), Image.Resampling.BOX))
    crystal = measure(stretched, 0.5, (894 / 512 * 0.8, 960 / 512 * 0.8))
    assert crystal.area_nm2 == pytest.approx(np.pi * 160**2, rel=2e-3)
    np.testing.assert_allclose(crystal.front_nm, 160, atol=0.5)
    low, high = crystal.curvature_range_per_nm
    assert low == pytest.approx(1 / 160, rel=0.03)
    assert high == pytest.approx(1 / 160, rel=0.03)


def test_what_the_network_sees_of_a_960x894_image_is_measured_in_native_pixels(disc):
    native = disc(200, 440, 500, 960, width=4.0)[:894]
    geometry = Geometry.fit((894, 960), 512)
    crystal = measure(geometry.restore(geometry.place(native)), 0.5, 1.0)
    assert crystal.centre_nm == pytest.approx((440, 500), abs=0.1)
    np.testing.assert_allclose(crystal.front_nm, 200, atol=0.5)


def test_a_hole_is_taken_off_the_area_and_moves_the_centre(disc):
    outer, inner = disc(50), disc(15, 63.7, 95.2)
    crystal = measure(outer * (1 - inner), 0.5, 1.0)
    whole, hole = np.pi * 50**2, np.pi * 15**2
    assert crystal.area_nm2 == pytest.approx(whole - hole, rel=2e-3)
    assert crystal.centre_nm[1] == pytest.approx((whole * 70.2 - hole * 95.2) / (whole - hole), abs=0.05)
    assert crystal.n_crystals == len(crystal.boundaries) == 1
    assert crystal.front_nm[0] == pytest.approx(120.2 - crystal.centre_nm[1], abs=0.1)
    assert crystal.perimeter_nm == pytest.approx(2 * np.pi * 65, rel=0.01)


def test_a_speck_is_no_crystal(disc):
    with_speck = np.maximum(disc(40), disc(3, 120, 20))
    assert measure(with_speck, 0.5, 1.0).area_nm2 == measure(disc(40), 0.5, 1.0).area_nm2


def test_of_two_crystals_the_areas_add_up_and_lines_between_them_have_no_front(disc):
    two = np.maximum(disc(25, 70, 35), disc(25, 70, 105))
    crystal = measure(two, 0.5, 1.0, n_lines=4)
    assert crystal.n_crystals == 2
    assert crystal.area_nm2 == pytest.approx(2 * np.pi * 25**2, rel=2e-3)
    assert crystal.centre_nm == pytest.approx((70, 70), abs=0.05)
    assert np.isnan(crystal.front_nm[[1, 3]]).all()
    np.testing.assert_allclose(crystal.front_nm[[0, 2]], 60, atol=0.1)


def test_ice_that_leaves_the_image_is_measured_as_far_as_it_is_seen(disc):
    crystal = measure(disc(40, 70, 139.5), 0.5, 1.0, n_lines=4)
    assert crystal.cut
    assert crystal.area_nm2 == pytest.approx(np.pi * 40**2 / 2, rel=0.01)
    right, down, left, up = crystal.front_nm
    assert np.isnan(right)
    assert left == pytest.approx(40 - 4 * 40 / (3 * np.pi), abs=0.3)  # half a disc's centre of mass
    assert down == pytest.approx(up, abs=0.3)


def test_curvature_is_not_taken_from_the_images_edge(disc):
    crystal = measure(disc(40, 70, 139.5), 0.5, 1.0)
    (boundary,) = crystal.boundaries
    at_edge = boundary.points_nm[:, 1] > 138
    assert np.isnan(boundary.curvature_per_nm[at_edge]).all()
    assert crystal.curvature_range_per_nm == pytest.approx((1 / 40, 1 / 40), rel=0.1)


def test_lines_start_where_they_are_told_to(disc):
    crystal = measure(disc(40), 0.5, 2.0, origin_nm=(2 * 63.7, 2 * 60.2), n_lines=4)
    assert crystal.front_nm[0] == pytest.approx(2 * 50, abs=0.2)
    assert crystal.front_nm[2] == pytest.approx(2 * 30, abs=0.2)


def test_without_ice_the_area_is_nothing_and_the_rest_unknown():
    crystal = measure(np.zeros((30, 30)), 0.5, 1.0)
    assert (crystal.area_nm2, crystal.perimeter_nm, crystal.equivalent_radius_nm) == (0, 0, 0)
    assert crystal.n_crystals == 0
    assert not crystal.cut
    unknown = [*crystal.centre_nm, *crystal.front_nm, crystal.mean_front_nm, crystal.mean_curvature_per_nm]
    assert np.isnan([*unknown, *crystal.curvature_range_per_nm]).all()


def test_a_pixel_size_that_is_not_positive_is_refused(disc):
    with pytest.raises(IcefloeError, match=r"^Pixel size 0 nm: not positive"):
        measure(disc(40), 0.5, 0)


def test_a_stack_of_maps_is_refused():
    with pytest.raises(IcefloeError, match=r"^Map of shape \(2, 8, 8\): .* Measure one at a time"):
        measure(np.ones((2, 8, 8)), 0.5, 1.0)
