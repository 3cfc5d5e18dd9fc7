"""Crops that training sees of images with their own resolution."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from icefloe.errors import IcefloeError
from icefloe.imaging.augment import Augmentation, augment
from icefloe.imaging.preprocess import Preprocessing
from icefloe.training import data as training_data
from icefloe.training.config import TrainingConfig
from icefloe.training.crops import cut, draw_corner
from icefloe.training.data import PreparedImages, prepare_images
from icefloe.training.fit import fit_member
from icefloe.training.outcome import read_outcome
from icefloe.training.sampling import augmented
from icefloe.training.store import FolderStore

CROP = 32


@pytest.fixture
def large(rng):
    """Two images of different sizes; a crack of 60 pixels in the first, a patch and a crack in the second."""
    shapes = (160, 224), (128, 96)
    masks = [np.zeros(shape, np.uint8) for shape in shapes]
    masks[0][100, 20:80] = 2
    masks[1][20:60, 20:60], masks[1][100, 30:90] = 1, 2
    images = [(mask + rng.normal(0, 0.1, mask.shape)).astype(np.float32) for mask in masks]
    return PreparedImages(("D1/a", "D1/b"), tuple(images), tuple(masks), crop=CROP)


def test_half_of_the_crops_show_a_foreground_class_each_class_as_often(large):
    indices = np.ones(400, np.int64)
    _, masks = augmented(large, indices, Augmentation.none(), seed=0, epoch=1, first=0)
    shown = np.array([[(mask == value).any() for value in (1, 2)] for mask in masks])
    assert shown[1::2].any(axis=1).all()
    assert 0.4 < shown[1::2, 1].mean() < 0.75  # the crack is 60 of 12,288 pixels
    assert shown[::2, 1].mean() < 0.4


def test_crops_anywhere_reach_every_pixel_of_an_image_and_nothing_beyond(rng):
    corners = np.array([draw_corner((64, 50), CROP, (), rng) for _ in range(2000)])
    assert corners.min(axis=0).tolist() == [0, 0]
    assert corners.max(axis=0).tolist() == [64 - CROP, 50 - CROP]


def test_a_crop_around_a_pixel_shows_it_wherever_it_is(rng):
    mask = np.zeros((64, 96), np.uint8)
    for pixel in ((0, 0), (63, 95), (30, 50)):
        places = (np.array([np.ravel_multi_index(pixel, mask.shape)]),)
        for _ in range(50):
            row, column = draw_corner(mask.shape, CROP, places, rng)
            assert 0 <= row <= pixel[0] < row + CROP <= 64
            assert 0 <= column <= pixel[1] < column + CROP <= 96


def test_an_image_smaller_than_the_crop_lies_in_its_middle_and_what_is_outside_is_ignored(rng):
    image, mask = np.ones((16, 80), np.float32), np.ones((16, 80), np.uint8)
    corner = draw_corner(mask.shape, CROP, (), rng)
    assert corner[0] == -8
    found, labels = cut(image, mask, corner, CROP, margin=0)
    assert found.shape == labels.shape == (CROP, CROP)
    np.testing.assert_array_equal(labels[:8], 255)
    np.testing.assert_array_equal(labels[8:24], 1)
    np.testing.assert_array_equal(found != 0, labels == 1)


@pytest.mark.parametrize(
    "config",
    [
        Augmentation(rotation_deg=45, scale=0.3, shift=0.1),
        Augmentation(rotation_deg=180, scale=0, shift=0),
        Augmentation(rotation_deg=15, scale=0.2, shift=0.05, elastic=2.0),
    ],
)
def test_a_turned_crop_has_no_blank_corners_inside_the_image(rng, config):
    image, mask = rng.normal(size=(300, 300)).astype(np.float32), np.ones((300, 300), np.uint8)
    for _ in range(40):
        corner = (150 - CROP // 2, 150 - CROP // 2)
        larger = cut(image, mask, corner, CROP, config.margin(CROP))
        found, labels = augment(*larger, config, rng, CROP)
        assert found.shape == (CROP, CROP)
        assert (labels == 1).all()


def test_a_crop_that_is_not_varied_is_the_images_own(large):
    images, masks = augmented(large, np.zeros(6, np.int64), Augmentation.none(), seed=0, epoch=1, first=0)
    windows = np.lib.stride_tricks.sliding_window_view(large.images[0], (CROP, CROP))
    for image in images:
        assert (windows == image).all(axis=(2, 3)).any()
    assert set(np.unique(masks)) <= {0, 2}


def test_crops_depend_on_their_place_in_the_epoch_not_on_the_batch(large):
    indices = np.array([0, 1, 0, 1, 0])
    whole, _ = augmented(large, indices, Augmentation(), seed=0, epoch=1, first=0)
    rest, _ = augmented(large, indices[3:], Augmentation(), seed=0, epoch=1, first=3)
    np.testing.assert_array_equal(whole[3:], rest)
    other, _ = augmented(large, indices, Augmentation(), seed=0, epoch=2, first=0)
    assert not np.array_equal(whole, other)


def test_an_epoch_has_as_many_crops_as_cover_the_images(large):
    assert large.n_draws == 160 * 224 // CROP**2 + 128 * 96 // CROP**2


def test_prepared_tiles_keep_their_sizes_and_are_hashed_with_them(make_dataset):
    samples = make_dataset().samples
    prepared = prepare_images(samples, Preprocessing(view="tiles", size=CROP, downsampling=2))
    assert prepared.crop == CROP
    assert {image.shape for image in prepared.images} == {(32, 32)}
    assert {mask.shape for mask in prepared.masks} == {(32, 32)}


def test_tiles_are_judged_at_all_pixels_or_at_a_part_spread_over_them(large, monkeypatch):
    n_pixels = 160 * 224 + 128 * 96
    assert large.judged_masks.shape == (1, 1, n_pixels)
    monkeypatch.setattr(training_data, "JUDGED_PIXELS", 5000)
    assert 0.8 < large.judged_masks.size / 5000 <= 1.1
    shares = [np.mean(large.judged_masks == value) for value in (1, 2)]
    np.testing.assert_allclose(shares, [1600 / n_pixels, 120 / n_pixels], rtol=0.3)


@pytest.fixture
def tiles(make_dataset, split, config):
    """The images of discs side by side, 128 x 192 pixels, and crops of them."""
    samples = {sample.key: sample for sample in make_dataset().samples}

    def joined(keys):
        part = prepare_images([samples[key] for key in keys], Preprocessing(size=64))
        images, masks = (
            np.block([[arrays[0], arrays[1], arrays[2]], [arrays[3], arrays[0], arrays[2]]])
            for arrays in (part.images, part.masks)
        )
        return PreparedImages(("D1/" + keys[0], keys[1]), (images, images[:64]), (masks, masks[:64]), crop=64)

    data = training_data.TrainingData.of(
        joined(split.train), joined(split.validation), ("background", "ice"), new=[split.train[1]]
    )
    how = config.model_copy(update={"preprocessing": Preprocessing(view="tiles", size=64), "epochs": 8})
    return data, how.model_copy(update={"patience": 8, "draws_per_epoch": 12})


def test_training_on_crops_learns_whole_images_and_is_judged_on_every_pixel_of_them(spec, tiles, tmp_path):
    data, config = tiles
    receipt = fit_member(spec, data, config, tmp_path)
    outcome = read_outcome(FolderStore(tmp_path))
    assert receipt.val_iou > 0.5
    assert outcome.probabilities.shape == data.validation.judged_masks.shape == (1, 1, 128 * 192 + 64 * 192)
    mask, truth = outcome.probabilities >= 0.5, data.validation.judged_masks == 1
    assert receipt.val_iou == pytest.approx((mask & truth).sum() / (mask | truth).sum(), abs=5e-3)
    assert outcome.records[0].new_loss is not None


def test_training_on_squares_of_a_grid_learns_whole_images(spec, tiles, tmp_path):
    data, config = tiles
    train = data.train.patches(above=20)
    is_new = np.array([key == train.keys[0] for key in train.keys])
    receipt = fit_member(spec, replace(data, train=train, is_new=is_new), config, tmp_path)
    assert receipt.val_iou > 0.5
    assert read_outcome(FolderStore(tmp_path)).records[0].new_loss is not None


def test_an_image_seen_in_tiles_is_read_from_disk_at_its_own_resolution(make_dataset):
    dataset = make_dataset(n_images=1)
    sample = dataset.samples[0]
    label = np.asarray(Image.open(sample.mask_path))
    prepared = prepare_images([sample], Preprocessing(view="tiles", size=32))
    np.testing.assert_array_equal(prepared.masks[0], label)


@pytest.mark.parametrize(
    "entries", [{"encoder": "efficientnet-b0"}, {"encoder": "resnet18", "decoder": "deeplabv3plus"}]
)
def test_a_network_that_takes_means_over_its_whole_input_is_not_trained_for_tiles(entries):
    members = ({"encoder": "mobilenet_v2"}, entries)
    TrainingConfig(members=members)
    with pytest.raises(IcefloeError, match=r"takes means over its whole input.*Choose one of vgg19, .*U-Net"):
        TrainingConfig(members=members, preprocessing=Preprocessing(view="tiles"))
