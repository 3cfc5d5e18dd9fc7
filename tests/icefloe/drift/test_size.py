"""Comparison at equal size: against a regression with one dummy an experiment."""

import numpy as np
import pytest

from icefloe.drift.size import MARGIN, SizedValues, at_equal_size


def experiment(rng, level, sizes, slope=-1.5, noise=0.0):
    sizes = np.asarray(sizes, float)
    return SizedValues((level + slope * sizes + noise * rng.normal(size=len(sizes)))[:, None], sizes)


def test_a_common_trend_is_taken_off_and_what_sets_experiments_apart_stays(rng):
    reference = [
        experiment(rng, 0.0, np.linspace(-2.3, -1.8, 10)),
        experiment(rng, 0.4, np.linspace(-2.2, -1.7, 8)),
    ]
    new = experiment(rng, 1.0, [-2.2, -2.0, -1.9, -1.8, -2.1])

    adjusted, last, matched = at_equal_size(reference, new, 5)

    assert matched
    assert [a.std() for a in (*adjusted, last)] == pytest.approx([0, 0, 0], abs=0.01)
    assert [last.mean() - a.mean() for a in adjusted] == pytest.approx([1.0, 0.6], abs=0.01)


def test_the_slope_is_that_of_a_regression_with_a_level_for_each_experiment(rng):
    parts = [experiment(rng, level, rng.uniform(-2.2, -1.8, 12), noise=0.2) for level in (0.0, 0.5, 2.0)]
    levels = np.kron(np.eye(3), np.ones((12, 1)))
    design = np.column_stack([np.concatenate([p.log_size for p in parts]), levels])
    slope = np.linalg.lstsq(design, np.concatenate([p.values[:, 0] for p in parts]), rcond=None)[0][0]

    adjusted, _, _ = at_equal_size(parts[:2], parts[2], 5)
    used = (parts[0].values[0] - adjusted[0][0] - (parts[0].values[1] - adjusted[0][1])) / (
        parts[0].log_size[0] - parts[0].log_size[1]
    )

    assert used == pytest.approx(slope, rel=0.03)


def test_images_of_sizes_the_benchmark_never_saw_are_left_out(rng):
    reference = [experiment(rng, 0.0, np.linspace(-2.3, -1.8, 10))]
    inside, beyond = [-2.2, -2.1, -2.0, -1.9, -1.8 + 0.9 * MARGIN], [-1.8 + 1.1 * MARGIN, -1.0, -4.0]

    _, last, matched = at_equal_size(reference, experiment(rng, 1.0, inside + beyond), 5)

    assert matched
    assert len(last) == len(inside)


@pytest.mark.parametrize("sizes", [[-5.0] * 8, [np.nan] * 8])
def test_without_enough_images_of_those_sizes_everything_stays_as_it_is(rng, sizes):
    reference = [experiment(rng, 0.0, np.linspace(-2.3, -1.8, 10))]
    new = SizedValues(rng.normal(size=(8, 1)), np.array(sizes))

    adjusted, last, matched = at_equal_size(reference, new, 5)

    assert not matched
    assert last is new.values
    assert adjusted[0] is reference[0].values


def test_sizes_that_do_not_vary_show_no_trend(rng):
    parts = [SizedValues(rng.normal(size=(6, 1)), -2 + 1e-4 * rng.normal(size=6)) for _ in range(2)]

    adjusted, last, _ = at_equal_size(parts[:1], parts[1], 5)

    assert adjusted[0] == pytest.approx(parts[0].values, abs=0.01)
    assert last == pytest.approx(parts[1].values, abs=0.01)
