"""Counted rates."""

import pytest
from statsmodels.stats.proportion import proportion_confint

from icefloe.statistics.rates import Rate


@pytest.mark.parametrize(("hits", "total"), [(0, 200), (3, 20), (20, 20)])
def test_the_interval_is_clopper_and_pearsons(hits, total):
    expected = proportion_confint(hits, total, method="beta")
    assert Rate(hits=hits, total=total).interval == pytest.approx(expected)


def test_nothing_of_nothing_has_no_share():
    nothing = Rate(hits=0, total=0)
    assert (nothing.share, nothing.interval, str(nothing)) == (None, None, "–")
    assert Rate.model_validate_json(nothing.model_dump_json(exclude={"share", "interval"})) == nothing
