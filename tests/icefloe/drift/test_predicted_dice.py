"""Dice predicted before labels."""

from types import SimpleNamespace

import numpy as np
import pytest

from icefloe.drift.ice import ICE
from icefloe.drift.predicted_dice import (
    FEATURES,
    FLOOR,
    DiceModel,
    DiceModels,
    outside,
    predict_dice,
)
from icefloe.ensemble.rows import ImageRow
from icefloe.scoring.metrics import dice
from icefloe.scoring.uncertainty import expected_dice

# The error is what the probabilities expect, times 1/2 to 2; the other features say nothing.
AS_EXPECTED = DiceModel(
    lowest=(-5.0, -6.0, -2.0, 0.0),
    highest=(-0.5, 0.0, 3.0, 0.5),
    quantiles=tuple((shift, 1.0, 0.0, 0.0, 0.0) for shift in (-np.log(2), 0.0, np.log(2))),
    margin=0.0,
)
MODELS = DiceModels(source="a test", image=AS_EXPECTED, dataset=AS_EXPECTED)
EVIDENCE = [
    SimpleNamespace(statistic=1.5, decides=True, of_prediction=False),
    SimpleNamespace(statistic=900.0, decides=True, of_prediction=True),
    SimpleNamespace(statistic=900.0, decides=False, of_prediction=False),
]


def row(stem, expected=0.9, size=0.1, varied=0.005):
    values = {"expected_dice": expected, "variation_ratio": varied, "foreground_fraction": size}
    return ImageRow("D6", stem, 0, values)


BENCHMARK = [row("a", size=0.05), row("b", size=0.2)]


def test_certain_probabilities_expect_the_dice_of_masks(rng):
    truth, mask = (rng.random((2, 40, 30)) < 0.3).astype(np.uint8)

    assert expected_dice(truth.astype(np.float32), mask) == pytest.approx(dice(truth, mask))
    classes = np.stack([1 - truth, truth]).astype(np.float32)
    assert expected_dice(classes, mask) == pytest.approx(dice(truth, mask))


def test_true_probabilities_expect_the_mean_dice_of_what_they_are_of(rng):
    mean = rng.random((60, 60)).astype(np.float32)
    mask = (mean >= 0.5).astype(np.uint8)
    drawn = [dice((rng.random(mean.shape) < mean).astype(np.uint8), mask) for _ in range(200)]

    assert expected_dice(mean, mask) == pytest.approx(np.mean(drawn), abs=0.003)


def test_an_empty_mask_expects_nothing():
    assert np.isnan(expected_dice(np.zeros((4, 4), np.float32), np.zeros((4, 4), np.uint8)))


def test_every_image_and_the_dataset_have_an_estimate_with_its_interval():
    predicted = predict_dice(MODELS, BENCHMARK, [row("s0", 0.9), row("s1", 0.6)], EVIDENCE)

    first = predicted.images["s0"]
    assert first.mean == pytest.approx(0.9)
    assert first.low == pytest.approx(1 + FLOOR - 2 * (0.1 + FLOOR))
    assert first.high == pytest.approx(1 + FLOOR - (0.1 + FLOOR) / 2)
    geometric = np.sqrt((0.1 + FLOOR) * (0.4 + FLOOR))
    assert predicted.dataset.mean == pytest.approx(1 + FLOOR - geometric)
    assert predicted.sentence() == (
        "Predicted Dice of its masks: 0.80 (0.60–0.90), 90 % interval, from simulated experiments."
    )
    assert predicted.table().rows[1] == ("s1", "0.60 (0.20–0.80)")


@pytest.mark.parametrize(
    ("images", "feature", "side"),
    [
        ([row("s0", size=0.6)], 3, "above"),
        ([row("s0", expected=0.2)], 0, "above"),
        ([row("s0", expected=0.999)], 0, "below"),
    ],
)
def test_beyond_the_fit_it_says_so_and_gives_no_number(images, feature, side):
    predicted = predict_dice(MODELS, BENCHMARK, images, EVIDENCE)

    assert predicted.dataset is predicted.images["s0"] is None
    assert predicted.sentence() == (
        f"Dice of its masks is not predicted: its {FEATURES[feature]} is {side} what the fit has seen. "
        "Check its masks, or label a few images."
    )


def test_images_of_other_kinds_than_the_fit_are_counted_and_poor_ones_named():
    images = [row(f"s{i}", 0.97) for i in range(5)] + [row("poor", 0.6), row("large", size=0.6)]
    predicted = predict_dice(MODELS, BENCHMARK, images, EVIDENCE)

    assert predicted.images["large"] is None
    assert "Expected to be poorer than that: poor." in predicted.sentence()
    assert predicted.sentence().endswith("1 of its images are unlike those that this was fitted on.")


def test_empty_masks_and_evidence_that_was_not_compared_give_no_number():
    empty = [row("s0", np.nan, 0.0, 0.0), row("s1", np.nan, 0.0, 0.0), row("s2")]

    assert "most of its masks are empty" in predict_dice(MODELS, BENCHMARK, empty, EVIDENCE).sentence()
    assert "compared no evidence" in predict_dice(MODELS, BENCHMARK, [row("s0")], []).sentence()


def test_a_number_that_is_not_known_is_beyond_every_fit():
    assert outside(AS_EXPECTED, (-1.0, np.nan, 0.0, 0.0)) == 1
    assert outside(AS_EXPECTED, (-1.0, -1.0, 0.0, 0.0)) is None


def test_the_fit_of_melting_ice_reads_and_expects_less_of_worse_signs():
    models = DiceModels.load(ICE.dice_file)

    for model in (models.image, models.dataset):
        middle = (np.array(model.lowest) + np.array(model.highest)) / 2
        found = model.estimate(tuple(middle))
        assert 0 <= found.low <= found.mean <= found.high <= 1
        better = model.estimate(model.lowest)
        worse = model.estimate(model.highest)
        assert better.mean > worse.mean
