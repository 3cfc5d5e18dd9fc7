import numpy as np
import pytest

from icefloe.physics.image import measure_image
from icefloe.physics.quantity import Quantity, prediction_factor, sample_std, significant

T_2 = 4.302653  # Student's t for 95 % and two degrees of freedom, from tables


def test_spread_of_area_is_that_of_the_members_discs(disc):
    radii = np.array([38.0, 40.5, 41.2, 39.1])
    image = measure_image("a", 0.0, disc(40), [disc(radius) for radius in radii], 0.5, 2.0)
    areas = np.array([[crystal.area_nm2] for crystal in image.members])
    expected = np.std(np.pi * (2 * radii) ** 2, ddof=1)
    assert Quantity("area", "nm2", np.array([0.0]), areas).std[0] == pytest.approx(expected, rel=5e-3)


def test_interval_of_three_members_is_students_prediction_interval():
    quantity = Quantity("area", "nm2", np.array([10.0]), np.array([[9.0], [10.0], [11.0]]))
    low, high = quantity.interval()
    assert high[0] - 10 == pytest.approx(T_2 * 1.0 * np.sqrt(4 / 3), rel=1e-6)
    assert 10 - low[0] == pytest.approx(high[0] - 10)


@pytest.mark.parametrize("n_members", [2, 3, 6])
def test_interval_holds_one_more_member_as_often_as_it_says(rng, n_members):
    draws = rng.normal(50.0, 4.0, (n_members + 1, 20_000))
    members, further = draws[:-1], draws[-1]
    low, high = Quantity("area", "nm2", members.mean(axis=0), members).interval(0.9)
    assert np.mean((low <= further) & (further <= high)) == pytest.approx(0.9, abs=0.01)


def test_intervals_end_at_what_is_possible():
    quantity = Quantity("phase_fraction", "", np.array([0.9]), np.array([[0.7], [0.99]]), (0.0, 1.0))
    assert quantity.interval() == (0.0, 1.0)


def test_widening_stretches_the_interval_and_not_the_spread():
    members = np.array([[9.0], [10.0], [11.0]])
    plain = Quantity("area", "nm2", np.array([10.0]), members)
    wide = Quantity("area", "nm2", np.array([10.0]), members, widening=2.5)
    assert wide.std == plain.std
    assert wide.interval()[1] - 10 == pytest.approx(2.5 * (plain.interval()[1] - 10))


def test_members_that_measured_nothing_do_not_count():
    members = np.array([[9.0, 9.0], [np.nan, np.nan], [11.0, np.nan]])
    np.testing.assert_allclose(sample_std(members), [np.sqrt(2), np.nan])
    np.testing.assert_allclose(prediction_factor(members), [12.7062 * np.sqrt(1.5), np.nan], rtol=1e-5)


def test_what_was_not_measured_has_no_spread():
    assert np.isnan(Quantity("front", "nm", np.array([np.nan]), np.array([[1.0], [2.0]])).std).all()
    assert np.isnan(Quantity("area", "nm2", np.array([3.0]), np.empty((0, 1))).std).all()


@pytest.mark.parametrize(
    ("value", "text"),
    [(48213.7, "48,210"), (-1.23456, "-1.235"), (0.00823456, "0.008235"), (0.0, "0"), (np.nan, "–")],
)
def test_numbers_are_written_to_four_digits(value, text):
    assert significant(value) == text


def test_columns_are_called_by_name_and_unit():
    assert Quantity("area", "nm2", np.empty(0), np.empty((0, 0))).label == "area_nm2"
    assert Quantity("phase_fraction", "", np.empty(0), np.empty((0, 0))).label == "phase_fraction"
