"""The ROC and its optimum against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.metrics import roc_curve as sklearn_roc_curve

from icefloe.errors import IcefloeError
from icefloe.scoring.roc import DICE_SLACK, roc_curve
from icefloe.scoring.uncertainty import class_mask


@pytest.fixture(params=["distinct", "tied"])
def case(request, rng):
    reference = rng.integers(0, 2, 5000).astype(np.uint8)
    probability = (0.3 * reference + 0.7 * rng.random(5000)).astype(np.float32)
    return reference, probability if request.param == "distinct" else probability.round(2)


def test_the_curve_equals_sklearn(case):
    ours = roc_curve(*case)
    false_positive_rate, true_positive_rate, thresholds = sklearn_roc_curve(*case, drop_intermediate=False)
    assert np.array_equal(ours.thresholds, thresholds[1:].astype(np.float32))
    assert np.array_equal(ours.true_positive_rate, true_positive_rate[1:])
    assert np.array_equal(ours.false_positive_rate, false_positive_rate[1:])
    assert ours.area == pytest.approx(roc_auc_score(*case))


def test_the_optimum_equals_sklearn(case):
    false_positive_rate, true_positive_rate, thresholds = sklearn_roc_curve(*case, drop_intermediate=False)
    best = thresholds[np.argmax(np.sqrt(true_positive_rate * (1 - false_positive_rate)))]
    assert roc_curve(*case).best_threshold() == best


def test_the_pixel_that_sets_the_threshold_is_class_one():
    reference = np.array([[0, 0, 1, 1]], np.uint8)
    probability = np.array([[0.1, 0.3, 0.7, 0.9]], np.float32)
    threshold = roc_curve(reference, probability).best_threshold()
    assert threshold == pytest.approx(0.7)
    assert class_mask(probability, threshold).tolist() == [[0, 0, 1, 1]]


def test_ignored_pixels_do_not_move_the_threshold(case):
    reference, probability = case
    padded = np.concatenate([reference, np.full(100, 255, np.uint8)])
    with_padding = roc_curve(padded, np.concatenate([probability, np.linspace(0, 1, 100, dtype=np.float32)]))
    assert with_padding.best_threshold() == roc_curve(reference, probability).best_threshold()


def test_a_thinned_curve_keeps_ends_optimum_and_area(case):
    whole = roc_curve(*case)
    thin = whole.thinned(100)
    assert len(thin.thresholds) <= 100
    assert thin.best_threshold() == whole.best_threshold()
    assert thin.area == pytest.approx(whole.area, abs=2e-3)
    assert thin.true_positive_rate[-1] == thin.false_positive_rate[-1] == 1


def test_a_reference_of_one_class_is_refused():
    with pytest.raises(IcefloeError, match="reference masks hold only background"):
        roc_curve(np.zeros(4, np.uint8), np.linspace(0, 1, 4, dtype=np.float32))


def test_where_dice_hardly_depends_on_the_threshold_the_one_nearest_to_a_half_is_taken(rng):
    reference = np.repeat([0, 1], 5000).astype(np.uint8)
    probability = np.where(reference == 1, rng.uniform(0.8, 1, 10000), rng.uniform(0, 0.2, 10000))
    probability[:20] = np.linspace(0.5, 0.79, 20)  # 0.8 alone would be without any error
    assert roc_curve(reference, probability).best_dice_threshold() == 0.5


def test_a_threshold_away_from_a_half_is_taken_where_dice_needs_it(rng):
    reference = np.repeat([0, 1], 5000).astype(np.uint8)
    unsure = np.where(reference == 1, rng.uniform(0.2, 0.4, 10000), rng.uniform(0, 0.15, 10000))
    threshold = roc_curve(reference, unsure).best_dice_threshold()
    # A little above the least positive: so many of them may be missed, and no more.
    assert 0.2 < threshold < 0.2 + 3 * DICE_SLACK * 0.2
