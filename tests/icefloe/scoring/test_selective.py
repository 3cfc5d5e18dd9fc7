"""Risk-coverage curves by their definition."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from icefloe.errors import IcefloeError
from icefloe.scoring.selective import risk_coverage

losses = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@given(losses, st.randoms())
def test_the_curve_is_the_mean_loss_of_the_least_uncertain(loss, random):
    uncertainty = random.sample(range(len(loss)), len(loss))
    curve = risk_coverage(uncertainty, loss)
    order = np.argsort(uncertainty)
    for kept in range(1, len(loss) + 1):
        assert curve.risk[kept - 1] == pytest.approx(np.mean(np.array(loss)[order[:kept]]))


def test_ties_count_with_the_expectation_over_every_order():
    uncertainty, loss = [1, 2, 2, 2, 3], np.array([0.0, 1.0, 0.0, 0.5, 1.0])
    orders = [(0, *middle, 4) for middle in permutations((1, 2, 3))]
    expected = np.mean([np.cumsum(loss[list(o)]) / np.arange(1, 6) for o in orders], axis=0)
    assert risk_coverage(uncertainty, loss).risk == pytest.approx(expected)


@given(losses)
def test_the_loss_itself_ranks_as_the_oracle_and_a_constant_as_chance(loss):
    assert risk_coverage(loss, loss).excess == pytest.approx(0)
    knows_nothing = risk_coverage(np.zeros(len(loss)), loss)
    assert knows_nothing.aurc == pytest.approx(knows_nothing.random)


def test_gain_runs_from_chance_to_oracle_and_below(rng):
    loss = rng.random(50)
    assert risk_coverage(loss, loss).gain == pytest.approx(1)
    assert risk_coverage(np.ones(50), loss).gain == pytest.approx(0)
    assert risk_coverage(-loss, loss).gain < 0
    assert np.isnan(risk_coverage(rng.random(50), np.ones(50)).gain)


def test_a_curve_of_nothing_is_refused():
    with pytest.raises(IcefloeError, match="A risk-coverage curve needs at least one value"):
        risk_coverage([], [])
