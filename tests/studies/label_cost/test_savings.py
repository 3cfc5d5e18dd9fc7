import numpy as np
import pytest

from studies.label_cost.replay import Outcome
from studies.label_cost.savings import (
    Curves,
    compare,
    cost_to_reach,
    cross_validated_best,
    mean_areas,
    seconds_saved,
)

SECONDS = (0, 1, 2, 4, 8)
DICE = np.array([0.1, 0.5, 0.7, 0.8, 0.85])
BASELINES = ("random", "foreground-random")
EVERYONE = np.array([0])


def test_a_cost_is_read_between_the_points_of_a_curve():
    cost, dice = np.array([0.0, 1, 3]), np.array([0.2, 0.6, 0.8])
    assert cost_to_reach(cost, dice, 0.1) == 0
    assert cost_to_reach(cost, dice, 0.4) == pytest.approx(0.5)
    assert cost_to_reach(cost, dice, 0.7) == pytest.approx(2)
    assert cost_to_reach(cost, dice, 0.9) == 3


def test_a_rising_curve_is_left_alone_and_a_dip_is_averaged_away(make_curves):
    curves = make_curves(SECONDS, random=DICE, entropy=[0.1, 0.8, 0.6, 0.9, 0.9])
    np.testing.assert_allclose(curves.mean_curve("random", EVERYONE), DICE)
    np.testing.assert_allclose(curves.mean_curve("entropy", EVERYONE), [0.1, 0.7, 0.7, 0.9, 0.9])


def test_a_strategy_whose_seconds_count_twice_saves_half_of_them(make_curves):
    twice = np.interp(2.0 * np.array(SECONDS), SECONDS, DICE)
    curves = make_curves(SECONDS, random=DICE, foreground_random=DICE, entropy=twice)
    assert curves.target_seconds == 4
    assert seconds_saved([curves], "entropy", "random", EVERYONE) == pytest.approx(2)
    assert seconds_saved([curves], "random", "entropy", EVERYONE) == pytest.approx(4 - 8)
    assert seconds_saved([curves, curves], "entropy", "random", EVERYONE) == pytest.approx(4)


def test_nothing_is_saved_against_oneself_where_the_curve_is_flat_or_falls(make_curves):
    curves = make_curves(SECONDS, random=[0.1, 0.8, 0.6, 0.8, 0.7], foreground_random=DICE, entropy=DICE)
    assert seconds_saved([curves], "random", "random", EVERYONE) == 0


def test_a_strategy_that_never_gets_there_counts_with_the_most_seconds_tried(make_curves):
    curves = make_curves(SECONDS, random=DICE, foreground_random=DICE, entropy=DICE / 2)
    assert seconds_saved([curves], "entropy", "random", EVERYONE) == 4 - 8


def test_dice_at_a_second_is_read_between_the_ends_of_rounds(make_curves):
    outcomes = [
        Outcome(
            **{"dataset": "C", "seed": 0, "strategy": "random", "clicks": 0, "images": 0, "regions": 0},
            **{"budget": budget, "seconds": seconds, "dice": dice, "iou": dice / 2},
        )
        for budget, seconds, dice in ((0, 0, 0.2), (30, 40, 0.6), (60, 80, 0.8), (120, 90, 0.9))
    ]
    curves = Curves.of("C", False, outcomes)
    assert curves.seconds.tolist() == [0, 30, 60, 120]
    # The last round ran out of images: what it has is what 120 s are worth.
    np.testing.assert_allclose(curves.dice[0, 0], [0.2, 0.5, 0.7, 0.9])
    np.testing.assert_allclose(curves.iou, curves.dice / 2)


def test_the_area_is_over_the_logarithm_of_seconds(make_curves):
    curves = make_curves(SECONDS, random=DICE, foreground_random=DICE, entropy=DICE + 0.1)
    areas = mean_areas([curves])
    # Trapezoids over doublings, all of one width.
    expected = (0.5 / 2 + 0.7 + 0.8 + 0.85 / 2) / 3
    np.testing.assert_allclose(areas[:, 0], [expected, expected, expected + 0.1])


def test_with_a_single_round_the_area_is_its_dice(make_curves):
    curves = make_curves((0, 2), random=[0.1, 0.6], foreground_random=[0.1, 0.5], entropy=[0.1, 0.7])
    np.testing.assert_allclose(curves.areas[:, 0], [0.6, 0.5, 0.7])
    assert curves.target_seconds == 2


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
    assert met.gain_by_kind["simulated"].mean == pytest.approx(-0.5)
    against_other = cross_validated_best([curves], ["entropy", "mean-uq"], "foreground-random")
    assert against_other.gain_by_kind["simulated"].mean == pytest.approx(-0.4)
    assert not met.is_better


def test_one_seed_cannot_be_cross_validated(make_curves):
    curves = make_curves(SECONDS, random=DICE, foreground_random=DICE, entropy=DICE)
    assert cross_validated_best([curves], ["entropy"], "random") is None


@pytest.mark.parametrize(
    ("strategy", "verdict"),
    [
        (np.interp(2.0 * np.array(SECONDS), SECONDS, DICE), "saves time"),
        (DICE, "no saving shown"),
        (np.interp(0.5 * np.array(SECONDS), SECONDS, DICE), "costs time"),
    ],
)
def test_the_verdict_follows_from_the_interval(make_curves, strategy, verdict):
    rng = np.random.default_rng(1)
    baseline = DICE + rng.normal(0, 0.01, (6, 5))
    curves = make_curves(
        SECONDS, random=baseline, foreground_random=baseline, entropy=strategy + rng.normal(0, 0.01, (6, 5))
    )
    found = compare([curves], ["entropy"], BASELINES)
    assert [(each.baseline, each.verdict) for each in found] == [
        ("random", verdict),
        ("foreground-random", verdict),
    ]


def test_more_strategies_make_wider_intervals(make_curves):
    rng = np.random.default_rng(2)
    dice = {name: DICE + rng.normal(0, 0.02, (5, 5)) for name in ("random", "foreground_random", "entropy")}
    one = make_curves(SECONDS, **dice)
    (of_one, _) = compare([one], ["entropy"], BASELINES)
    three = make_curves(SECONDS, **dice, a=dice["entropy"], b=dice["entropy"])
    of_three = compare([three], ["entropy", "a", "b"], BASELINES)
    assert of_three[0].gain.high > of_one.gain.high
    assert of_three[0].saved.high >= of_one.saved.high
    assert of_three[0].saved_by_dataset == of_one.saved_by_dataset


def test_nothing_is_compared_with_itself_and_gains_are_told_apart_by_kind(make_curves):
    dice = {"random": DICE, "foreground_random": DICE}
    real = make_curves(SECONDS, is_simulated=False, **dice, entropy=DICE + 0.1)
    simulated = make_curves(SECONDS, **dice, entropy=DICE - 0.1)
    found = compare([simulated, real], ["random", "entropy"], BASELINES)
    pairs = [(each.strategy, each.baseline) for each in found]
    assert pairs == [
        ("entropy", "random"),
        ("random", "foreground-random"),
        ("entropy", "foreground-random"),
    ]
    assert list(found[0].gain_by_kind) == ["real", "simulated"]
    assert found[0].gain_by_kind["real"].mean == pytest.approx(0.1)
    assert found[0].gain_by_kind["simulated"].mean == pytest.approx(-0.1)
    assert found[0].gain.mean == pytest.approx(0)
