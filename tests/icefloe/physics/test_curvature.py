import numpy as np
import pytest

from icefloe.errors import IcefloeError
from icefloe.physics.crystal import measure
from icefloe.physics.curvature import Boundary


def largest(probability: np.ndarray, pixel_size: float = 1.0, **options: float) -> Boundary:
    return measure(probability, 0.5, pixel_size, **options).boundaries[0]


@pytest.mark.parametrize("radius", [8.0, 15.0, 25.5, 50.0])
def test_curvature_of_a_circle_in_a_map_is_good_to_three_percent(disc, radius):
    curvature = largest(disc(radius)).curvature_per_nm
    assert np.abs(curvature * radius - 1).max() < 0.03


def test_curvature_of_an_ellipse_is_analytic(ellipse):
    a, b = 140.0, 90.0
    boundary = largest(ellipse(a, b))
    rows, columns = (boundary.points_nm - (159.6, 160.3)).T
    t = np.arctan2(rows / b, columns / a)
    expected = a * b / ((a * np.sin(t)) ** 2 + (b * np.cos(t)) ** 2) ** 1.5
    np.testing.assert_allclose(boundary.curvature_per_nm, expected, rtol=0.05)


def test_curvature_of_a_masked_ellipse_is_analytic_to_five_percent_of_its_mean(ellipse):
    a, b = 140.0, 90.0
    boundary = largest((ellipse(a, b) >= 0.5).astype(np.uint8))
    rows, columns = (boundary.points_nm - (159.6, 160.3)).T
    t = np.arctan2(rows / b, columns / a)
    expected = a * b / ((a * np.sin(t)) ** 2 + (b * np.cos(t)) ** 2) ** 1.5
    error = boundary.curvature_per_nm - expected
    assert np.sqrt(np.mean(error**2)) < 0.05 * expected.mean()


def test_a_waist_is_concave(disc):
    two = np.maximum(disc(28, 70, 45), disc(28, 70, 90))
    assert largest(two).curvature_per_nm.min() < -0.02


def test_total_curvature_of_a_closed_outline_is_a_full_turn(ellipse):
    turn, length = largest(ellipse(120, 50)).turn_and_length
    assert turn == pytest.approx(2 * np.pi, rel=0.005)
    assert length == pytest.approx(largest(ellipse(120, 50)).length_nm)


def test_arc_length_runs_evenly_and_clockwise_from_the_right(ellipse):
    boundary = largest(ellipse(100, 100), 2.0)
    angle = np.unwrap(np.arctan2(*(boundary.points_nm - (2 * 159.6, 2 * 160.3)).T))
    np.testing.assert_allclose(boundary.arc_length_nm, 200 * (angle - angle[0]), atol=2.0)
    assert angle[0] == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("radius", [10, 20, 40, 60])
def test_perimeter_of_a_masked_circle_is_good_to_a_percent(disc, radius):
    mask = (disc(radius) >= 0.5).astype(np.uint8)
    assert measure(mask, 0.5, 1.0).perimeter_nm == pytest.approx(2 * np.pi * radius, rel=0.01)


def test_crystals_come_largest_first_without_those_too_short(disc):
    three = np.maximum.reduce([disc(30, 40, 40), disc(15, 100, 100), disc(4.5, 20, 120)])
    crystal = measure(three, 0.5, 1.0)
    assert [round(b.length_nm / (2 * np.pi)) for b in crystal.boundaries] == [30, 15]
    assert crystal.n_crystals == 3


def test_a_smoothing_of_zero_is_refused(disc):
    with pytest.raises(IcefloeError, match=r"^Smoothing 0 px: not positive"):
        largest(disc(40), smoothing_px=0)
