"""Coverage over divisions, where the scores' distribution is known; tables and verdicts of made-up frames."""

import numpy as np
import pytest

from studies.uncertainty.coverage import (
    METHODS,
    OURS,
    divide,
    intraclass_correlation,
    share_over_experiments,
    verify,
)
from studies.uncertainty.measure import DOUBTS, Frame, Measured
from studies.uncertainty.rows import (
    AbstentionRow,
    RankingRow,
    SplitRow,
    image_curves,
    pixel_curves,
)
from studies.uncertainty.verdicts import (
    FRESH,
    abstention_verdicts,
    coverage_verdicts,
    ranking_verdicts,
    shift_verdict,
    split_verdict,
)

BY_BOUNDARY = ("aleatoric_boundary", "epistemic_boundary")


def frame(rng, factor=1.0, safe_doubt=0.3, error=0.01, split=1.0):
    """Its area is off by a normal deviate times its uncertainty and `factor`."""
    open_share = rng.uniform(0.005, 0.02)
    doubt = rng.random(50).astype(np.float32)
    scores = {
        **dict.fromkeys(
            ("uq_mean", "uq_boundary", "uq_foreground", "entropy", "aleatoric_entropy"), open_share
        ),
        **{"mutual_information": split * open_share / 4, "aleatoric_boundary": open_share, "doubt": error},
        "epistemic_boundary": split * open_share / 4,
    }
    names = ("1 - max p", "entropy", "aleatoric entropy", "mutual information", "std (UQ)")
    return Frame(
        key="k",
        true=0.2 + factor * open_share * rng.normal(),
        expected=0.2,
        predicted=0.2,
        open_share=open_share,
        member_spread=open_share / 10,
        error=error,
        dice=1 - 10 * open_share,
        safe_doubt=safe_doubt,
        abstained=1 - DOUBTS,
        scores=scores,
        pixels={"wrong": (rng.random(50) < doubt).astype(np.float32), "doubt": doubt}
        | {name: rng.random(50).astype(np.float32) for name in names},
    )


def experiments(rng, n, n_frames=4, **changes):
    return [Measured(f"E{k}", tuple(frame(rng, **changes) for _ in range(n_frames))) for k in range(n)]


@pytest.fixture(scope="module")
def fresh():
    return experiments(np.random.default_rng(1), 120)


def test_coverage_is_as_stated_and_the_width_that_of_the_normal_scores(fresh):
    for row in divide(fresh, OURS, 60, np.random.default_rng(0)):
        assert row.level <= row.coverage + 0.005
        assert row.is_right
        assert row.lowest < row.coverage < row.highest
        quantile = {0.8: 1.2816, 0.9: 1.6449, 0.95: 1.96}[row.level]
        assert row.width == pytest.approx(2 * quantile * 0.0125, rel=0.15)


def test_too_few_experiments_give_whole_images(fresh):
    rows = divide(fresh, OURS, 5, np.random.default_rng(0), n_divisions=5)
    assert [row.width < 1 for row in rows] == [True, False, False]
    assert rows[1].coverage == 1


def test_a_spread_that_is_too_small_covers_too_little_and_is_called_off(fresh):
    rows = [row for method in METHODS for row in divide(fresh, method, 60, np.random.default_rng(0))]
    said = coverage_verdicts(rows)
    assert said[0].startswith(
        "Coverage of the intervals in use (conformal, by experiment) is within 2 points"
    )
    assert said[1].startswith("Intervals by `members' spread, taken as normal` are off: 0.1")
    assert "`conformal, by" in said[-1]


def test_coverage_that_is_off_is_said_in_capitals(fresh):
    rows = [row for method in METHODS for row in divide(fresh, method, 9, np.random.default_rng(0))]
    assert "is NOT within 2 points" in coverage_verdicts(rows)[0]


def test_another_kind_of_experiment_is_not_covered_and_named(fresh, rng):
    same = verify(f"{FRESH}, others", fresh, experiments(rng, 30), 0.9)
    assert same.coverage.low <= 0.9 <= same.coverage.high
    shifted = verify("D4", fresh, experiments(rng, 30, factor=4), 0.9)
    assert shifted.coverage.mean < 0.5
    assert shift_verdict([same, shifted], 0.9).endswith(
        f"shown to be below 90%: D4 ({shifted.coverage.mean:.2f})."
    )
    alone = verify("D5", fresh, experiments(rng, 1, n_frames=30, factor=4), 0.9)
    assert shift_verdict([same, alone], 0.9).endswith(
        f"below it in the one experiment: D5 ({alone.coverage.mean:.2f})."
    )
    easy = verify("D2", fresh, experiments(rng, 3, factor=0.1), 0.9)
    assert shift_verdict([same, easy], 0.9).endswith("none is below 90%.")


@pytest.mark.parametrize("between", [0.0, 1.0, 3.0])
def test_the_share_of_variance_between_experiments_is_that_put_in(rng, between):
    scores = between * rng.normal(size=(4000, 1)) + rng.normal(size=(4000, 5))
    expected = between**2 / (between**2 + 1)
    assert intraclass_correlation(list(scores)) == pytest.approx(expected, abs=0.03)


def test_shares_have_intervals_over_experiments_within_their_range():
    one = share_over_experiments([np.array([True, False])])
    assert (one.mean, one.n, str(one)) == (0.5, 1, "0.500")
    two = share_over_experiments([np.array([True, True]), np.array([True, False])])
    assert (two.mean, two.low, two.high) == (0.75, 0.0, 1.0)


def test_abstaining_keeps_its_promise_on_experiments_like_those_calibrated_on(fresh, rng):
    calibration = [Measured("E", tuple(frame(rng, safe_doubt=d) for d in (0.2, 0.3))) for _ in range(20)]
    row = AbstentionRow.of(FRESH, calibration, experiments(rng, 5, safe_doubt=0.2), 0.005, 0.9)
    assert (row.kept_promise.mean, row.before) == (1.0, 0.0)
    assert row.abstained == pytest.approx(0.8)
    worse = AbstentionRow.of("D4", calibration, experiments(rng, 5, safe_doubt=0.1), 0.005, 0.9)
    said = abstention_verdicts([row, worse], 0.005, 0.9)
    assert said[0].endswith("90% was promised, which is kept.")
    assert said[1].endswith("shown to be below 90%: D4 (0.00).")


def test_the_best_ranking_is_found_and_where_uq_is_clearly_worse(fresh):
    pixels = RankingRow.of(FRESH, "pixels", pixel_curves(fresh))
    assert pixels.best == "doubt"
    assert pixels.gain("doubt") > 0.5 > 0.2 > abs(pixels.gain("std (UQ)"))
    images = RankingRow.of(FRESH, "images", image_curves(fresh))
    assert images.gain("std (UQ)") == pytest.approx(1)
    elsewhere = RankingRow.of("D3", "pixels", pixel_curves(fresh[:40]))
    said = ranking_verdicts([pixels, elsewhere, images])
    assert said[0].startswith("`doubt` ranks pixels of fresh experiments best: ")
    assert said[0].endswith(f"D3 {elsewhere.gain('doubt'):.2f} / {elsewhere.gain('std (UQ)'):.2f}.")


def test_the_split_is_given_in_units_of_fresh_experiments(fresh, rng):
    rows = [SplitRow.of(FRESH, fresh), SplitRow.of("D3", experiments(rng, 40, split=3.0))]
    assert rows[1].epistemic == pytest.approx(3 * rows[0].epistemic, rel=0.2)
    ratio = [getattr(rows[1], name) / getattr(rows[0], name) for name in BY_BOUNDARY]
    assert f"D3 {ratio[0]:.1f} / {ratio[1]:.1f}" in split_verdict(rows)
    assert split_verdict(rows).endswith("knows: nowhere.")


def test_an_ensemble_that_errs_more_and_does_not_disagree_more_is_named(fresh, rng):
    rows = [SplitRow.of(FRESH, fresh), SplitRow.of("D4", experiments(rng, 40, error=0.03))]
    assert split_verdict(rows).endswith("knows: D4.")
