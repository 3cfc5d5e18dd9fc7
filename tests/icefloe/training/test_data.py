from dataclasses import replace

import numpy as np
import pytest
import tifffile
from PIL import Image

from icefloe.datasets.dataset import Sample
from icefloe.datasets.splits import Split
from icefloe.errors import IcefloeError
from icefloe.imaging.preprocess import Preprocessing
from icefloe.training.data import prepare
from icefloe.training.identity import checkpoint_directory


def test_images_and_masks_are_on_the_models_grid_and_padding_is_ignored(make_dataset, split):
    (data,) = prepare([make_dataset()], split, Preprocessing(size=96), new_keys=["D1/image_3", "D9/other"])
    assert [image.shape for image in data.train.images] == [(96, 96)] * 8
    assert data.train.keys == split.train
    assert set(np.unique(data.validation.masks)) <= {0, 1, 255}
    assert list(np.flatnonzero(data.is_new)) == [3]


def test_the_hash_changes_with_any_pixel_label_or_key(data):
    def changed(part, **values):
        return replace(data, **{part: replace(getattr(data, part), **values)}).sha256

    images, masks = (tuple(a.copy() for a in part) for part in (data.train.images, data.validation.masks))
    images[3][5, 5] += 1e-3
    masks[0][0, 0] = 255
    hashes = {
        data.sha256,
        changed("train", images=images),
        changed("validation", masks=masks),
        changed("train", keys=(*data.train.keys[:-1], "D1/other")),
        replace(data, is_new=np.arange(8) == 2).sha256,
    }
    assert len(hashes) == 5


def test_images_are_taken_by_their_keys_in_the_order_asked_for(data):
    taken = data.train.take([data.train.keys[5], data.train.keys[2]])
    assert taken.keys == (data.train.keys[5], data.train.keys[2])
    np.testing.assert_array_equal(taken.images, [data.train.images[row] for row in (5, 2)])
    np.testing.assert_array_equal(taken.masks, [data.train.masks[row] for row in (5, 2)])


def test_an_empty_training_part_is_refused(make_dataset, split):
    with pytest.raises(IcefloeError, match=r"no training images. Label five or more"):
        prepare([make_dataset()], replace(split, train=()), Preprocessing(size=64))


def test_an_empty_validation_part_is_refused(make_dataset, split):
    with pytest.raises(IcefloeError, match=r"no validation images, so no member could be judged"):
        prepare([make_dataset()], replace(split, validation=()), Preprocessing(size=64))


def test_a_sample_that_no_dataset_has_is_named(make_dataset, split):
    with pytest.raises(IcefloeError, match=r"D1/gone: the split names it, but no dataset given has it"):
        prepare([make_dataset()], replace(split, validation=("D1/gone",)), Preprocessing(size=64))


def test_datasets_of_other_classes_are_refused(make_dataset):
    first, second = make_dataset("D1"), make_dataset("D2", classes=["background", "grain"])
    split = Split(("D1/image_0",), ("D2/image_1",), ())
    with pytest.raises(IcefloeError, match="D2: its classes are background, grain, but those of D1 are"):
        prepare([first, second], split, Preprocessing(size=64))


def test_masks_without_any_foreground_are_refused(make_dataset, split):
    dataset = make_dataset()
    for sample in dataset.samples:
        Image.fromarray(np.zeros((64, 64), np.uint8)).save(sample.mask_path)
    with pytest.raises(IcefloeError, match="No training mask has a pixel of ice"):
        prepare([dataset], split, Preprocessing(size=64))


def test_an_image_that_cannot_be_preprocessed_is_named(make_dataset, split):
    dataset = make_dataset()
    tifffile.imwrite(dataset.samples[0].image_path, np.zeros((64, 64), np.float32))
    with pytest.raises(IcefloeError, match=r"image_0\.tif: "):
        prepare([dataset], split, Preprocessing(size=64))


def test_a_checkpoint_belongs_to_one_configuration_of_one_member_on_one_set_of_data(config, spec, tmp_path):
    def directory(spec=spec, config=config, data="d", init=None):
        return checkpoint_directory(tmp_path, spec, config, data, init)

    other_members = config.model_copy(update={"members": (spec,), "members_per_gpu": 2})
    assert directory(config=other_members) == directory()
    others = {
        directory(),
        directory(spec=spec.model_copy(update={"seed": 5})),
        directory(config=config.model_copy(update={"seed": 5})),
        directory(config=config.for_retraining()),
        directory(data="e"),
        directory(init="f"),
    }
    assert len(others) == 6


def test_each_fold_is_validated_on_once_and_every_image_is_read_once(make_dataset, split, monkeypatch):
    dataset = make_dataset()
    keys = (*split.train, *split.validation)
    folds = (keys[::3], keys[1::3], keys[2::3])
    folded = Split(train=keys, validation=(), test=(), folds=folds, fold_guards=((), keys[:1], ()))
    read = []
    image = Sample.image
    monkeypatch.setattr(Sample, "image", lambda sample: read.append(sample.key) or image(sample))

    parts = prepare([dataset], folded, Preprocessing(size=64), new_keys=[keys[1]])

    assert sorted(read) == sorted(keys)
    assert [part.validation.keys for part in parts] == list(folds)
    for part in parts:
        assert not set(part.train.keys) & set(part.validation.keys)
        assert part.is_new.sum() == (keys[1] in part.train.keys)
    assert [len(part.train) for part in parts] == [8, 7, 8]
    assert len({part.sha256 for part in parts}) == 3


def test_folds_that_the_labels_do_not_fill_are_refused(make_dataset, split):
    folded = Split(
        train=split.train[:2], validation=(), test=(), folds=(split.train[:2], ()), fold_guards=((), ())
    )
    with pytest.raises(IcefloeError, match=r"2 labelled images do not fill 2 folds.*set split\.folds lower"):
        prepare([make_dataset()], folded, Preprocessing(size=64))


FOLDS = Split(
    tuple(f"D1/image_{n}" for n in range(12)),
    (),
    (),
    folds=tuple(tuple(f"D1/image_{n}" for n in range(first, 12, 3)) for first in range(3)),
    fold_guards=((), (), ()),
)


def test_training_sees_the_squares_with_enough_foreground_and_validation_whole_images(make_dataset, split):
    dataset = make_dataset()
    recipe = Preprocessing(view="tiles", size=32, patches_above=60)
    (data,) = prepare([dataset], split, recipe, new_keys=["D1/image_3"])
    kept = [
        (sample.key, top, left)
        for sample in dataset.samples
        if sample.key in split.train
        for top in (0, 32)
        for left in (0, 32)
        if np.count_nonzero(sample.mask()[top : top + 32, left : left + 32]) > 60
    ]
    assert 8 < len(kept) < 32
    assert sorted(data.train.keys) == sorted(key for key, _, _ in kept)
    assert {image.shape for image in data.train.images} == {(32, 32)}
    assert min(np.count_nonzero(mask) for mask in data.train.masks) > 60
    assert data.is_new.tolist() == [key == "D1/image_3" for key in data.train.keys]
    assert {image.shape for image in data.validation.images} == {(64, 64)}


def test_all_patches_of_an_image_are_in_one_fold(make_dataset):
    parts = prepare([make_dataset()], FOLDS, Preprocessing(view="tiles", size=32, patches_above=10))
    for fold, part in zip(FOLDS.folds, parts, strict=True):
        assert len(part.train) > 8
        assert set(part.validation.keys) == set(fold)
        assert not set(part.train.keys) & set(fold)


def test_patches_are_taken_together_by_the_key_of_their_image(make_dataset, split):
    (data,) = prepare([make_dataset()], split, Preprocessing(view="tiles", size=32, patches_above=10))
    key = data.train.keys[0]
    taken = data.train.take([key, key])
    assert len(taken) == data.train.keys.count(key) > 1
    np.testing.assert_array_equal(taken.images, data.train.images[: len(taken)])


def test_a_grid_without_enough_foreground_is_refused(make_dataset, split):
    recipe = Preprocessing(view="tiles", size=32, patches_above=1024)
    with pytest.raises(IcefloeError, match="No square of 32 px has more than 1024 labelled pixels"):
        prepare([make_dataset()], split, recipe)
