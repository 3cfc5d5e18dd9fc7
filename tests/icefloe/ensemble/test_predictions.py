"""Predictions on disk."""

import subprocess
import sys

import numpy as np
import pytest

from icefloe.ensemble.prediction import SCORES
from icefloe.ensemble.predictions import PredictionSet, predict_dataset
from icefloe.errors import IcefloeError


@pytest.fixture
def predicted(ensemble, samples, tmp_path):
    return predict_dataset(ensemble, samples, tmp_path / "predictions")


def test_scores_and_features_are_those_of_the_predictions(ensemble, samples, predicted):
    expected = dict(ensemble.predict(samples))
    assert predicted.keys == tuple(sample.key for sample in samples)
    for name in SCORES:
        assert predicted.column(name) == pytest.approx([p.scores()[name] for p in expected.values()])
    assert np.array_equal(predicted.features, np.stack([p.features for p in expected.values()]))


def test_maps_are_those_of_the_predictions_to_half_precision(ensemble, samples, predicted):
    expected = ensemble.predict_image(samples[2].pixels)
    maps = predicted.maps(samples[2].key)
    assert np.allclose(maps.mean, expected.mean, atol=1e-3)
    assert np.allclose(maps.std, expected.std, atol=1e-3)
    assert np.array_equal(maps.mask, expected.mask)


def test_the_image_uncertainty_is_the_mean_over_pixels(ensemble, samples, predicted):
    assert predicted.column("uq_mean")[0] == pytest.approx(
        ensemble.predict_image(samples[0].pixels).std.mean()
    )


def test_predictions_and_evaluations_are_read_without_torch():
    code = (
        "import sys, icefloe.ensemble.predictions, icefloe.evaluation.evaluate;"
        "assert not {'torch', 'mlflow', 'sklearn'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_image_that_was_not_predicted_is_refused(predicted):
    with pytest.raises(IcefloeError, match="there are no maps of D9/stack_1"):
        predicted.maps("D9/stack_1")


def test_a_folder_without_predictions_is_refused(tmp_path):
    with pytest.raises(IcefloeError, match=r"no scores\.csv here"):
        PredictionSet.load(tmp_path)


def test_features_that_do_not_match_the_table_are_refused(predicted):
    np.save(predicted.path / "features.npy", predicted.features[:1])
    with pytest.raises(IcefloeError, match=r"4 images in scores\.csv but 1 in features\.npy"):
        PredictionSet.load(predicted.path)


def test_predicting_nothing_is_refused_and_leaves_nothing(ensemble, tmp_path):
    with pytest.raises(IcefloeError, match="there is no image to predict"):
        predict_dataset(ensemble, [], tmp_path / "predictions")
    assert list(tmp_path.iterdir()) == []
