"""Whether a temperature helps, on evaluations where the answer is put in."""

import zlib

import numpy as np
import pytest

from icefloe.evaluation.evaluate import Evaluation
from icefloe.evaluation.scores import BinnedCurve, DatasetScores, ImageScores
from icefloe.evaluation.temperature import TemperatureCheck, check_temperature
from icefloe.statistics.means import mean_interval

REST = {
    **dict.fromkeys(("pca", "iou", "dice"), 0.9),
    **dict.fromkeys(("brier", "mae", "uq", "uq_boundary", "uq_foreground"), 0.01),
}
CURVE = BinnedCurve(predicted=(0.5,), frequency=(0.5,), count=(10,))


def evaluation(changes, temperature=1.4):
    """Dataset -> change of NLL and ECE of each of its images, in time order; rows stand out of order."""
    images, datasets = [], {}
    for name, values in changes.items():
        after = [{"nll": 0.1 + change, "ece": 0.02 + change} for change in values]
        before = {"nll_uncalibrated": 0.1, "ece_uncalibrated": 0.02}
        images += [
            ImageScores(dataset=name, stem=f"s{index}", index=index, **REST, **before, **scores)
            for index, scores in enumerate(after)
        ]
        pooled = {key: float(np.mean([scores[key] for scores in after])) for key in ("nll", "ece")}
        datasets[name] = DatasetScores(
            **{"n_images": len(values), "confusion": ((1, 0), (0, 1)), "calibration": CURVE},
            **{"accuracy": None, "roc": None},
            **REST,
            **before,
            **pooled,
        )
    return Evaluation(
        **{"ensemble": "EA-T2", "classes": ("background", "ice"), "threshold": 0.4, "baselines": {}},
        temperature=temperature,
        images=tuple(reversed(images)),
        datasets=datasets,
    )


def test_it_helps_hurts_or_is_undecided_by_the_interval_over_images(rng):
    noise = 0.001 * rng.normal(size=12)
    noise -= noise.mean()
    check = check_temperature(evaluation({"D1": noise - 0.01, "D3": noise + 1e-9, "D4": noise + 0.01}))
    assert [change.finding for change in check.changes if change.metric == "nll"] == [
        *("helps", "undecided", "hurts")
    ]
    (hurts,) = (c for c in check.changes if (c.dataset, c.metric) == ("D4", "nll"))
    assert check.sentence() == (
        f"EA-T2: its temperature of 1.40 hurts on D4 (NLL {hurts.interval.text(4, signed=True)}). "
        "Label more of D4 and retrain: the temperature is fitted again."
    )
    assert hurts.interval.text(4, signed=True).startswith("+0.0100 [+0.00")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"D1": [0.01] * 3, "D2": [0.02] * 3, "D3": [-0.01] * 3},
            "EA-T2: its temperature of 1.40 hurts on D2 (NLL +0.0200 [+0.0200, +0.0200]) "
            "and 1 other dataset. Label more of D2 and retrain: the temperature is fitted again.",
        ),
        (
            {"D1": [-0.01] * 3, "D2": [0.02]},
            "EA-T2: its temperature of 1.40 helps on 1 of 2 datasets, but is undecided on D2 "
            "(NLL +0.0200 [no interval]). Label more of D2 to decide.",
        ),
        (
            {"D1": [-0.01] * 3, "D2": [-0.02] * 3},
            "EA-T2: its temperature of 1.40 helps on all 2 datasets, most on D2 "
            "(NLL -0.0200 [-0.0200, -0.0200]). Keep it.",
        ),
        (
            {"D1": [-0.01] * 3},
            "EA-T2: its temperature of 1.40 helps on D1 (NLL -0.0100 [-0.0100, -0.0100]). Keep it.",
        ),
    ],
    ids=["hurts", "undecided", "helps everywhere", "one dataset"],
)
def test_the_sentence_says_what_weighs_most_and_what_to_do(changes, sentence):
    assert check_temperature(evaluation(changes)).sentence() == sentence


def test_the_interval_is_that_of_the_promotion_gate_in_time_order(rng):
    changes = 0.01 * np.cumsum(rng.normal(size=10))
    (nll, ece) = check_temperature(evaluation({"D1": changes})).changes
    for change in (nll, ece):
        expected = mean_interval(changes, rng=np.random.default_rng([0, zlib.crc32(b"D1")]))
        assert change.difference == pytest.approx(changes.mean())
        assert (change.low, change.high) == pytest.approx((expected.low, expected.high))


def test_one_image_decides_nothing():
    (nll, _) = check_temperature(evaluation({"D1": [-0.05]})).changes
    assert (nll.low, nll.high, nll.finding) == (None, None, "undecided")
    assert nll.interval.text(4, signed=True) == "-0.0500 [no interval]"


def test_the_table_has_both_metrics_of_every_dataset(rng):
    check = check_temperature(evaluation({"D1": 0.01 * rng.normal(size=5), "D3": np.full(4, 0.01)}))
    table = check.table()
    assert table.columns == (
        *("dataset", "images", "metric", "at 1", "at 1.40"),
        *("difference [95% interval]", "finding"),
    )
    assert [row[0] for row in table.rows] == ["D1", "D1", "D3", "D3"]
    assert table.rows[2] == (
        *("D3", "4", "NLL", "0.1000", "0.1100"),
        *("+0.0100 [+0.0100, +0.0100]", "hurts"),
    )
    assert check.to_markdown() == f"{check.sentence()}\n\n{table.markdown()}"


def test_a_check_survives_json_and_draws_every_dataset(rng):
    check = check_temperature(evaluation({"D1": 0.01 * rng.normal(size=5), "D3": [0.01]}))
    assert TemperatureCheck.model_validate_json(check.model_dump_json()) == check
    (axes,) = check.figure().axes
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["D1 (n=5)", "D3 (n=1)"]
    assert axes.get_xlabel() == "NLL at 1.40 less NLL at 1"


def test_an_evaluation_that_did_not_keep_the_numbers_is_not_checked():
    assert check_temperature(evaluation({"D1": [0.0]}, temperature=None)) is None
