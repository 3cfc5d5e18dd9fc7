import numpy as np
import pytest
from scipy import stats

from icefloe.physics.quantity import Quantity
from icefloe.physics.rates import Rate, rate_of

T_2 = 4.302653


def rate(values, members=(), times=None, **options) -> Rate:
    values = np.asarray(values, np.float64)
    times = np.arange(len(values), dtype=np.float64) if times is None else np.asarray(times, np.float64)
    members = np.asarray(members, np.float64).reshape(len(members), *values.shape)
    present = options.pop("present", np.ones(len(values), bool))
    return rate_of(Quantity("area", "nm2", values, members), times, present, **options)


def test_a_straight_line_has_its_slope_everywhere_and_no_scatter():
    found = rate(500.0 - 3.0 * np.arange(20))
    assert found.overall.values == pytest.approx(-3)
    assert found.overall.residual_std == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(found.local.values, -3)
    assert found.unit == "nm2_per_s"


def test_the_local_rate_of_a_parabola_is_its_derivative_to_the_ends():
    times = np.array([0.0, 1, 2, 4, 5, 7, 8, 9, 11, 12, 14, 15, 16, 18, 20])
    found = rate(900 - 2 * times - 0.4 * times**2, times=times)
    np.testing.assert_allclose(found.local.values, -2 - 0.8 * times, rtol=1e-9)


def test_what_a_member_gets_wrong_in_every_image_is_propagated_through_its_whole_series():
    times = np.arange(15.0)
    scales = np.array([0.9, 1.0, 1.05])
    found = rate(1000 - 20 * times, [scale * (1000 - 20 * times) for scale in scales])
    assert found.overall.member_std == pytest.approx(20 * np.std(scales, ddof=1))
    low, high = found.overall.interval()
    assert (high - low) / 2 == pytest.approx(T_2 * 20 * np.std(scales, ddof=1) * np.sqrt(4 / 3), rel=1e-4)


def test_an_area_too_large_by_the_same_in_every_image_leaves_the_rate_alone():
    times = np.arange(15.0)
    found = rate(1000 - 20 * times, [1000 - 20 * times + offset for offset in (-80, 0, 50)])
    assert found.overall.member_std == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(found.local.member_std, 0, atol=1e-9)


def test_standard_error_of_a_short_series_is_linear_regressions():
    values = [10.0, 7.4, 6.1, 3.2, 2.3, -1.1]  # residuals alternate: no correlation is put in
    found, expected = rate(values), stats.linregress(np.arange(6), values)
    assert found.overall.values == pytest.approx(expected.slope)
    assert found.overall.residual_std == pytest.approx(expected.stderr)
    low, high = found.overall.interval()
    assert (high - low) / 2 == pytest.approx(stats.t.ppf(0.975, 4) * expected.stderr)
    np.testing.assert_allclose(found.local.values, expected.slope)


def test_curved_melting_is_no_scatter():
    times = np.arange(30.0)
    found = rate(1000 - times**2)
    assert found.overall.residual_std == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("correlation", "at_least"), [(0.0, 0.92), (0.5, 0.84)])
def test_intervals_from_scatter_hold_the_slope(rng, correlation, at_least):
    times, inside = np.arange(30.0), []
    for _ in range(200):
        noise = rng.normal(0, 30, 80)
        for i in range(1, 80):
            noise[i] += correlation * noise[i - 1]
        low, high = rate(5000 - 100 * times + noise[-30:]).overall.interval()
        inside.append(low <= -100 <= high)
    assert at_least <= np.mean(inside) <= 0.99


def test_scatter_that_follows_itself_widens_the_interval(rng):
    times, walk = np.arange(30.0), np.repeat(rng.normal(0, 30, 10), 3)
    followed = rate(5000 - 100 * times + walk).overall.residual_std
    shuffled = rate(5000 - 100 * times + rng.permutation(walk)).overall.residual_std
    assert followed > 1.3 * shuffled


def test_images_without_ice_have_no_rate_and_pull_on_none():
    values = np.array([40.0, 30, 20, 10, 0, 0, 0])
    found = rate(values, [values, 1.1 * values], present=values > 0)
    assert found.overall.values == pytest.approx(-10)
    assert np.isfinite(found.local.values).tolist() == [True] * 4 + [False] * 3


def test_a_member_that_misses_the_ice_at_times_is_taken_over_the_others():
    values = 100 - 2 * np.arange(10.0)
    missing = 1.5 * values
    missing[[3, 7]] = np.nan
    found = rate(values, [values, missing])
    np.testing.assert_allclose(found.overall.members, [-2, -3])
    assert np.isfinite(found.local.members[1]).sum() == 8


def test_every_line_has_its_own_rate():
    times = np.arange(10.0)[:, None]
    speeds = np.array([1.0, 2.0, 4.0])
    fronts = 100 - speeds * times
    fronts[5:, 2] = np.nan
    found = rate(fronts, [fronts, 2 * fronts])
    np.testing.assert_allclose(found.overall.values, -speeds)
    assert found.local.values.shape == (10, 3)
    assert found.local.members.shape == (2, 10, 3)
    np.testing.assert_allclose(found.local.values[:5], -np.tile(speeds, (5, 1)))
    assert np.isnan(found.local.values[5:, 2]).all()


def test_a_wider_window_smooths_more(rng):
    values = 1000 - 10 * np.arange(40.0) + rng.normal(0, 20, 40)
    narrow, wide = rate(values, window_s=8), rate(values, window_s=30)
    assert (narrow.window_s, wide.window_s) == (8, 30)
    assert np.ptp(wide.local.values) < 0.5 * np.ptp(narrow.local.values)


def test_one_member_that_sees_the_ice_gives_no_interval():
    values = 100 - 2 * np.arange(10.0)
    found = rate(values, [values, np.full(10, np.nan)])
    assert found.overall.values == pytest.approx(-2)
    assert np.isnan(found.overall.interval()).all()


def test_two_images_have_no_rate():
    found = rate([3.0, 1.0], [[3.0, 1.0], [4.0, 2.0]])
    assert np.isnan(found.overall.values)
    assert np.isnan(found.overall.interval()).all()
    assert np.isnan(found.local.values).all()
