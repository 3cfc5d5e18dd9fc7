import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from icefloe.imaging.augment import Augmentation, augment, dihedral

GEOMETRY_ONLY = Augmentation.none().model_copy(
    update={"dihedral": True, "rotation_deg": 30.0, "scale": 0.3, "shift": 0.1, "elastic": 2.0}
)


def pair(seed=0, side=48):
    rng = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(rng.normal(size=(side, side)), 4)
    image = (field / field.std()).astype(np.float32)
    mask = np.digitize(image, [-0.5, 0.5]).astype(np.uint8)
    mask[:5, :7] = 255
    return image, mask


def test_no_augmentation_is_the_identity(rng):
    image, mask = pair()
    same_image, same_mask = augment(image, mask, Augmentation.none(), rng)
    np.testing.assert_array_equal(same_image, image)
    np.testing.assert_array_equal(same_mask, mask)


def test_the_eight_dihedral_elements_differ_and_the_first_is_the_identity():
    image, mask = pair()
    images = [dihedral(image, mask, element)[0] for element in range(8)]
    np.testing.assert_array_equal(images[0], image)
    assert len({one.tobytes() for one in images}) == 8


@pytest.mark.parametrize("element", range(8))
def test_image_and_mask_are_turned_alike(element):
    image, mask = pair()
    turned_image, turned_mask = dihedral(image, mask, element)
    for value in (0, 1, 2, 255):
        np.testing.assert_array_equal(
            np.sort(turned_image[turned_mask == value]), np.sort(image[mask == value])
        )


def test_image_and_mask_stay_together_when_deformed():
    _, mask = pair(side=96)
    marked = (mask == 2).astype(np.float32)
    for seed in range(10):
        moved, moved_mask = augment(marked, mask, GEOMETRY_ONLY, np.random.default_rng(seed))
        seen = moved_mask != 255
        agree = (moved > 0.5) == (moved_mask == 2)
        assert agree[seen].mean() > 0.985


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31), side=st.sampled_from([32, 48, 64]))
def test_shapes_and_kinds_stay_no_class_is_invented_and_ignore_stays(seed, side):
    image, mask = pair(seed % 7, side)
    new_image, new_mask = augment(image, mask, Augmentation(elastic=1.0), np.random.default_rng(seed))
    assert new_image.shape == new_mask.shape == image.shape
    assert new_image.dtype == np.float32
    assert new_mask.dtype == np.uint8
    assert np.isfinite(new_image).all()
    assert set(np.unique(new_mask)) <= {0, 1, 2, 255}


def test_an_ignored_mask_stays_ignored(rng):
    image, _ = pair()
    _, mask = augment(image, np.full(image.shape, 255, np.uint8), GEOMETRY_ONLY, rng)
    assert (mask == 255).all()


def test_what_comes_from_outside_is_ignored_and_has_the_mean(rng):
    image = np.full((64, 64), 3.0, np.float32)
    config = Augmentation.none().model_copy(update={"shift": 0.5})
    moved, mask = augment(image, np.zeros(image.shape, np.uint8), config, rng)
    assert (mask == 255).any()
    np.testing.assert_allclose(moved, 3.0, rtol=1e-6)


def test_the_same_generator_state_gives_the_same_variant():
    image, mask = pair()
    config = Augmentation(elastic=2.0)
    first = augment(image, mask, config, np.random.default_rng(5))
    again = augment(image, mask, config, np.random.default_rng(5))
    other = augment(image, mask, config, np.random.default_rng(6))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert not np.array_equal(first[0], other[0])


def test_the_originals_are_not_written_to(rng):
    image, mask = pair()
    before = image.copy(), mask.copy()
    for _ in range(5):
        augment(image, mask, Augmentation(elastic=1.0), rng)
    np.testing.assert_array_equal(image, before[0])
    np.testing.assert_array_equal(mask, before[1])


def test_intensity_changes_leave_the_mask_alone(rng):
    image, mask = pair()
    still = {"dihedral": False, "rotation_deg": 0.0, "scale": 0.0, "shift": 0.0}
    new_image, new_mask = augment(image, mask, Augmentation(**still), rng)
    np.testing.assert_array_equal(new_mask, mask)
    assert not np.array_equal(new_image, image)


@pytest.mark.parametrize(
    "part", ["noise", "shot_noise", "gain", "contrast", "gamma", "blur", "illumination", "elastic", "scale"]
)
def test_each_part_alone_changes_the_image(part, rng):
    image, mask = pair()
    config = Augmentation.none().model_copy(update={part: 0.5})
    assert not np.array_equal(augment(image, mask, config, rng)[0], image)


def test_shot_noise_grows_with_the_signal():
    image = np.repeat(np.linspace(0, 1, 64, dtype=np.float32)[:, None], 64, axis=1)
    config = Augmentation.none().model_copy(update={"shot_noise": 0.5})
    mask = np.zeros(image.shape, np.uint8)
    residuals = [augment(image, mask, config, np.random.default_rng(seed))[0] - image for seed in range(40)]
    variance = np.var(residuals, axis=(0, 2))
    assert variance[0] == 0
    assert np.corrcoef(variance, image[:, 0])[0, 1] > 0.95


def test_noise_has_the_deviation_asked_for_relative_to_the_image():
    image, mask = pair(side=64)
    config = Augmentation.none().model_copy(update={"noise": 0.4})
    deviations = [
        np.std(augment(5 * image, mask, config, np.random.default_rng(seed))[0] - 5 * image)
        for seed in range(60)
    ]
    assert max(deviations) < 0.42 * 5 * image.std()
    assert abs(np.mean(deviations) - 0.2 * 5 * image.std()) < 0.05 * 5 * image.std()
