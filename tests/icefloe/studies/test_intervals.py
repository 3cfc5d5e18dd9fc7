import numpy as np
import pytest
from scipy import stats

from icefloe.errors import IcefloeError
from icefloe.studies.intervals import over_seeds


def test_the_interval_is_the_t_interval_of_scipy(rng):
    values = rng.normal(size=7)
    found = over_seeds(values)
    expected = stats.t.interval(0.95, 6, loc=values.mean(), scale=stats.sem(values))
    np.testing.assert_allclose((found.low, found.high), expected)


def test_one_repetition_has_a_mean_and_no_interval():
    found = over_seeds([0.5])
    assert str(found) == "0.500"
    assert found.to_dict() == {"mean": 0.5, "low": None, "high": None, "n": 1}


def test_no_repetition_is_refused():
    with pytest.raises(IcefloeError, match="Run at least one seed"):
        over_seeds([])
