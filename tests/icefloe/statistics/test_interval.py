"""A number with its interval: text, finding, JSON."""

import json

import pytest

from icefloe.statistics.interval import Interval


@pytest.mark.parametrize(
    ("low", "high", "margin", "expected"),
    [
        (0.01, 0.03, None, "better"),
        (-0.03, -0.01, None, "worse"),
        (-0.01, 0.03, None, "undecided"),
        (-0.01, 0.03, 0.02, "not worse"),
        (-0.03, -0.01, 0.02, "undecided"),
        (-0.05, -0.03, 0.02, "worse"),
        (0.0, 0.0, None, "undecided"),
    ],
)
def test_an_interval_says_on_which_side_of_zero_and_of_the_margin_it_lies(low, high, margin, expected):
    interval = Interval(mean=(low + high) / 2, low=low, high=high, n=5)
    assert interval.finding(margin) == expected
    mirrored = Interval(mean=-(low + high) / 2, low=-high, high=-low, n=5)
    assert mirrored.finding(margin, higher_is_better=False) == expected


def test_one_value_decides_nothing_and_shows_no_bounds():
    alone = Interval(mean=0.5, n=1)
    assert alone.finding(0.1) == "undecided"
    assert (str(alone), alone.text(4, signed=True)) == ("0.500", "+0.5000 [no interval]")


def test_text_has_the_digits_and_signs_asked_for():
    interval = Interval(mean=0.012, low=0.004, high=0.02, n=3)
    assert str(interval) == "0.012 [0.004, 0.020]"
    assert interval.text(4, signed=True) == "+0.0120 [+0.0040, +0.0200]"
    assert interval.bounds(2) == "[0.00, 0.02]"
    assert interval.plus_minus() == "0.012 ± 0.008"
    assert Interval(mean=0.5, n=1).plus_minus(2) == "0.50"


@pytest.mark.parametrize("interval", [Interval(mean=0.5, n=1), Interval(mean=0.5, low=0.4, high=0.6, n=3)])
def test_json_both_ways_with_null_for_a_bound_that_does_not_exist(interval):
    text = interval.model_dump_json()
    assert Interval.model_validate_json(text) == interval
    assert json.loads(text)["low"] in (None, 0.4)
