"""The bootstrap over supports and chips."""

import numpy as np
import pytest

from icefloe.fewshot.intervals import count_intervals, resampled_counts
from icefloe.fewshot.prototypes import distinct, probabilities, prototypes, squared_distances


@pytest.fixture
def clouds(rng):
    embeddings = np.concatenate([rng.normal(0, 1, (150, 4)), rng.normal(1.5, 1, (50, 4))]).astype(np.float32)
    return embeddings, [distinct(embeddings[:5]), distinct(embeddings[150:155])]


def test_every_resample_counts_every_chip(clouds):
    embeddings, supports = clouds
    counts = resampled_counts(embeddings, supports, 1.0, 0.2, n_resamples=50)
    assert counts.shape == (50, 3)
    assert (counts.sum(axis=1) == 200).all()


def test_sets_of_one_leave_the_spread_of_chips_drawn_anew(clouds):
    embeddings, _ = clouds
    supports = [distinct(embeddings[:1]), distinct(embeddings[150:151])]
    distances = squared_distances(embeddings, prototypes(supports))
    likely = probabilities(distances, 1.0)
    share = np.mean((likely.max(axis=1) >= 0.8) & (distances.argmin(axis=1) == 0))

    counts = resampled_counts(embeddings, supports, 1.0, 0.2, n_resamples=1000)[:, 0]

    assert counts.mean() == pytest.approx(200 * share, abs=1)
    assert counts.std() == pytest.approx(np.sqrt(200 * share * (1 - share)), rel=0.1)


def test_the_intervals_hold_the_count_of_a_whole_bootstrap_written_out(clouds):
    embeddings, supports = clouds
    rng = np.random.default_rng(5)
    written_out = []
    for _ in range(400):
        drawn = [of_set[rng.integers(5, size=4)] for of_set in supports]  # n - 1 of n
        chips = embeddings[rng.integers(200, size=200)]
        likely = probabilities(squared_distances(chips, prototypes(drawn)), 1.0)
        outcome = np.where(likely.max(axis=1) < 0.8, 2, likely.argmax(axis=1))
        written_out.append(np.bincount(outcome, minlength=3))
    expected = np.quantile(written_out, [0.05, 0.5, 0.95], axis=0)

    found = resampled_counts(embeddings, supports, 1.0, 0.2, n_resamples=400)

    np.testing.assert_allclose(np.quantile(found, [0.05, 0.5, 0.95], axis=0), expected, atol=9)


def test_an_interval_never_leaves_its_count_out():
    resampled = np.array([[5, 5, 0], [6, 4, 0], [7, 3, 0]])
    found = count_intervals(np.array([9, 1, 0]), resampled, 0.95)
    np.testing.assert_allclose(found, [[5.05, 9], [1, 4.95], [0, 0]])


def test_a_classs_interval_goes_from_no_unsure_chip_to_all_of_them():
    resampled = np.array([[5, 3, 2]] * 10)
    found = count_intervals(np.array([5, 3, 2]), resampled, 0.95)
    np.testing.assert_allclose(found, [[5, 7], [3, 5], [2, 2]])
