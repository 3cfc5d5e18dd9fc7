"""Agreement scores against scikit-learn and against hand-made cases."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import brier_score_loss, f1_score, jaccard_score, log_loss
from sklearn.metrics import confusion_matrix as sklearn_confusion

from icefloe.errors import IcefloeError
from icefloe.scoring.metrics import (
    brier_score,
    confusion_matrix,
    dice,
    iou,
    mean_absolute_deviation,
    negative_log_likelihood,
    pixel_accuracy,
    pixel_scores,
)

binary_masks = arrays(np.uint8, (7, 5), elements=st.sampled_from([0, 1]))


def random_case(rng, shape=(40, 30)):
    truth_probability = rng.random(shape)
    reference = (rng.random(shape) < truth_probability).astype(np.uint8)
    return reference, truth_probability


def test_a_mask_scores_one_with_itself_and_zero_with_a_disjoint_one():
    mask = np.zeros((8, 8), np.uint8)
    mask[2:5, 2:5] = 1
    elsewhere = np.zeros((8, 8), np.uint8)
    elsewhere[6:, 6:] = 1
    assert (iou(mask, mask), dice(mask, mask), pixel_accuracy(mask, mask)) == (1, 1, 1)
    assert (iou(mask, elsewhere), dice(mask, elsewhere)) == (0, 0)


def test_two_empty_masks_agree_fully():
    empty = np.zeros((4, 4), np.uint8)
    assert iou(empty, empty) == dice(empty, empty) == pixel_accuracy(empty, empty) == 1


@given(binary_masks, binary_masks)
def test_dice_follows_from_iou(reference, predicted):
    scores = pixel_scores(reference, predicted)
    assert scores.dice == pytest.approx(2 * scores.iou / (1 + scores.iou))


def test_scores_equal_sklearn(rng):
    reference, predicted = rng.integers(0, 2, (2, 500)).astype(np.uint8)
    assert iou(reference, predicted) == pytest.approx(jaccard_score(reference, predicted))
    assert dice(reference, predicted) == pytest.approx(f1_score(reference, predicted))


def test_multi_class_scores_are_the_mean_over_foreground_classes(rng):
    reference, predicted = rng.integers(0, 4, (2, 500)).astype(np.uint8)
    expected = jaccard_score(reference, predicted, labels=[1, 2, 3], average="macro")
    assert iou(reference, predicted, n_classes=4) == pytest.approx(expected)
    assert np.array_equal(confusion_matrix(reference, predicted, 4), sklearn_confusion(reference, predicted))


def test_brier_score_equals_sklearn(rng):
    reference, probability = random_case(rng)
    expected = brier_score_loss(reference.ravel(), probability.ravel())
    assert brier_score(reference, probability) == pytest.approx(expected, abs=1e-12)


def test_multi_class_brier_score_equals_sklearn(rng):
    reference = rng.integers(0, 3, 200).astype(np.uint8)
    probability = rng.dirichlet([1, 1, 1], 200)
    expected = brier_score_loss(reference, probability, labels=[0, 1, 2])
    assert brier_score(reference, probability.T) == pytest.approx(expected, abs=1e-12)


def test_mean_absolute_deviation_is_the_same_for_two_classes_as_for_their_foreground(rng):
    reference, probability = random_case(rng)
    both = np.stack([1 - probability.astype(np.float64), probability.astype(np.float64)])
    expected = np.abs(probability - reference).mean(dtype=np.float64)
    assert mean_absolute_deviation(reference, probability) == pytest.approx(expected, abs=1e-7)
    assert mean_absolute_deviation(reference, both) == pytest.approx(expected, abs=1e-7)


def test_ignored_pixels_change_no_score(rng):
    reference, probability = random_case(rng)
    predicted = (probability >= 0.5).astype(np.uint8)
    ignoring = reference.copy()
    ignoring[:20] = 255
    assert pixel_scores(ignoring, predicted) == pixel_scores(reference[20:], predicted[20:])
    assert brier_score(ignoring, probability) == brier_score(reference[20:], probability[20:])


def test_masks_of_different_size_are_refused():
    with pytest.raises(IcefloeError, match="Reference mask is 4x4 but the prediction is 4x5"):
        iou(np.zeros((4, 4), np.uint8), np.zeros((4, 5), np.uint8))
    with pytest.raises(IcefloeError, match="Reference mask is 4x4 but the probability map is 4x5"):
        brier_score(np.zeros((4, 4), np.uint8), np.zeros((4, 5)))


def test_unknown_classes_are_refused():
    mask = np.full((4, 4), 2, np.uint8)
    with pytest.raises(IcefloeError, match=r"Mask holds class 2, but there are 2 classes \(0 to 1\)"):
        iou(mask, np.zeros((4, 4), np.uint8))


def test_a_mask_that_ignores_every_pixel_is_refused():
    with pytest.raises(IcefloeError, match="No pixel to score"):
        iou(np.full((4, 4), 255, np.uint8), np.zeros((4, 4), np.uint8))


def test_negative_log_likelihood_equals_sklearn(rng):
    reference = (rng.random((20, 30)) < 0.3).astype(np.uint8)
    probability = rng.random((20, 30))
    expected = log_loss(reference.ravel(), probability.ravel())
    assert negative_log_likelihood(reference, probability) == pytest.approx(expected, abs=1e-12)


def test_multi_class_negative_log_likelihood_equals_sklearn(rng):
    reference = rng.integers(0, 3, 200).astype(np.uint8)
    probability = rng.dirichlet([1, 1, 1], 200)
    expected = log_loss(reference, probability, labels=[0, 1, 2])
    assert negative_log_likelihood(reference, probability.T) == pytest.approx(expected, abs=1e-12)


def test_a_sure_and_wrong_pixel_costs_a_finite_amount():
    cost = negative_log_likelihood(np.zeros((1, 1), np.uint8), np.ones((1, 1), np.float32))
    assert cost == pytest.approx(-np.log(np.finfo(np.float32).eps))
