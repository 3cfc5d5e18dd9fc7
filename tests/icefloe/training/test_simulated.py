import numpy as np
import pytest

from icefloe.imaging.preprocess import Preprocessing
from icefloe.simulate.wide import KINDS
from icefloe.training.simulated import N_PARTS, PART, simulated_batch, simulated_images, simulated_part


@pytest.fixture(scope="module")
def batches():
    return [simulated_batch(8, 64, seed=0, number=number) for number in range(8)]


def test_a_batch_is_a_function_of_seed_and_number(batches):
    again = simulated_batch(8, 64, seed=0, number=3)
    for part in ("images", "masks", "kinds"):
        np.testing.assert_array_equal(getattr(again, part), getattr(batches[3], part))
    assert not np.array_equal(simulated_batch(8, 64, seed=1, number=3).images, again.images)


def test_images_are_normalised_and_masks_binary_but_for_padding(batches):
    images = np.concatenate([batch.images for batch in batches])
    assert images.shape == (64, 64, 64)
    assert images.dtype == np.float32
    # Windows of z-scored images, at contrasts of 0.67 to 1.5.
    assert 0.6 < np.median(images.std(axis=(1, 2))) < 1.6
    assert set(np.unique(np.concatenate([batch.masks for batch in batches]))) == {0, 1, 255}


def test_half_of_the_ice_lies_in_a_blanked_background(batches):
    ice = np.concatenate([batch.images[batch.kinds == KINDS.index("ice")] for batch in batches])
    # Exact zeros before normalisation are one value afterwards.
    same = np.array([np.unique(image, return_counts=True)[1].max() / image.size for image in ice])
    assert 0.2 < np.mean(same > 0.05) < 0.8


def test_blanking_leaves_the_ice(batches):
    taken, ice = 0, 0
    for batch in batches:
        for image, mask, kind in zip(batch.images, batch.masks, batch.kinds, strict=True):
            values, counts = np.unique(image, return_counts=True)
            if kind == KINDS.index("ice") and counts.max() > 0.05 * image.size:
                taken += np.count_nonzero(image[mask == 1] == values[counts.argmax()])
                ice += np.count_nonzero(mask)
    assert taken < 0.05 * ice


def test_padding_counts_nowhere_and_is_as_in_real_images(batches):
    for batch in batches:
        for image, mask in zip(batch.images, batch.masks, strict=True):
            assert len(np.unique(image[mask == 255])) <= 1


def test_a_trainings_images_are_its_parts_in_order():
    how = Preprocessing(size=64)
    images, part = simulated_images(how, 3), simulated_part(how, 3, 2)
    assert len(images) == N_PARTS * PART == len(set(images.keys))
    assert images.keys[2 * PART : 3 * PART] == part.keys
    np.testing.assert_array_equal(images.images[2 * PART], part.images[0])
    np.testing.assert_array_equal(images.masks[2 * PART], part.masks[0])


def test_they_are_normalised_as_the_training_says():
    by_range = simulated_part(Preprocessing(size=64, normalise="range"), 3, 0)
    by_deviation = simulated_part(Preprocessing(size=64), 3, 0)
    assert all(
        not np.array_equal(one, other)
        for one, other in zip(by_range.images, by_deviation.images, strict=True)
    )
    np.testing.assert_array_equal(by_range.masks, by_deviation.masks)


@pytest.mark.parametrize("size", [96, 160, 224])
def test_any_size_that_networks_take_will_do(size):
    batches = [simulated_batch(8, size, seed=0, number=number) for number in range(2)]
    assert all(batch.images.shape == batch.masks.shape == (8, size, size) for batch in batches)
