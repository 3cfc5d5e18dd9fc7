import itertools

import numpy as np
import pytest
from scipy import stats

from icefloe.errors import IcefloeError
from icefloe.statistics.repetitions import (
    intraclass_correlation,
    over_seeds,
    pseudo_values,
    resampled_seeds,
    share_over_repetitions,
)


def test_the_interval_is_the_t_interval_of_scipy(rng):
    values = rng.normal(size=7)
    found = over_seeds(values)
    expected = stats.t.interval(0.95, 6, loc=values.mean(), scale=stats.sem(values))
    np.testing.assert_allclose((found.low, found.high), expected)


def test_one_repetition_has_a_mean_and_no_interval():
    found = over_seeds([0.5])
    assert str(found) == "0.500"
    assert found.model_dump() == {"mean": 0.5, "low": None, "high": None, "n": 1}


def test_no_repetition_is_refused():
    with pytest.raises(IcefloeError, match="Run one or more seeds"):
        over_seeds([])


def test_pseudo_values_of_single_seeds_are_the_values():
    found = pseudo_values({(0,): 0.2, (3,): 0.5, (5,): 0.9})
    np.testing.assert_allclose(found, [0.2, 0.5, 0.9])


def test_pseudo_values_of_means_over_sets_are_the_seeds_own_values(rng):
    values = rng.normal(size=5)
    sets = {subset: values[list(subset)].mean() for subset in itertools.combinations(range(5), 3)}
    np.testing.assert_allclose(pseudo_values(sets), values)


def test_the_spread_of_pseudo_values_is_the_jackknife_variance(rng):
    # The variance is the mean over pairs of (x - y)^2 / 2, so it is measured on sets of two.
    values = rng.normal(size=6)
    pairs = {(i, j): (values[i] - values[j]) ** 2 / 2 for i, j in itertools.combinations(range(6), 2)}
    found = pseudo_values(pairs)
    left_out = np.array([np.delete(values, i).var(ddof=1) for i in range(6)])
    assert found.mean() == pytest.approx(values.var(ddof=1))
    assert found.var(ddof=1) / 6 == pytest.approx(5 / 6 * ((left_out - left_out.mean()) ** 2).sum())


def test_a_seed_that_is_in_every_set_is_refused():
    with pytest.raises(IcefloeError, match="Seed 1 is in every set"):
        pseudo_values({(0, 1): 0.5, (1, 2): 0.6})


def test_the_interval_of_a_mean_is_no_narrower_than_the_t_interval(rng):
    values = rng.normal(size=5)
    found = resampled_seeds(lambda seeds: float(values[seeds].mean()), 5)
    expected = over_seeds(values)
    assert found.mean == pytest.approx(expected.mean)
    assert found.low <= expected.low + 1e-12
    assert found.high >= expected.high - 1e-12
    # With five values of a normal the t interval is the wider, or nearly.
    assert found.high - found.low == pytest.approx(expected.high - expected.low, rel=0.3)


def test_a_single_seed_has_no_interval():
    assert resampled_seeds(lambda seeds: 1.5, 1).model_dump() == {
        "mean": 1.5,
        "low": None,
        "high": None,
        "n": 1,
    }


@pytest.mark.parametrize("between", [0.0, 1.0, 3.0])
def test_the_share_of_variance_between_experiments_is_that_put_in(rng, between):
    scores = between * rng.normal(size=(4000, 1)) + rng.normal(size=(4000, 5))
    expected = between**2 / (between**2 + 1)
    assert intraclass_correlation(list(scores)) == pytest.approx(expected, abs=0.03)


def test_shares_have_intervals_over_experiments_within_their_range():
    one = share_over_repetitions([np.array([True, False])])
    assert (one.mean, one.n, str(one)) == (0.5, 1, "0.500")
    two = share_over_repetitions([np.array([True, True]), np.array([True, False])])
    assert (two.mean, two.low, two.high) == (0.75, 0.0, 1.0)
