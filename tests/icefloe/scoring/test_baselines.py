"""Trivial baselines on images of a model's grid, against hand-made masks."""

import numpy as np
import pytest
from skimage.filters import threshold_otsu
from sklearn.metrics import jaccard_score

from icefloe.errors import IcefloeError
from icefloe.scoring.baselines import baseline_scores
from icefloe.scoring.metrics import iou_of_labelled_classes


def test_scores_are_those_of_the_masks_of_all_images_together(rng):
    images = [rng.normal(size=shape).astype(np.float32) for shape in ((20, 30), (8, 8))]
    references = [(image + rng.normal(size=image.shape) > 1).astype(np.uint8) for image in images]

    scores = baseline_scores(images, references, 2)

    bright = np.concatenate([(image > threshold_otsu(image)).ravel() for image in images])
    truth = np.concatenate([reference.ravel() for reference in references])
    assert scores["Otsu, foreground bright"].iou == pytest.approx(jaccard_score(truth, bright))
    assert scores["Otsu, foreground bright"].accuracy == pytest.approx(np.mean(truth == bright))
    assert scores["Otsu, foreground dark"].iou == pytest.approx(jaccard_score(truth, ~bright))
    assert scores["all background"].accuracy == pytest.approx(np.mean(truth == 0))
    assert scores["all background"].iou == 0


def test_padding_moves_no_score(rng):
    image = rng.normal(size=(20, 20)).astype(np.float32)
    reference = (image > 0).astype(np.uint8)
    wider, unlabelled = np.full((20, 60), 9, np.float32), np.full((20, 60), 255, np.uint8)
    wider[:, :20], unlabelled[:, :20] = image, reference
    empty = np.full((20, 20), 255, np.uint8)

    assert baseline_scores([wider, image], [unlabelled, empty], 2) == baseline_scores([image], [reference], 2)


def test_without_a_labelled_pixel_there_is_no_score():
    with pytest.raises(IcefloeError, match="No pixel to score"):
        baseline_scores([np.zeros((4, 4), np.float32)], [np.full((4, 4), 255, np.uint8)], 2)


def test_with_three_classes_otsu_is_class_one_and_a_class_without_labels_does_not_count():
    image = np.zeros((10, 10), np.float32)
    image[:5] = 1
    reference = (image > 0).astype(np.uint8)
    assert baseline_scores([image], [reference], 3)["Otsu, foreground bright"].iou == 1
    reference[9] = 2
    assert baseline_scores([image], [reference], 3)["Otsu, foreground bright"].iou == 0.5
    assert baseline_scores([image], [reference], 3)["all background"].iou == 0


def test_one_wrong_pixel_of_an_absent_class_costs_next_to_nothing():
    confusion = np.array([[50, 0, 1], [0, 49, 0], [0, 0, 0]])
    assert iou_of_labelled_classes(confusion) == 1
    confusion = np.array([[50, 0, 0], [0, 49, 1], [0, 0, 0]])
    assert iou_of_labelled_classes(confusion) == 49 / 50


def test_where_only_background_is_labelled_predicting_none_scores_one():
    assert iou_of_labelled_classes(np.array([[100, 0], [0, 0]])) == 1
    assert iou_of_labelled_classes(np.array([[90, 10], [0, 0]])) == 0
