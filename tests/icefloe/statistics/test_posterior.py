"""What few images say of a mean change."""

import numpy as np
import pytest
import scipy

from icefloe.statistics.posterior import ChangePosterior, ChangePrior
from icefloe.statistics.predictive import SpreadPrior

PRIOR = ChangePrior(centre=0.02, scale=0.05, weight=4, spread=SpreadPrior(0.03, 4))


def test_with_a_flat_prior_of_the_mean_it_is_the_t_test_with_the_prior_as_further_images():
    flat = ChangePrior(centre=0.0, scale=100.0, weight=50, spread=SpreadPrior(0.03, 6))
    y = np.array([0.05, 0.08, 0.02])
    freedom = 6 + len(y) - 1
    pooled = (6 * 0.03**2 + y.var(ddof=1) * (len(y) - 1)) / freedom
    expected = scipy.stats.t.cdf(y.mean() / np.sqrt(pooled / len(y)), freedom)
    assert ChangePosterior(y, flat).above(0.0) == pytest.approx(expected, abs=0.002)


def test_many_images_override_the_prior():
    y = np.random.default_rng(0).normal(-0.3, 0.02, 400)
    low, high = ChangePosterior(y, PRIOR).interval(0.95)
    half = 1.96 * y.std(ddof=1) / 20
    assert (low, high) == pytest.approx((y.mean() - half, y.mean() + half), abs=1e-3)


def test_a_single_image_leaves_most_of_the_prior():
    one = ChangePosterior([0.02], PRIOR)
    assert one.mean == pytest.approx(0.02, abs=1e-9)
    low, high = one.interval(0.9)
    assert high - low > 0.06


def test_images_that_resemble_each_other_count_less():
    y = [0.04, 0.05, 0.06, 0.05]
    assert ChangePosterior(y, PRIOR).above(0) > ChangePosterior(y, PRIOR, n_effective=1.2).above(0)


def test_a_biased_judge_is_corrected_and_widens_the_interval():
    biased = ChangePrior(0.0, 10.0, 50, SpreadPrior(0.001, 50), bias=-0.02, judge=0.03)
    posterior = ChangePosterior([0.03] * 50, biased)
    assert posterior.mean == pytest.approx(0.05, abs=1e-3)
    low, high = posterior.interval(0.95)
    assert high - low == pytest.approx(2 * 1.96 * 0.03, rel=0.05)
    half = biased.judged_by_part(0.5)
    assert (half.bias, half.judge) == (-0.01, 0.015)


def test_the_spread_is_learned_from_comparisons_by_how_many_images_they_have():
    wide = PRIOR.learned([(0.12**2, 9)] * 20)
    assert 0.1 < wide.spread.scale < 0.12
    assert wide.spread.weight == PRIOR.spread.weight
    assert PRIOR.learned([]).spread.scale == pytest.approx(0.03)
    assert PRIOR.learned([(0.12**2, 1)]).spread.scale < PRIOR.learned([(0.12**2, 20)]).spread.scale
    assert PRIOR.learned([(0.0, 5), (0.1, 0)]).spread.scale == pytest.approx(0.03)


def test_probabilities_are_those_that_come_true():
    """Changes drawn from the prior: of those given 80 %, four in five are above zero."""
    rng = np.random.default_rng(3)
    prior = ChangePrior(0.01, 0.03, 5, SpreadPrior(0.03, 5), bias=-0.01, judge=0.01)
    said, came = [], []
    for _ in range(1500):
        t, v = (w * s**2 / rng.chisquare(w) for w, s in ((5, 0.03), (5, 0.03)))
        true = rng.normal(0.01, np.sqrt(t))
        y = rng.normal(true + rng.normal(-0.01, 0.01), np.sqrt(v), 2)
        said.append(ChangePosterior(y, prior).above(0.0))
        came.append(true > 0)
    said, came = np.array(said), np.array(came)
    for low, high in ((0.0, 0.3), (0.3, 0.6), (0.6, 0.85), (0.85, 1.0)):
        within = (said >= low) & (said < high)
        error = np.sqrt(0.25 / within.sum())
        assert came[within].mean() == pytest.approx(said[within].mean(), abs=3 * error)
