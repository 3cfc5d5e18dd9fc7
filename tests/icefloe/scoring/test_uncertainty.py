"""Disagreement maps against NumPy and their own laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.stats import entropy

from icefloe.errors import IcefloeError
from icefloe.scoring.uncertainty import (
    boundary_edges,
    class_mask,
    doubt,
    image_uncertainty,
    mean_probability,
    mutual_information,
    predictive_entropy,
    predictive_std,
    total_variance,
    variation_ratio,
)

ROUNDING = 1e-6
probabilities = arrays(
    np.float32,
    array_shapes(min_dims=3, max_dims=3, min_side=2, max_side=6),
    elements=st.floats(0, 1, width=32),
)


@st.composite
def class_probabilities(draw):
    members, classes = draw(st.integers(2, 5)), draw(st.integers(2, 4))
    logits = draw(arrays(np.float32, (members, classes, 3, 2), elements=st.floats(-20, 20, width=32)))
    exponential = np.exp(logits)
    return exponential / exponential.sum(axis=1, keepdims=True)


def disk(radius, side=64):
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    return (x**2 + y**2 < radius**2).astype(np.uint8)


def test_standard_deviation_equals_numpy(rng):
    p = rng.random((6, 50, 40), dtype=np.float32)
    assert np.allclose(predictive_std(p), np.std(p.astype(np.float64), axis=0), rtol=0, atol=1e-7)


@given(probabilities, st.randoms())
def test_uncertainty_is_unchanged_by_member_order(p, random):
    order = random.sample(range(len(p)), len(p))
    for measure in (predictive_std, mutual_information, lambda q: variation_ratio(q, 0.4)):
        assert np.allclose(measure(p), measure(p[order]), atol=ROUNDING)


@given(probabilities)
def test_binary_measures_stay_in_their_bounds(p):
    mean = mean_probability(p)
    assert np.all((predictive_std(p) >= 0) & (predictive_std(p) <= 0.5 + ROUNDING))
    assert np.all((predictive_entropy(mean) >= 0) & (predictive_entropy(mean) <= np.log(2) + ROUNDING))
    assert np.all(mutual_information(p) >= 0)
    assert np.all(mutual_information(p) <= predictive_entropy(mean) + ROUNDING)
    assert np.all((variation_ratio(p, 0.4) >= 0) & (variation_ratio(p, 0.4) <= 0.5))


@given(class_probabilities())
def test_multi_class_measures_stay_in_their_bounds(p):
    n_members, n_classes = p.shape[:2]
    assert np.all((predictive_std(p) >= 0) & (predictive_std(p) <= np.sqrt(0.5)))
    assert np.all(predictive_entropy(mean_probability(p)) <= np.log(n_classes) + ROUNDING)
    information = mutual_information(p)
    assert np.all((information >= 0) & (information <= np.log(min(n_members, n_classes)) + ROUNDING))
    assert np.all(variation_ratio(p, 0.4) <= 1 - 1 / n_classes + ROUNDING)


def test_mutual_information_is_entropy_of_the_mean_less_mean_entropy(rng):
    p = rng.dirichlet([0.5, 0.5, 0.5], (4, 5, 6)).transpose(0, 3, 1, 2).astype(np.float32)
    expected = entropy(p.mean(axis=0), axis=0) - entropy(p, axis=1).mean(axis=0)
    assert np.allclose(mutual_information(p), expected, atol=ROUNDING)


def test_two_classes_measure_the_same_as_their_foreground_alone(rng):
    p = rng.random((5, 8, 9), dtype=np.float32)
    both = np.stack([1 - p, p], axis=1)
    assert np.allclose(predictive_std(both), predictive_std(p), atol=ROUNDING)
    assert np.allclose(mutual_information(both), mutual_information(p), atol=ROUNDING)
    assert np.array_equal(variation_ratio(both, 0.0), variation_ratio(p, 0.5))


def test_members_that_agree_have_no_uncertainty_but_keep_their_entropy():
    p = np.full((3, 4, 4), 0.5, np.float32)
    assert np.all(predictive_std(p) == 0)
    assert np.all(mutual_information(p) == 0)
    assert np.all(variation_ratio(p, 0.4) == 0)
    assert np.allclose(predictive_entropy(mean_probability(p)), np.log(2))


def test_variation_ratio_counts_votes_against_the_most_voted_class():
    p = np.array([0.9, 0.8, 0.1], np.float32)[:, None, None]
    assert variation_ratio(p, 0.4).item() == pytest.approx(1 / 3)


@pytest.mark.parametrize("threshold", [0.1, 0.3, 0.4, 0.7])
def test_a_pixel_exactly_at_the_threshold_is_class_one(threshold):
    mean = np.array([[np.float32(threshold), np.nextafter(np.float32(threshold), np.float32(0))]])
    assert class_mask(mean, threshold).tolist() == [[1, 0]]
    assert class_mask(mean, np.float64(threshold)).tolist() == [[1, 0]]


def test_a_multi_class_mask_is_the_most_probable_class():
    mean = np.array([0.2, 0.5, 0.3], np.float32).reshape(3, 1, 1)
    assert class_mask(mean, 0.1).tolist() == [[1]]


@pytest.mark.parametrize("measure", [predictive_std, mutual_information, lambda p: variation_ratio(p, 0.4)])
def test_a_single_member_is_refused(measure):
    with pytest.raises(IcefloeError, match="at least two ensemble members; this ensemble has one"):
        measure(np.zeros((1, 4, 4), np.float32))


def test_boundary_edges_of_a_square_are_its_perimeter():
    mask = np.zeros((20, 20), np.uint8)
    mask[5:10, 5:12] = 1
    assert boundary_edges(mask) == 2 * (5 + 7)


def test_boundary_uncertainty_does_not_grow_with_the_boundarys_length():
    scores = []
    for radius in (25, 50):
        mask = disk(radius, side=128)
        seam = (disk(radius + 1, side=128) - disk(radius - 1, side=128)) * np.float32(0.2)
        scores.append(image_uncertainty(seam, mask))
    small, large = scores
    assert large.uq_mean > 1.8 * small.uq_mean
    assert large.uq_boundary == pytest.approx(small.uq_boundary, rel=0.05)


def test_image_uncertainty_does_not_depend_on_the_sampling():
    mask = disk(20)
    std = (disk(21) - disk(19)) * np.float32(0.2)
    fine = image_uncertainty(
        np.kron(std, np.ones((2, 2), np.float32)), np.kron(mask, np.ones((2, 2), np.uint8))
    )
    coarse = image_uncertainty(std, mask)
    assert fine.uq_mean == pytest.approx(coarse.uq_mean)
    assert fine.uq_boundary == pytest.approx(coarse.uq_boundary)
    assert fine.uq_foreground == pytest.approx(coarse.uq_foreground)


def test_uncertainty_per_foreground_pixel_is_the_sum_over_the_area():
    mask = disk(20)
    std = mask * np.float32(0.1)
    assert image_uncertainty(std, mask).uq_foreground == pytest.approx(0.1)


def test_an_image_without_foreground_has_finite_scores():
    scores = image_uncertainty(np.full((32, 32), 0.01, np.float32), np.zeros((32, 32), np.uint8))
    assert scores.uq_boundary == pytest.approx(0.04)
    assert scores.uq_foreground == pytest.approx(2.56)


def test_variance_splits_by_the_law_of_total_variance(rng):
    p = rng.random((5, 8, 9), dtype=np.float32)
    aleatoric = (p * (1 - p)).mean(axis=0)
    assert np.allclose(total_variance(mean_probability(p)), aleatoric + p.var(axis=0), atol=ROUNDING)


def test_two_classes_have_the_variance_and_doubt_of_a_binary_model(rng):
    p = rng.random((4, 8, 9), dtype=np.float32)
    mean = mean_probability(p)
    both = np.stack([1 - mean, mean])
    mask = class_mask(mean, 0.3)
    assert np.allclose(total_variance(both), total_variance(mean), atol=ROUNDING)
    assert np.allclose(doubt(both, mask), doubt(mean, mask), atol=ROUNDING)


def test_doubt_is_the_probability_of_the_classes_not_predicted():
    mean = np.array([[0.9, 0.35, 0.1]], np.float32)
    assert np.allclose(doubt(mean, class_mask(mean, 0.3)), [[0.1, 0.65, 0.1]])
