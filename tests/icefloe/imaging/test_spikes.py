import numpy as np
import pytest

from icefloe.imaging.spikes import remove_spikes

PLANTED = [(100, 50), (30, 30), (30, 31), (0, 0), (0, 120), (199, 10), (80, 0), (150, 199), (150, 198)]
"""Single hits, pairs, corners and margins."""


@pytest.fixture
def counts(rng):
    return rng.poisson(1000, (200, 200)).astype(np.float32)


def test_planted_hits_are_removed_and_every_other_pixel_is_untouched(counts, rng):
    hit = counts.copy()
    where = tuple(np.array(PLANTED).T)
    hit[where] += rng.uniform(2000, 60_000, len(PLANTED)).astype(np.float32)
    cleaned = remove_spikes(hit, 1500)
    others = np.ones(counts.shape, bool)
    others[where] = False
    np.testing.assert_array_equal(cleaned[others], counts[others])
    assert np.abs(cleaned[where] - 1000).max() < 5 * np.sqrt(1000)


def test_a_single_hit_becomes_the_mean_of_its_eight_neighbours(counts):
    counts[50, 60] = 9000
    around = counts[49:52, 59:62]
    expected = (around.sum(dtype=np.float64) - 9000) / 8
    assert remove_spikes(counts, 1500)[50, 60] == pytest.approx(expected, rel=1e-6)


def test_the_middle_of_a_cluster_is_replaced_in_the_second_pass(counts):
    counts[20:23, 40:43] = 30_000
    assert np.abs(remove_spikes(counts, 1500)[20:23, 40:43] - 1000).max() < 5 * np.sqrt(1000)


def test_what_is_below_the_limit_stays(counts):
    counts[7, 7] = np.median(counts) + 1499
    np.testing.assert_array_equal(remove_spikes(counts, 1500), counts)


def test_negative_counts_become_0(counts):
    counts[3, 4] = -20
    assert remove_spikes(counts, 1500)[3, 4] == 0


def test_a_bright_part_of_the_specimen_is_no_hit(counts):
    counts[:50] += 4000
    np.testing.assert_array_equal(remove_spikes(counts, 1500), counts)


def test_the_image_given_is_not_changed(counts):
    counts[9, 9] = 9000
    before = counts.copy()
    remove_spikes(counts, 1500)
    np.testing.assert_array_equal(counts, before)
