"""Intervals of a mean over few, correlated images."""

import numpy as np
import pytest
from scipy import stats

from icefloe.statistics.means import block_means, default_block_length, images_needed, mean_interval


def coverage(draw, n, trials=300, **options):
    rng = np.random.default_rng(1)
    intervals = [mean_interval(draw(rng, n), n_resamples=1000, rng=rng, **options) for _ in range(trials)]
    return np.mean([interval.low <= 0 <= interval.high for interval in intervals])


def autoregressive(rng, n, r=0.6):
    x = rng.normal(size=n)
    for i in range(1, n):
        x[i] = r * x[i - 1] + np.sqrt(1 - r * r) * x[i]
    return x


def test_every_resample_is_enumerated_where_they_are_few(rng):
    x = np.array([1.0, 2.0, 4.0])
    triples = [(a + b + c) / 3 for a in x for b in x for c in x]
    assert sorted(block_means(x, 1, 10_000, rng)) == pytest.approx(sorted(triples))


def test_blocks_are_circular_runs_cut_to_the_length_of_the_sample(rng):
    x = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    expected = [
        np.mean(np.take(x, [a, a + 1, b, b + 1, c], mode="wrap"))
        for a in range(5)
        for b in range(5)
        for c in range(5)
    ]
    assert sorted(block_means(x, 2, 10_000, rng)) == pytest.approx(sorted(expected))


def test_means_of_many_independent_images_agree_with_scipys_bca(rng):
    x = rng.exponential(size=200)
    ours = mean_interval(x, block_length=1, n_resamples=20_000, rng=rng)
    scipys = stats.bootstrap(
        (x,), np.mean, n_resamples=20_000, method="BCa", rng=np.random.default_rng(2)
    ).confidence_interval
    width = scipys.high - scipys.low
    assert ours.high == pytest.approx(scipys.high, abs=0.03 * width)
    # The t interval reaches lower for values skewed to the right, and the wider end is kept.
    half = stats.t.ppf(0.975, 199) * x.std(ddof=1) / np.sqrt(200)
    assert ours.low == pytest.approx(x.mean() - half)


def test_three_images_have_at_least_the_t_interval(rng):
    x = rng.normal(size=3)
    interval = mean_interval(x, block_length=1, rng=rng)
    half = stats.t.ppf(0.975, 2) * x.std(ddof=1) / np.sqrt(3)
    assert interval.low == pytest.approx(x.mean() - half)
    assert interval.high == pytest.approx(x.mean() + half)


def test_one_image_bounds_nothing(rng):
    interval = mean_interval([0.1], rng=rng)
    assert (interval.low, interval.high) == (-np.inf, np.inf)


def test_equal_values_leave_no_doubt(rng):
    interval = mean_interval([0.1] * 4, rng=rng)
    assert interval.low == interval.mean == interval.high == pytest.approx(0.1)


@pytest.mark.parametrize("n", [3, 5, 12])
def test_normal_values_are_covered_at_the_stated_level(n):
    assert coverage(lambda rng, n: rng.normal(size=n), n) > 0.92


def test_correlated_frames_are_covered_far_better_than_by_independent_resampling():
    by_blocks = coverage(autoregressive, 25)
    as_if_independent = coverage(autoregressive, 25, block_length=1)
    assert by_blocks > 0.85
    assert as_if_independent < 0.78


def test_a_block_is_the_cube_root_of_the_number_of_images():
    assert [default_block_length(n) for n in (1, 3, 8, 27, 1000)] == [1, 1, 2, 3, 10]


def test_so_many_values_of_the_same_spread_show_a_mean_above_zero(rng):
    values = [0.3, 0.05]
    needed = images_needed(values)
    mean, spread = np.mean(values), np.std(values, ddof=1)

    def low(n):
        return mean - stats.t.ppf(0.975, n - 1) * spread / np.sqrt(n)

    assert low(needed) > 0 >= low(needed - 1)
    assert needed > len(values)


def test_no_number_of_images_is_named_where_none_would_show_it():
    assert images_needed([0.3]) is None
    assert images_needed([-0.3, 0.1]) is None
    assert images_needed([0.5, -0.49]) is None
