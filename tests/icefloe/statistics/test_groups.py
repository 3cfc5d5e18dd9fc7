"""Differences of two groups' means."""

import numpy as np
import pytest
from scipy import stats

from icefloe.statistics.groups import group_size_needed, mean_difference


def test_the_interval_is_welchs(rng):
    one, other = rng.normal(1, 1, 9), rng.normal(0, 3, 20)
    found = mean_difference(one, other, 0.9)
    # An end of the interval is the shift at which Welch's test just rejects.
    for end in (found.low, found.high):
        assert stats.ttest_ind(one - end, other, equal_var=False).pvalue == pytest.approx(0.1)
    assert found.mean == pytest.approx(one.mean() - other.mean())


def test_where_nothing_scatters_there_is_no_interval():
    assert not mean_difference([1.0, 1.0], [2.0, 2.0]).is_bounded
    assert not mean_difference([1.0], [2.0, 3.0]).is_bounded


def test_as_many_values_as_are_needed_decide(rng):
    one, other = rng.normal(0.4, 1, 10), rng.normal(0, 1, 10)
    difference = mean_difference(one, other)
    needed = group_size_needed(difference)
    repeats = -(-needed // 10)
    decided = mean_difference(np.tile(one, repeats), np.tile(other, repeats))
    assert 0 < needed < 10_000
    assert decided.low * decided.high > 0
