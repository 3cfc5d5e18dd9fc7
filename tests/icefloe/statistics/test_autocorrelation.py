"""Correlation of neighbours in time."""

import numpy as np
import pytest
from statsmodels.tsa.stattools import acf

from icefloe.statistics.autocorrelation import lag_one_correlation


def autoregression(rng, n, r):
    x = rng.normal(size=n)
    for t in range(1, n):
        x[t] = r * x[t - 1] + np.sqrt(1 - r * r) * x[t]
    return x


def test_a_long_series_has_the_autocorrelation_of_statsmodels(rng):
    x = autoregression(rng, 20_000, 0.6)
    assert lag_one_correlation([x - x.mean()]) == pytest.approx(acf(x, nlags=1)[1], abs=1e-3)


def test_short_series_are_nearly_unbiased_where_the_raw_estimate_is_not(rng):
    series = [autoregression(rng, 12, 0.5) for _ in range(4000)]
    residuals = [x - x.mean() for x in series]
    raw = np.mean([acf(x, nlags=1)[1] for x in series])
    assert raw < 0.35
    assert lag_one_correlation(residuals, by_pairs=True) == pytest.approx(0.5, abs=0.05)


def test_constant_series_and_those_that_alternate_count_as_independent():
    assert lag_one_correlation([np.zeros(5)]) == 0
    assert lag_one_correlation([np.array([1.0, -1.0] * 4)]) == 0


def test_a_trend_is_limited_to_the_highest_value():
    trend = np.linspace(-1, 1, 200)
    assert lag_one_correlation([trend]) == 0.9
    assert lag_one_correlation([trend], highest=0.7) == 0.7
