"""The fit of predicted Dice, and how the study counts."""

import runpy
from pathlib import Path

import numpy as np
import pytest

from icefloe.drift.predicted_dice import FLOOR, DiceEstimate, PredictedDice
from icefloe.statistics.rates import Rate
from studies.gate.design import Scenario
from studies.kit.tables import tables_in
from studies.predicted_dice.measure import Judged
from studies.predicted_dice.result import Checked, Predicted, PredictedDiceResult
from studies.predicted_dice.run import checked, means

fit_model = runpy.run_path(str(Path(__file__).parents[3] / "benchmarks" / "fit_predicted_dice.py"))[
    "fit_model"
]


def experiments(rng, n, n_images=5):
    """Experiments whose error is twice the expected one, and varies between them and within."""
    features, truth = [], []
    for _ in range(n):
        table = rng.uniform((-5, -5, -1, 0), (-1.5, -1, 3, 1), (n_images, 4))
        logs = np.log(2) + table[:, 0] + 0.2 * rng.normal() + 0.1 * rng.normal(size=n_images)
        features.append(table)
        truth.append(1 + FLOOR - np.exp(logs))
    return features, truth


def test_the_fit_finds_what_the_error_follows_and_covers_experiments_it_has_not_seen(rng):
    model = fit_model(*experiments(rng, 150))

    assert model.quantiles[1] == pytest.approx((np.log(2), 1, 0, 0, 0), abs=0.12)
    features, truth = experiments(rng, 400)
    found = [
        (estimate, d)
        for table, dice in zip(features, truth, strict=True)
        for row, d in zip(table, dice, strict=True)
        if (estimate := model.estimate(tuple(row))) is not None
    ]
    covered = np.mean([estimate.low <= d <= estimate.high for estimate, d in found])
    assert covered == pytest.approx(0.9, abs=0.03)


def estimate(mean):
    return DiceEstimate(mean=mean, low=mean - 0.1, high=mean + 0.1)


def test_only_what_was_predicted_counts_for_coverage():
    found = Checked.of(
        "dose",
        "image",
        [
            Predicted(truth=t, predicted=p)
            for t, p in ((0.9, estimate(0.8)), (0.5, estimate(0.8)), (0.1, None))
        ],
    )

    assert (found.predicted, found.covered) == ("2 of 3", Rate(hits=1, total=2))
    assert (found.width, found.error) == pytest.approx((0.2, 0.2))
    assert found.correlation is None


def test_the_page_has_a_row_for_each_kind_and_unit_and_comes_back_from_json():
    def judged(*truths):
        images = {f"s{i}": estimate(t) for i, t in enumerate(truths)}
        predicted = PredictedDice(dataset=estimate(0.5), images=images)
        return Judged(predicted, {f"s{i}": t for i, t in enumerate(truths)})

    simulated = {Scenario(None, 0.0, 0, 0): judged(0.9, 0.8), Scenario("dose", 1.0, 0, 1): judged(0.5, 0.6)}
    arrived = {"D3": judged(0.7, 0.75)}
    result = PredictedDiceResult(
        ensemble="EA-T1",
        fitted="a test",
        n_images=10,
        checked=tuple(checked(simulated, arrived)),
        points={"simulated": tuple(means(simulated.values())), "datasets": tuple(means(arrived.values()))},
    )

    (table,) = tables_in(result.page())
    assert [r[:3] for r in table.rows] == [
        (kind, unit, f"{n} of {n}")
        for kind, k in (("simulated", 2), ("standard", 1), ("dose", 1), ("D3", 1))
        for unit, n in (("image", 2 * k), ("dataset", k))
    ]
    assert result.checked[0].correlation == pytest.approx(1)
    assert result.checked[1].covered == Rate(hits=1, total=2)
    assert PredictedDiceResult.model_validate_json(result.model_dump_json()).page() == result.page()
    assert set(result.figures()) == {"truth"}
