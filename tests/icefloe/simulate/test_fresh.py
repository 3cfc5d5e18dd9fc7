"""Fresh experiments."""

import numpy as np
import pytest

from icefloe.errors import IcefloeError
from icefloe.simulate.fresh import fresh_experiments
from icefloe.simulate.standard import random_standard_spec


def small(rng):
    return random_standard_spec(rng).changed(size_px=64, pixel_size_nm=8)


def test_experiments_of_a_seed_do_not_depend_on_how_many_are_asked_for():
    (first, *_), (alone,) = fresh_experiments(2, 2, 5, draw=small), fresh_experiments(1, 2, 5, draw=small)
    assert [sample.key for sample in first] == [sample.key for sample in alone]
    for ours, theirs in zip(first, alone, strict=True):
        assert np.array_equal(ours.image(), theirs.image())
        assert np.array_equal(ours.mask(), theirs.mask())


def test_experiments_differ_and_their_frames_are_in_time_order_with_truth():
    one, two = fresh_experiments(2, 3, 0, name="null", draw=small)
    assert {sample.dataset for sample in one} == {"null_000"}
    assert [s.index for s in one] == sorted({s.index for s in one})
    assert one[0].image().dtype == np.float32
    assert 0 < one[0].mask().mean() < 1
    assert not np.array_equal(one[0].image(), two[0].image())


@pytest.mark.parametrize("n_images", [0, 31])
def test_more_frames_than_an_experiment_has_are_refused(n_images):
    with pytest.raises(IcefloeError, match=f"{n_images} images per experiment: one lasts 30 seconds"):
        next(fresh_experiments(1, n_images, 0))
