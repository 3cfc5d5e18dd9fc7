"""Several comparisons at once."""

import pytest
from statsmodels.stats.multitest import multipletests

from icefloe.statistics.multiple import holm, simultaneous


def test_holm_multiplies_the_smallest_by_the_number_of_tests_and_keeps_the_order():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


@pytest.mark.parametrize("n", [1, 5, 11])
def test_holm_equals_statsmodels_to_the_last_digit(rng, n):
    p_values = (rng.random(n) ** 3).tolist()

    assert holm(p_values) == multipletests(p_values, method="holm")[1].tolist()


def test_bonferroni_divides_the_error_among_the_comparisons():
    assert simultaneous(5) == pytest.approx(0.99)
