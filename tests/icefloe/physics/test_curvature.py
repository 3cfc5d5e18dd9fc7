import numpy as np
import pytest

from icefloe.errors import IcefloeError
from icefloe.physics.curvature import boundaries


def ellipse(a: float, b: float, size: int = 320) -> np.ndarray:
    rows, columns = np.mgrid[:size, :size] - (size / 2 - 0.3)
    return ((columns / a) ** 2 + (rows / b) ** 2 < 1).astype(np.uint8)


def test_curvature_of_a_circle_of_radius_100_is_a_hundredth_everywhere():
    (boundary,) = boundaries(ellipse(100, 100), 1.0)
    assert np.abs(boundary.curvature_per_nm - 0.010).max() < 0.05 * 0.010


def test_perimeter_of_a_circle_is_analytic():
    (boundary,) = boundaries(ellipse(100, 100), 1.5)
    assert boundary.perimeter_nm == pytest.approx(2 * np.pi * 150, rel=0.01)


def test_curvature_of_an_ellipse_is_analytic():
    a, b = 140.0, 90.0
    (boundary,) = boundaries(ellipse(a, b), 1.0)
    rows, columns = (boundary.points_nm - (160 - 0.3)).T
    t = np.arctan2(rows / b, columns / a)
    expected = a * b / ((a * np.sin(t)) ** 2 + (b * np.cos(t)) ** 2) ** 1.5
    error = boundary.curvature_per_nm - expected
    assert np.sqrt(np.mean(error**2)) < 0.05 * expected.mean()
    assert boundary.curvature_per_nm.max() == pytest.approx(a / b**2, rel=0.05)
    assert boundary.curvature_per_nm.min() == pytest.approx(b / a**2, rel=0.10)


def test_curvature_is_per_nanometre():
    (pixels,), (nanometres,) = boundaries(ellipse(80, 80), 1.0), boundaries(ellipse(80, 80), 4.0)
    np.testing.assert_allclose(nanometres.curvature_per_nm, pixels.curvature_per_nm / 4)


def test_a_waist_is_concave():
    mask = ellipse(60, 60) | np.roll(ellipse(60, 60), 90, axis=1)
    (boundary,) = boundaries(mask, 1.0)
    assert boundary.curvature_per_nm.min() < -0.02


def test_total_curvature_of_a_closed_outline_is_a_full_turn():
    (boundary,) = boundaries(ellipse(120, 50), 1.0)
    points = boundary.points_nm
    steps = np.linalg.norm(np.roll(points, -1, axis=0) - points, axis=1)
    assert np.sum(boundary.curvature_per_nm * steps) == pytest.approx(2 * np.pi, rel=0.01)


def test_boundaries_come_longest_first_without_holes_and_specks():
    mask = ellipse(60, 60)
    mask[155:165, 140:180] = 0
    mask[20:60, 20:60] = 1
    mask[300, 300] = 1
    big, small = boundaries(mask, 1.0)
    assert big.perimeter_nm > small.perimeter_nm
    assert small.points_nm.max() < 70


def test_ice_cut_by_the_images_edge_still_has_a_closed_outline():
    (boundary,) = boundaries(np.ones((60, 60), np.uint8), 1.0)
    assert boundary.perimeter_nm == pytest.approx(4 * 60, rel=0.1)  # corners are rounded


def test_a_smoothing_of_zero_is_refused():
    with pytest.raises(IcefloeError, match=r"^Smoothing 0 px: not positive"):
        boundaries(ellipse(60, 60), 1.0, smoothing_px=0)
