import numpy as np
import pytest

from studies.label_cost.savings import (
    compare,
    cost_to_reach,
    cross_validated_best,
    labels_saved,
    mean_areas,
    minutes_needed,
)

LABELS = (0, 1, 2, 4, 8)
DICE = np.array([0.1, 0.5, 0.7, 0.8, 0.85])
EVERYONE = np.array([0])


def test_a_cost_is_read_between_the_points_of_a_curve():
    cost, dice = np.array([0.0, 1, 3]), np.array([0.2, 0.6, 0.8])
    assert cost_to_reach(cost, dice, 0.1) == 0
    assert cost_to_reach(cost, dice, 0.4) == pytest.approx(0.5)
    assert cost_to_reach(cost, dice, 0.7) == pytest.approx(2)
    assert cost_to_reach(cost, dice, 0.9) == 3


def test_a_rising_curve_is_left_alone_and_a_dip_is_averaged_away(make_curves):
    curves = make_curves(LABELS, random=DICE, entropy=[0.1, 0.8, 0.6, 0.9, 0.9])
    np.testing.assert_allclose(curves.mean_curve("random", EVERYONE), DICE)
    np.testing.assert_allclose(curves.mean_curve("entropy", EVERYONE), [0.1, 0.7, 0.7, 0.9, 0.9])


def test_a_strategy_whose_labels_count_twice_saves_half_of_them(make_curves):
    twice = np.interp(2.0 * np.array(LABELS), LABELS, DICE)
    curves = make_curves(LABELS, random=DICE, foreground_random=DICE, entropy=twice)
    assert curves.target_labels == 4
    assert labels_saved([curves], "entropy", "random", EVERYONE) == pytest.approx(2)
    assert labels_saved([curves], "random", "entropy", EVERYONE) == pytest.approx(4 - 8)
    assert labels_saved([curves, curves], "entropy", "random", EVERYONE) == pytest.approx(4)


def test_nothing_is_saved_against_oneself_where_the_curve_is_flat_or_falls(make_curves):
    curves = make_curves(LABELS, random=[0.1, 0.8, 0.6, 0.8, 0.7], foreground_random=DICE, entropy=DICE)
    assert labels_saved([curves], "random", "random", EVERYONE) == 0


def test_a_strategy_that_never_gets_there_counts_with_the_largest_number_tried(make_curves):
    curves = make_curves(LABELS, random=DICE, foreground_random=DICE, entropy=DICE / 2)
    assert labels_saved([curves], "entropy", "random", EVERYONE) == 4 - 8


def test_minutes_are_labels_times_minutes_or_those_of_correcting(make_curves):
    curves = make_curves(LABELS, random=DICE, foreground_random=DICE, entropy=DICE)
    assert minutes_needed(curves, "entropy", "random", EVERYONE, 3.0) == pytest.approx(12)
    assert minutes_needed(curves, "entropy", "random", EVERYONE, None) == pytest.approx(8)


def test_the_area_is_over_the_logarithm_of_labels(make_curves):
    curves = make_curves(LABELS, random=DICE, foreground_random=DICE, entropy=DICE + 0.1)
    areas = mean_areas([curves])
    # Trapezoids over doublings, all of one width.
    expected = (0.5 / 2 + 0.7 + 0.8 + 0.85 / 2) / 3
    np.testing.assert_allclose(areas[:, 0], [expected, expected, expected + 0.1])


def test_with_a_single_round_the_area_is_its_dice(make_curves):
    curves = make_curves((0, 2), random=[0.1, 0.6], foreground_random=[0.1, 0.5], entropy=[0.1, 0.7])
    np.testing.assert_allclose(curves.areas[:, 0], [0.6, 0.5, 0.7])
    assert curves.target_labels == 2


def test_the_best_strategy_is_measured_on_seeds_that_did_not_choose_it(make_curves):
    # Each of two strategies wins one seed by luck: chosen on the other seed, both lose.
    curves = make_curves(
        (0, 1),
        random=[[0, 0.5], [0, 0.5]],
        foreground_random=[[0, 0.4], [0, 0.4]],
        entropy=[[0, 1.0], [0, 0.0]],
        mean_uq=[[0, 0.0], [0, 1.0]],
    )
    met = cross_validated_best([curves], ["entropy", "mean-uq"], "random")
    assert met.chosen == ("mean-uq", "entropy")
    assert met.gain.mean == pytest.approx(-0.5)
    assert cross_validated_best(
        [curves], ["entropy", "mean-uq"], "foreground-random"
    ).gain.mean == pytest.approx(-0.4)


def test_one_seed_cannot_be_cross_validated(make_curves):
    curves = make_curves(LABELS, random=DICE, foreground_random=DICE, entropy=DICE)
    assert cross_validated_best([curves], ["entropy"], "random") is None


@pytest.mark.parametrize(
    ("strategy", "verdict"),
    [
        (np.interp(2.0 * np.array(LABELS), LABELS, DICE), "saves labels"),
        (DICE, "no saving shown"),
        (np.interp(0.5 * np.array(LABELS), LABELS, DICE), "costs labels"),
    ],
)
def test_the_verdict_follows_from_the_interval(make_curves, strategy, verdict):
    rng = np.random.default_rng(1)
    baseline = DICE + rng.normal(0, 0.01, (6, 5))
    curves = make_curves(
        LABELS, random=baseline, foreground_random=baseline, entropy=strategy + rng.normal(0, 0.01, (6, 5))
    )
    found = compare([curves], ["entropy"])
    assert [(each.baseline, each.verdict) for each in found] == [
        ("random", verdict),
        ("foreground-random", verdict),
    ]


def test_more_strategies_make_wider_intervals(make_curves):
    rng = np.random.default_rng(2)
    dice = {name: DICE + rng.normal(0, 0.02, (5, 5)) for name in ("random", "foreground_random", "entropy")}
    one = make_curves(LABELS, **dice)
    (of_one, _) = compare([one], ["entropy"])
    of_three = compare(
        [make_curves(LABELS, **dice, a=dice["entropy"], b=dice["entropy"])], ["entropy", "a", "b"]
    )
    assert of_three[0].gain.high > of_one.gain.high
    assert of_three[0].saved.high >= of_one.saved.high
    assert of_three[0].saved_by_dataset == of_one.saved_by_dataset
