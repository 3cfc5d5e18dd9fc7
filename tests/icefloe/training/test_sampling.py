import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from icefloe.training.sampling import augmented, draw_order
from icefloe.training.schedule import FLOOR, learning_rate


def test_equal_weights_show_every_image_once():
    assert sorted(draw_order(np.ones(10), 10, seed=0, epoch=3)) == list(range(10))


@given(
    st.lists(st.floats(0.1, 10), min_size=1, max_size=20),
    st.integers(1, 50),
    st.integers(0, 100),
)
def test_each_image_is_drawn_as_often_as_its_weight_says(weights, n_draws, epoch):
    weights = np.array(weights)
    counts = np.bincount(draw_order(weights, n_draws, 0, epoch), minlength=len(weights))
    expected = weights / weights.sum() * n_draws
    assert counts.sum() == n_draws
    assert np.all(counts >= np.floor(expected - 1e-9))
    assert np.all(counts <= np.ceil(expected + 1e-9))


def test_rounding_favours_no_image():
    drawn = np.concatenate([draw_order(np.array([1.0, 1, 2]), 5, 0, epoch) for epoch in range(2000)])
    np.testing.assert_allclose(np.bincount(drawn) / 2000, [1.25, 1.25, 2.5], atol=0.05)


def test_epochs_differ_and_repeat_themselves():
    orders = [tuple(draw_order(np.ones(20), 20, 0, epoch)) for epoch in (1, 2, 1)]
    assert orders[0] == orders[2] != orders[1]


def test_an_images_variation_depends_on_its_place_in_the_epoch_not_on_the_batch(data, config):
    indices = np.array([5, 2, 5, 7])
    whole, _ = augmented(data.train, indices, config.augmentation, seed=0, epoch=1, first=0)
    second, _ = augmented(data.train, indices[2:], config.augmentation, seed=0, epoch=1, first=2)
    np.testing.assert_array_equal(whole[2:], second)
    assert not np.array_equal(whole[0], whole[2])  # the same image twice, varied differently


def test_the_learning_rate_rises_linearly_then_falls_along_a_cosine():
    rates = [learning_rate(step, 110, 10, peak=1.0) for step in range(110)]
    np.testing.assert_allclose(rates[:10], np.arange(1, 11) / 10)
    assert rates[10] == 1
    assert rates[60] == pytest.approx((1 + FLOOR) / 2)
    assert FLOOR < rates[-1] < FLOOR + 1e-3
    assert np.all(np.diff(rates[10:]) < 0)
