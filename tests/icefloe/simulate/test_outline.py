import numpy as np
import pytest

from icefloe.simulate.outline import N_ANGLES, Outline, ellipse, hexagon, lens, reach

ANGLES = np.arange(N_ANGLES) * (2 * np.pi / N_ANGLES)


@pytest.mark.parametrize("shape", ["round", "elongated", "lens", "faceted", "two"])
def test_every_habit_has_the_area_of_the_unit_circle(shape, rng):
    table = reach(shape, 1.7, 1.0, 0.03, rng)
    assert 0.5 * np.sum(table**2) * (2 * np.pi / N_ANGLES) == pytest.approx(np.pi, rel=1e-6)


def test_a_round_outline_of_elongation_1_is_a_circle():
    np.testing.assert_allclose(ellipse(1.0), 1.0)


def test_points_of_an_ellipse_satisfy_its_equation():
    x, y = ellipse(2.0) * np.cos(ANGLES), ellipse(2.0) * np.sin(ANGLES)
    np.testing.assert_allclose(x**2 / 2.0 + y**2 * 2.0, 1.0)


def test_a_lens_is_two_arcs_of_one_radius():
    table = lens(2.0)
    x, y = table * np.cos(ANGLES), table * np.sin(ANGLES)
    half_length, half_width = table[0], table[N_ANGLES // 4]
    assert half_length / half_width == pytest.approx(2.0)
    radius = half_width * 2.5
    upper = y >= 0
    np.testing.assert_allclose(np.hypot(x[upper], y[upper] + radius - half_width), radius)


def test_a_hexagon_has_six_corners():
    table = hexagon(1.0)
    corners = (table > np.roll(table, 1)) & (table > np.roll(table, -1))
    assert corners.sum() == 6
    assert table.max() / table.min() == pytest.approx(2 / np.sqrt(3), rel=0.03)


def test_departure_0_is_the_ellipse_whatever_the_habit(rng):
    np.testing.assert_allclose(reach("faceted", 1.5, 0.0, 0.0, rng), ellipse(1.5))


def test_depth_is_the_radius_on_the_long_axis_of_a_turned_ellipse():
    outline = Outline(row=3.0, column=-5.0, orientation=np.pi / 2, reach=ellipse(4.0))
    depth = outline.depth(np.array([[3.0 + 20.0, 3.0]]), np.array([[-5.0, -5.0 + 20.0]]))
    np.testing.assert_allclose(depth, [[10.0, 40.0]], rtol=1e-6)
