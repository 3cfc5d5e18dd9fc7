"""Curves that should rise."""

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from icefloe.statistics.monotone import first_crossing, rising


def test_rising_equals_sklearns_isotonic_regression(rng):
    y = np.linspace(0, 1, 12) + 0.3 * rng.normal(size=12)
    np.testing.assert_allclose(rising(y), IsotonicRegression().fit_transform(np.arange(12), y))


def test_a_crossing_lies_between_points_along_a_straight_line():
    assert first_crossing([1, 2, 4], [0.1, 0.5, 0.9], 0.7) == pytest.approx(3)


def test_a_curve_that_starts_above_crosses_at_once_and_one_that_ends_below_never():
    assert first_crossing([1, 2], [0.8, 0.9], 0.5) == 1
    assert first_crossing([1, 2], [0.1, 0.2], 0.5) == np.inf
