"""Scores of an image against its maps."""

import numpy as np
import pytest

from icefloe.ensemble.prediction import SCORES, Prediction
from icefloe.scoring.uncertainty import boundary_edges


@pytest.fixture(params=[2, 3])
def prediction(request, rng):
    logits = rng.normal(0, 2, (4, request.param, 20, 30))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    members = p[:, 1] if request.param == 2 else p
    return Prediction.from_members(members.astype(np.float32), 0.4, np.zeros(3, np.float32))


def test_every_score_is_named_and_named_scores_are_given(prediction):
    assert tuple(prediction.scores()) == SCORES


def test_entropy_is_its_aleatoric_and_epistemic_part(prediction):
    scores = prediction.scores()
    assert scores["aleatoric_entropy"] + scores["mutual_information"] == pytest.approx(scores["entropy"])


def test_the_aleatoric_entropy_is_the_mean_of_the_members(prediction):
    members = prediction.member_probabilities.astype(np.float64)
    both = members if members.ndim == 4 else np.stack([1 - members, members], axis=1)
    expected = -(both * np.log(both)).sum(axis=1).mean(axis=0)
    assert np.allclose(prediction.aleatoric, expected, atol=1e-5)


def test_the_aleatoric_variance_is_the_mean_of_the_members(prediction):
    members = prediction.member_probabilities.astype(np.float64)
    both = members if members.ndim == 4 else np.stack([1 - members, members], axis=1)
    expected = (both * (1 - both)).sum(axis=1).mean() / 2
    assert prediction.scores()["aleatoric_variance"] == pytest.approx(expected, rel=1e-5)


def test_both_parts_are_given_per_length_of_boundary(prediction):
    scores = prediction.scores()
    length = boundary_edges(prediction.mask) / prediction.mask.size**0.5
    assert scores["aleatoric_boundary"] == pytest.approx(scores["aleatoric_entropy"] / length)
    assert scores["epistemic_boundary"] == pytest.approx(scores["mutual_information"] / length)


def test_members_that_agree_leave_no_epistemic_part():
    members = np.full((3, 8, 8), 0.3, np.float32)
    scores = Prediction.from_members(members, 0.5, np.zeros(1, np.float32)).scores()
    assert scores["mutual_information"] == pytest.approx(0, abs=1e-6)
    assert scores["aleatoric_variance"] == pytest.approx(0.21)
    assert scores["epistemic_variance"] == pytest.approx(0, abs=1e-12)
