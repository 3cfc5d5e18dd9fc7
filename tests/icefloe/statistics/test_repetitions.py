import itertools

import numpy as np
import pytest
from scipy import stats

from icefloe.errors import IcefloeError
from icefloe.statistics.repetitions import over_seeds, pseudo_values


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
    with pytest.raises(IcefloeError, match="Run at least one seed"):
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
