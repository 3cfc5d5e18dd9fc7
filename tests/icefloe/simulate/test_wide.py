import numpy as np

from icefloe.simulate.wide import random_wide_spec, wide_experiments


def test_every_draw_is_an_experiment_that_can_be():
    rng = np.random.default_rng(0)
    specs = [random_wide_spec(rng, 96) for _ in range(200)]  # a contradiction would be refused
    assert {spec.shape for spec in specs} == {"round", "elongated", "lens", "faceted", "two"}
    assert min(spec.defocus_um for spec in specs) < -5 < 5 < max(spec.defocus_um for spec in specs)


def test_ice_is_of_many_sizes():
    shares = np.array([experiment.masks.mean(axis=(1, 2)) for experiment in wide_experiments(12, 64, seed=0)])
    assert np.mean(shares > 0.005) > 0.8
    assert np.percentile(shares, 90) > 2 * np.percentile(shares, 10)


def test_more_experiments_begin_with_the_same():
    few, more = list(wide_experiments(1, 64, seed=3)), list(wide_experiments(2, 64, seed=3))
    np.testing.assert_array_equal(few[0].images, more[0].images)
    assert not np.array_equal(more[0].images, more[1].images)
