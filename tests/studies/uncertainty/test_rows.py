"""Coverage over divisions, where the scores' distribution is known; rows and findings of made-up frames."""

import numpy as np
import pytest

from icefloe.evaluation.evaluate import BinnedCurve
from studies.uncertainty.design import FRESH, IN_USE, METHODS
from studies.uncertainty.measure import DOUBTS, MeasuredExperiment, MeasuredFrame
from studies.uncertainty.result import Calibration, UncertaintyResult
from studies.uncertainty.rows import (
    Abstention,
    Decomposition,
    Ranking,
    divide,
    risk_curves,
    verify,
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
    area = {"true": 0.2 + factor * open_share * rng.normal(), "expected": 0.2, "open_share": open_share}
    quality = {"error": error, "dice": 1 - 10 * open_share, "safe_doubt": safe_doubt}
    return MeasuredFrame(
        numbers=scores | area | quality | {"member_spread": open_share / 10},
        abstained=1 - DOUBTS,
        pixels={"wrong": (rng.random(50) < doubt).astype(np.float32), "doubt": doubt}
        | {name: rng.random(50).astype(np.float32) for name in names},
    )


def experiments(rng, n, n_frames=4, **changes):
    return [MeasuredExperiment(tuple(frame(rng, **changes) for _ in range(n_frames))) for _ in range(n)]


@pytest.fixture(scope="module")
def fresh():
    return experiments(np.random.default_rng(1), 120)


@pytest.fixture(scope="module")
def result_of(fresh):
    """A result on fresh experiments and one group of others, some of its rows replaced."""
    bins = BinnedCurve(predicted=(0.1, 0.9), frequency=(0.2, 0.8), count=(10, 10))
    divided = [row for method in METHODS for row in divide(fresh, method, 60, np.random.default_rng(0), 5)]

    def make(**rows):
        defaults = {
            "decompositions": (Decomposition.of(FRESH, fresh), Decomposition.of("D3", fresh[:40])),
            "methods": tuple(divided),
            "few": tuple(divide(fresh, IN_USE, 9, np.random.default_rng(0), 5)),
            "verifications": (verify("D3", fresh[:60], fresh[60:], 0.9),),
            "rankings": tuple(
                Ranking.of(name, unit, group)
                for unit in ("pixels", "images")
                for name, group in ((FRESH, fresh), ("D3", fresh[:40]))
            ),
            "abstentions": (
                Abstention.of(FRESH, fresh[:60], fresh[60:], 0.005, 0.9),
                Abstention.of("D3", fresh, fresh[:40], 0.005, 0.9),
            ),
            "checks": (),
            "calibration": (
                Calibration(
                    dataset="D3",
                    n_images=4,
                    ece=0.01,
                    ece_uncalibrated=0.02,
                    calibration=bins,
                    uncalibrated=bins,
                ),
            ),
        }
        return UncertaintyResult(
            ensemble="EA-T1",
            n_members=3,
            level=0.9,
            max_error=0.005,
            n_experiments=120,
            n_images=4,
            intraclass_correlation=0.2,
            **{**defaults, **rows},
        )

    return make


def finding(result, start):
    (line,) = (line for line in result.findings() if line.startswith(start))
    return line


def test_coverage_is_as_stated_and_the_width_that_of_the_normal_scores(fresh):
    for row in divide(fresh, IN_USE, 60, np.random.default_rng(0)):
        assert row.level <= row.coverage.mean + 0.005
        assert row.is_right
        assert row.coverage.low < row.coverage.mean < row.coverage.high
        quantile = {0.8: 1.2816, 0.9: 1.6449, 0.95: 1.96}[row.level]
        assert row.width == pytest.approx(2 * quantile * 0.0125, rel=0.15)


def test_too_few_experiments_give_whole_images(fresh):
    rows = divide(fresh, IN_USE, 5, np.random.default_rng(0), n_divisions=5)
    assert [row.width < 1 for row in rows] == [True, False, False]
    assert rows[1].coverage.mean == 1
    assert [row.informative_width is None for row in rows] == [False, True, True]


def test_a_spread_that_is_too_small_covers_too_little_and_is_called_off(fresh, result_of):
    rows = [row for method in METHODS for row in divide(fresh, method, 60, np.random.default_rng(0))]
    said = result_of(methods=rows).findings()
    assert said[0].startswith(
        "Coverage of the intervals in use (conformal, by experiment) is within 2 points"
    )
    assert said[1].startswith("Intervals by `members' spread, taken as normal` are off: 0.1")
    assert "`conformal, by" in said[2]


def test_coverage_that_is_off_is_said_in_capitals(fresh, result_of):
    rows = [row for method in METHODS for row in divide(fresh, method, 9, np.random.default_rng(0))]
    assert "is NOT within 2 points" in result_of(methods=rows).sentence()


def test_another_kind_of_experiment_is_not_covered_and_named(fresh, rng, result_of):
    def said(*rows):
        return finding(result_of(verifications=rows), "Intervals on other kinds")

    same = verify(f"{FRESH}, others", fresh, experiments(rng, 30), 0.9)
    assert same.coverage.low <= 0.9 <= same.coverage.high
    shifted = verify("D4", fresh, experiments(rng, 30, factor=4), 0.9)
    assert shifted.coverage.mean < 0.5
    assert said(same, shifted).endswith(f"shown to be below 90%: D4 ({shifted.coverage.mean:.2f}).")
    alone = verify("D5", fresh, experiments(rng, 1, n_frames=30, factor=4), 0.9)
    assert said(same, alone).endswith(f"below it in the one experiment: D5 ({alone.coverage.mean:.2f}).")
    easy = verify("D2", fresh, experiments(rng, 3, factor=0.1), 0.9)
    assert said(same, easy).endswith("none is below 90%.")


def test_abstaining_keeps_its_promise_on_experiments_like_those_calibrated_on(fresh, rng, result_of):
    calibration = [MeasuredExperiment(tuple(frame(rng, safe_doubt=d) for d in (0.2, 0.3))) for _ in range(20)]
    row = Abstention.of(FRESH, calibration, experiments(rng, 5, safe_doubt=0.2), 0.005, 0.9)
    assert (row.kept_promise.mean, row.before) == (1.0, 0.0)
    assert row.abstained == pytest.approx(0.8)
    worse = Abstention.of("D4", calibration, experiments(rng, 5, safe_doubt=0.1), 0.005, 0.9)
    said = result_of(abstentions=(row, worse)).findings()
    assert said[-2].endswith("90% was promised, which is kept.")
    assert said[-1].endswith("shown to be below 90%: D4 (0.00).")


def test_the_best_ranking_is_found_and_where_uq_is_clearly_worse(fresh, result_of):
    pixels = Ranking.of(FRESH, "pixels", fresh)
    assert pixels.best == "doubt"
    assert pixels.gain("doubt") > 0.5 > 0.2 > abs(pixels.gain("std (UQ)"))
    images = Ranking.of(FRESH, "images", fresh)
    assert images.gain("std (UQ)") == pytest.approx(1)
    elsewhere = Ranking.of("D3", "pixels", fresh[:40])
    said = finding(result_of(rankings=(pixels, elsewhere, images)), "`doubt` ranks")
    assert said.startswith("`doubt` ranks pixels of fresh experiments best: ")
    assert said.endswith(f"D3 {elsewhere.gain('doubt'):.2f} / {elsewhere.gain('std (UQ)'):.2f}.")


def test_the_split_is_given_in_units_of_fresh_experiments(fresh, rng, result_of):
    rows = [Decomposition.of(FRESH, fresh), Decomposition.of("D3", experiments(rng, 40, split=3.0))]
    assert rows[1].mutual_information == pytest.approx(3 * rows[0].mutual_information, rel=0.2)
    ratio = [getattr(rows[1], name) / getattr(rows[0], name) for name in BY_BOUNDARY]
    said = finding(result_of(decompositions=rows), "Aleatoric / epistemic")
    assert f"D3 {ratio[0]:.1f} / {ratio[1]:.1f}" in said
    assert said.endswith("epistemic part: nowhere.")


def test_an_ensemble_that_errs_more_and_does_not_disagree_more_is_named(fresh, rng, result_of):
    rows = [Decomposition.of(FRESH, fresh), Decomposition.of("D4", experiments(rng, 40, error=0.03))]
    said = finding(result_of(decompositions=rows), "Aleatoric / epistemic")
    assert said.endswith("epistemic part: D4.")


def test_numbers_come_back_from_json_and_figures_of_pictures_are_left_out(fresh, result_of):
    result = result_of(curves={unit: risk_curves(unit, fresh) for unit in ("pixels", "images")})
    again = UncertaintyResult.model_validate_json(result.model_dump_json())
    assert again.page() == result.page()
    assert set(result.figures()) - set(again.figures()) == {"risk-coverage"}
