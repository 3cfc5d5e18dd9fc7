"""Quantiles over experiments: their laws, and their coverage on draws where it is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from icefloe.errors import IcefloeError
from icefloe.scoring.conformal import (
    area_interval,
    area_scores,
    class_areas,
    experiments_needed,
    hierarchical_quantile,
    highest_safe_doubt,
    labelled_areas,
)


@given(st.lists(st.floats(0, 10), min_size=1, max_size=30), st.sampled_from([0.5, 0.8, 0.9, 0.95]))
def test_with_one_frame_each_it_is_split_conformal(scores, level):
    k = int(np.ceil(level * (len(scores) + 1) - 1e-9))
    expected = sorted(scores)[k - 1] if k <= len(scores) else np.inf
    assert hierarchical_quantile([[score] for score in scores], level) == expected


def test_an_experiment_counts_the_same_however_many_frames_it_has():
    few = [[1.0], [2.0], [3.0], [4.0]]
    many = [[1.0] * 50, [2.0], [3.0] * 3, [4.0] * 7]
    for level in (0.2, 0.5, 0.8):
        assert hierarchical_quantile(many, level) == hierarchical_quantile(few, level)


@pytest.mark.parametrize(("level", "n"), [(0.5, 1), (0.8, 4), (0.9, 9), (0.95, 19), (0.99, 99)])
def test_fewer_experiments_than_needed_promise_nothing(level, n):
    assert experiments_needed(level) == n
    scores = [[0.0, 1.0]] * n
    assert np.isfinite(hierarchical_quantile(scores, level))
    assert hierarchical_quantile(scores[:-1], level) == np.inf


@pytest.mark.parametrize("between", [0.0, 1.0, 5.0])
def test_coverage_of_a_new_experiment_is_between_level_and_two_more_shares(rng, between):
    level, n, n_frames, repeats = 0.9, 30, 5, 2000
    covered = []
    for _ in range(repeats):
        centres = rng.normal(0, between, (n + 1, 1))
        scores = np.abs(centres + rng.normal(0, 1, (n + 1, n_frames)))
        covered.append(np.mean(scores[-1] <= hierarchical_quantile(list(scores[:-1]), level)))
    error = 3 * np.std(covered) / repeats**0.5
    assert level - error <= np.mean(covered) <= level + 2 / (n + 1) + error


def test_taking_frames_for_independent_covers_less_where_experiments_differ(rng):
    n, n_frames, level = 9, 30, 0.88
    by_experiment, by_frame = [], []
    for _ in range(1000):
        scores = np.abs(rng.normal(0, 5, (n + 1, 1)) + rng.normal(0, 1, (n + 1, n_frames)))
        known = scores[:-1]
        by_experiment.append(np.mean(scores[-1] <= hierarchical_quantile(list(known), level)))
        by_frame.append(np.mean(scores[-1] <= hierarchical_quantile(list(known.reshape(-1, 1)), level)))
    assert np.mean(by_experiment) > 0.86 > 0.85 > np.mean(by_frame)


def test_the_expected_area_and_its_uncertainty_follow_from_the_probabilities(rng):
    mean = rng.random((6, 7), dtype=np.float32)
    expected, uncertainty = class_areas(mean)
    assert expected == pytest.approx([mean.mean()])
    assert uncertainty == pytest.approx([(mean * (1 - mean)).mean() + 0.25 / mean.size])


def test_areas_of_classes_leave_out_the_background(rng):
    mean = rng.dirichlet([1, 1, 1], (6, 7)).transpose(2, 0, 1).astype(np.float32)
    expected, uncertainty = class_areas(mean)
    assert expected == pytest.approx(mean[1:].mean(axis=(1, 2)))
    assert uncertainty.shape == (2,)


def test_scores_are_distances_in_units_of_the_uncertainty(rng):
    mean = rng.random((6, 7), dtype=np.float32)
    reference = (rng.random((6, 7)) < 0.3).astype(np.uint8)
    (expected,), (uncertainty,) = class_areas(mean)
    assert area_scores(reference, mean) == pytest.approx([abs(reference.mean() - expected) / uncertainty])


def test_ignored_pixels_count_neither_in_the_truth_nor_in_the_expectation(rng):
    mean = rng.random((8, 7), dtype=np.float32)
    reference = (rng.random((8, 7)) < 0.3).astype(np.uint8)
    reference[4:] = 255
    whole = labelled_areas(reference, mean)
    assert np.allclose(whole, labelled_areas(reference[:4], mean[:4]))


def test_a_reference_without_labels_is_refused():
    with pytest.raises(IcefloeError, match="No pixel to score"):
        area_scores(np.full((4, 4), 255, np.uint8), np.zeros((4, 4), np.float32))


def test_a_sure_and_right_map_has_a_finite_score():
    assert area_scores(np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.float32)) == pytest.approx([0.0])


def test_an_interval_stays_within_the_image():
    assert area_interval(0.1, 0.02, 10.0) == (0.0, pytest.approx(0.3))
    assert area_interval(0.1, 0.02, np.inf) == (0.0, 1.0)


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.05, 0.3]))
def test_below_the_safe_doubt_errors_stay_tolerable_and_at_it_they_do_not(seed, max_error):
    rng = np.random.default_rng(seed)
    doubt = rng.integers(0, 20, 60).astype(np.float32) / 20
    wrong = rng.random(60) < doubt
    safe = highest_safe_doubt(doubt, wrong, max_error)
    assert np.sum(wrong & (doubt < safe)) <= max_error * 60
    if np.isfinite(safe):
        assert np.sum(wrong & (doubt <= safe)) > max_error * 60
    else:
        assert wrong.sum() <= max_error * 60
