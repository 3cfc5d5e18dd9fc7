import numpy as np
import pytest

from icefloe.physics.image import measure_image, two_phase_area


def round_area(radius: float, row: float = 63.7, column: float = 70.2, size: int = 140) -> np.ndarray:
    rows, columns = np.mgrid[:size, :size]
    return np.hypot(rows - row, columns - column) < radius


def test_members_fronts_start_from_the_ensembles_centre(disc):
    image = measure_image("a", 3.0, disc(30), [disc(30, column=75.2), disc(30)], 0.5, 2.0)
    moved, same = image.members
    right, left = 0, 36
    assert moved.front_nm[right] == pytest.approx(2 * 35, abs=0.3)
    assert moved.front_nm[left] == pytest.approx(2 * 25, abs=0.3)
    np.testing.assert_allclose(same.front_nm, image.ensemble.front_nm)
    assert moved.centre_nm[1] == pytest.approx(2 * 75.2, abs=0.05)


def test_effect_of_the_threshold_is_that_of_the_outlines_it_moves(disc):
    def area(threshold):
        return np.pi * (40 - 1.5 * np.log(threshold / (1 - threshold))) ** 2

    image = measure_image("a", 0.0, disc(40), [], 0.4, 1.0)
    assert image.threshold_effect_nm2 == pytest.approx((area(0.3) - area(0.5)) / 2, rel=0.03)


def test_spread_of_curvature_follows_the_outline(disc):
    image = measure_image("a", 0.0, disc(40), [disc(38), disc(40), disc(42)], 0.5, 1.0)
    ((boundary,), (std,)) = image.ensemble.boundaries, image.curvature_std
    assert std.shape == boundary.curvature_per_nm.shape
    np.testing.assert_allclose(std, np.std([1 / 38, 1 / 40, 1 / 42], ddof=1), rtol=0.25)


def test_phase_area_is_water_and_ice_together_without_the_apertures_surround():
    surround = ~round_area(66)
    area, cut = two_phase_area(surround | round_area(50), round_area(20))
    assert area == pytest.approx(np.pi * 50**2, rel=0.01)
    assert not cut


def test_noise_at_the_regions_rim_and_holes_in_it_do_not_count(rng):
    region = round_area(50) ^ (rng.random((140, 140)) < 0.1)
    region[60:66, 80:86] = False
    area, _ = two_phase_area(region, round_area(20))
    assert area == pytest.approx(np.pi * 50**2, rel=0.02)


def test_ice_that_the_region_misses_is_added_to_it():
    area, _ = two_phase_area(round_area(20), round_area(30))
    assert area == round_area(30).sum()


def test_a_region_that_leaves_the_image_is_flagged(disc):
    image = measure_image("a", 0.0, disc(30), [], 0.5, 1.0, region=np.ones((140, 140), bool))
    assert image.flags == ("two-phase region cut by the image's edge",)


def test_crystals_and_what_cuts_them_are_flagged(disc):
    two = np.maximum(disc(25, 70, 35), disc(25, 70, 130))
    assert measure_image("a", 0.0, two, [], 0.5, 1.0).flags == ("2 crystals", "ice cut by the image's edge")


def test_an_image_without_ice_is_flagged_and_its_region_unknown(disc):
    image = measure_image("a", 0.0, 0 * disc(30), [disc(20)], 0.5, 1.0, region=round_area(50))
    assert image.flags == ("no ice",)
    assert image.ensemble.area_nm2 == 0
    assert np.isnan(image.region_area_nm2)
    assert np.isnan(image.members[0].front_nm).all()
