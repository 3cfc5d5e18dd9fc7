"""Calibration against scikit-learn and against forecasters whose calibration is known."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.calibration import calibration_curve as sklearn_calibration_curve

from icefloe.errors import IcefloeError
from icefloe.scoring.calibration import (
    accuracy_bins,
    calibration_bins,
    calibration_curve,
    expected_calibration_error,
    fit_temperature,
    probabilities,
)


def perfect_forecast(rng, n=200_000):
    probability = rng.beta(0.5, 0.5, n).astype(np.float32)
    return (rng.random(n) < probability).astype(np.uint8), probability


def test_a_perfect_forecaster_has_almost_no_calibration_error(rng):
    assert expected_calibration_error(*perfect_forecast(rng)) < 0.01


def test_the_curve_equals_sklearn(rng):
    reference, probability = perfect_forecast(rng, 5000)
    probability = probability.round(1)  # many values exactly on the bins' edges
    frequency, mean_predicted = calibration_curve(reference, probability)
    expected = sklearn_calibration_curve(reference, probability.astype(np.float64), n_bins=10)
    assert np.allclose(frequency, expected[0], rtol=0, atol=1e-12)
    assert np.allclose(mean_predicted, expected[1], rtol=0, atol=1e-12)


def test_a_constant_overestimate_is_its_calibration_error(rng):
    reference = (rng.random(100_000) < 0.5).astype(np.uint8)
    assert expected_calibration_error(reference, np.full(100_000, 0.8)) == pytest.approx(0.3, abs=0.01)


def test_multi_class_error_is_of_the_winning_class():
    reference = np.array([0, 0, 1, 2], np.uint8)
    probability = np.tile(np.array([[0.8], [0.1], [0.1]]), 4)
    assert expected_calibration_error(reference, probability) == pytest.approx(0.8 - 0.5)


def test_bins_of_two_images_add_up_to_the_bins_of_both(rng):
    reference, probability = perfect_forecast(rng, 2000)
    apart = calibration_bins(reference[:500], probability[:500]) + calibration_bins(
        reference[500:], probability[500:]
    )
    assert apart.expected_calibration_error == pytest.approx(
        expected_calibration_error(reference, probability)
    )


def test_ignored_pixels_do_not_count(rng):
    reference, probability = perfect_forecast(rng, 2000)
    ignoring = reference.copy()
    ignoring[1000:] = 255
    assert expected_calibration_error(ignoring, probability) == expected_calibration_error(
        reference[:1000], probability[:1000]
    )


def test_accuracy_is_lowest_where_the_probability_is_at_the_threshold(rng):
    reference, probability = perfect_forecast(rng)
    accuracy, _ = accuracy_bins(reference, probability, (probability >= 0.5).astype(np.uint8)).curve()
    assert np.argmin(accuracy) in (4, 5)
    assert accuracy[0] == pytest.approx(accuracy[-1], abs=0.01)
    assert accuracy[0] > 0.95


@pytest.mark.parametrize("true_temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_made_the_labels_is_found(rng, true_temperature):
    logits = rng.normal(0, 4, 100_000)
    reference = (rng.random(100_000) < expit(logits / true_temperature)).astype(np.uint8)
    members = np.stack([logits, logits]).astype(np.float32)
    assert fit_temperature(members, reference) == pytest.approx(true_temperature, rel=0.05)


def test_a_multi_class_temperature_is_found_too(rng):
    logits = rng.normal(0, 4, (3, 50_000))
    probability = np.exp(logits / 2)
    probability /= probability.sum(axis=0)
    reference = (rng.random(50_000)[None] > probability.cumsum(axis=0)).sum(axis=0).astype(np.uint8)
    members = np.stack([logits, logits]).astype(np.float32)
    assert fit_temperature(members, reference) == pytest.approx(2, rel=0.05)


def test_temperature_lowers_the_calibration_error_of_overconfident_members(rng):
    logits = rng.normal(0, 2, 50_000)
    reference = (rng.random(50_000) < expit(logits)).astype(np.uint8)
    members = (3 * logits + rng.normal(0, 1, (4, 50_000))).astype(np.float32)
    temperature = fit_temperature(members, reference)
    before = expected_calibration_error(reference, expit(members).mean(axis=0))
    after = expected_calibration_error(reference, expit(members / temperature).mean(axis=0))
    assert temperature > 2
    assert after < before / 3


@pytest.mark.parametrize("temperature", [0.05, 0.7, 20.0])
def test_temperature_leaves_each_members_ranking_of_pixels(rng, temperature):
    logits = rng.normal(0, 4, (3, 20, 10)).astype(np.float32)
    for member, rescaled in zip(logits, probabilities(logits, temperature), strict=True):
        in_order = rescaled.ravel()[np.argsort(member, axis=None)]
        assert np.all(np.diff(in_order) >= 0)


def test_probabilities_of_classes_sum_to_one(rng):
    logits = rng.normal(0, 4, (3, 4, 5, 6)).astype(np.float32)
    assert np.allclose(probabilities(logits, 2.0).sum(axis=1), 1, atol=1e-6)


def test_no_pixel_to_calibrate_on_is_refused():
    with pytest.raises(IcefloeError, match="No pixel to calibrate on"):
        fit_temperature(np.zeros((2, 4), np.float32), np.full(4, 255, np.uint8))
