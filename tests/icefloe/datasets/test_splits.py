from datetime import UTC, datetime

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from icefloe.datasets.dataset import Dataset
from icefloe.datasets.label_history import add_labels
from icefloe.datasets.splits import Split, SplitConfig, fold_blocks, split_samples, time_blocks

CONFIG = SplitConfig()
LETTER = {"train": "T", "validation": "V", "test": "S"}


def pattern(n_frames: int, config: SplitConfig = CONFIG) -> str:
    return "".join(LETTER[side] for side in time_blocks([1] * n_frames, config))


def test_ten_frames_are_six_two_two_and_interleaved():
    assert pattern(10) == "TVTSTTVTST"


def test_forty_frames_are_in_blocks_that_each_span_the_time_range():
    sides = pattern(40)
    assert (sides.count("T"), sides.count("V"), sides.count("S")) == (24, 8, 8)
    for side in "TVS":
        places = [place for place, letter in enumerate(sides) if letter == side]
        assert min(places) < 14
        assert max(places) > 26
    assert "SS" in sides


@given(
    st.lists(st.integers(1, 4), min_size=3, max_size=60),
    st.floats(0.05, 0.45),
    st.floats(0.05, 0.45),
    st.integers(1, 8),
)
def test_no_side_is_ever_empty(weights, validation, test, block):
    config = SplitConfig(validation_fraction=validation, test_fraction=test, block_frames=block)
    assert set(time_blocks(weights, config)) == {"train", "validation", "test"}


def test_every_labelled_sample_is_on_one_side_and_the_split_repeats(make_dataset):
    dataset = make_dataset(n_images=12, labelled=range(1, 11))
    split = split_samples([dataset], CONFIG)
    keys = [*split.train, *split.validation, *split.test, *split.guard]
    assert sorted(keys) == sorted(sample.key for sample in dataset.labelled)
    assert split == split_samples([Dataset.load(dataset.path)], CONFIG)
    assert Split.from_dict(split.to_dict()) == split
    assert {split.side(key) for key in split.test} == {"test"}
    assert split.side("D1/stack_1") is None


def test_few_labels_all_train(make_dataset):
    split = split_samples([make_dataset(labelled=range(4))], CONFIG)
    assert (len(split.train), split.validation, split.test) == (4, (), ())


def test_adding_datasets_and_labels_moves_no_sample(make_dataset):
    first = make_dataset("D1")
    third = make_dataset("D3", n_images=30, labelled=range(12))
    before = split_samples([first, third], CONFIG)
    mask = np.zeros((48, 64), np.uint8)
    for round_, stems in enumerate((["stack_20", "stack_25"], ["stack_15"], ["stack_1", "stack_29"])):
        time = datetime(2025, 1, 1 + round_, tzinfo=UTC)
        third = add_labels(third.path, dict.fromkeys(stems, mask), "Ada", time)
    after = split_samples([first, third, make_dataset("D4")], CONFIG)
    for key in (*before.train, *before.validation, *before.test):
        assert after.side(key) == before.side(key)
    for number in (15, 20, 25, 29):
        assert after.side(f"D3/stack_{number}") == "train"


def test_duplicates_are_on_one_side_within_and_across_datasets(make_dataset):
    first, second = make_dataset("D1"), make_dataset("D2")
    twin = tifffile.imread(first.samples[0].image_path)
    for target in (first.samples[3], second.samples[4], second.samples[8]):
        tifffile.imwrite(target.image_path, twin)
    split = split_samples([first, second], CONFIG)
    keys = ("D1/stack_1", "D1/stack_4", "D2/stack_5", "D2/stack_9")
    assert len({split.side(key) for key in keys}) == 1


def test_training_frames_next_to_a_test_block_are_left_out_where_frames_are_many(make_dataset):
    split = split_samples([make_dataset(n_images=30)], CONFIG)
    place = {f"D1/stack_{k}": k for k in range(1, 31)}
    assert split.guard
    assert min(abs(place[a] - place[b]) for a in split.train for b in split.test) == 2
    assert not split_samples([make_dataset("D2")], CONFIG).guard


def test_a_held_out_experiment_is_all_test(make_dataset):
    datasets = [make_dataset("D1"), make_dataset("D2", experiment="lens", labelled=range(3))]
    split = split_samples(datasets, SplitConfig(held_out_experiments=["lens"]))
    assert {key for key in split.test if key.startswith("D2/")} == {f"D2/stack_{k}" for k in (1, 2, 3)}


def test_fractions_that_leave_nothing_to_train_are_refused():
    with pytest.raises(ValidationError, match="leave nothing to train"):
        SplitConfig(validation_fraction=0.5, test_fraction=0.5)


def test_no_real_group_is_on_two_sides(ice):
    split = split_samples(ice, CONFIG)
    for pair in (("6", "9"), ("7", "12")):
        assert len({split.side(f"D2/stack_{stem}") for stem in pair}) == 1
    counts = [len([key for key in side if key.startswith("D1/")]) for side in (split.train, split.validation)]
    assert counts == [6, 2]
    assert all(any(key.startswith("D2/") for key in side) for side in (split.validation, split.test))


FOLDS = SplitConfig(folds=3)


@given(st.lists(st.floats(0, 1), max_size=60), st.integers(2, 7), st.integers(0, 99))
def test_folds_are_of_nearly_one_size_and_none_is_missing_where_units_allow(shares, n_folds, first):
    folds = fold_blocks(shares, n_folds, first)
    counts = [folds.count(fold) for fold in range(n_folds)]
    assert len(folds) == len(shares)
    assert max(counts) - min(counts) <= 2
    assert min(counts) >= (1 if len(shares) >= n_folds else 0)


def test_each_fold_comes_twice_and_no_more_often():
    assert fold_blocks([0.1] * 8, 3) == [0, 0, 1, 1, 2, 2, 1, 0]
    assert fold_blocks([0.1] * 5, 3, first=2) == [2, 2, 0, 0, 1]
    assert fold_blocks([0.1] * 36, 3) == [fold for fold in (0, 1, 2, 2, 1, 0) for _ in range(6)]


@given(st.permutations([0.08, 0.07, 0.06, 0.03, 0.02, 0.01]), st.integers(0, 9))
def test_no_fold_has_two_of_the_largest_or_two_of_the_smallest(shares, first):
    folds = fold_blocks(shares, 3, first)
    largest = {fold for fold, share in zip(folds, shares, strict=True) if share > 0.05}
    smallest = {fold for fold, share in zip(folds, shares, strict=True) if share < 0.05}
    assert largest == smallest == {0, 1, 2}


def test_with_folds_every_image_that_is_not_tested_is_in_one_fold_and_trains_the_other_members(make_dataset):
    dataset = make_dataset(n_images=12, labelled=range(1, 11))
    split = split_samples([dataset], FOLDS)
    folded = [key for fold in split.folds for key in fold]
    assert sorted([*folded, *split.test]) == sorted(sample.key for sample in dataset.labelled)
    assert (sorted(split.train), split.validation) == (sorted(folded), ())
    assert sorted(map(len, split.folds)) == [2, 3, 3]
    for position in range(5):
        train, validation = split.of_member(position)
        assert validation == split.folds[position % 3]
        assert set(train) | set(validation) == set(folded)
        assert not set(train) & set(validation)
        assert {split.fold_of.get(key) for key in validation} == {position % 3}
    assert split.fold_of.get(split.test[0]) is None
    assert Split.from_dict(split.to_dict()) == split


def test_test_images_are_the_same_with_folds_and_without(make_dataset):
    dataset = make_dataset(n_images=30)
    assert split_samples([dataset], FOLDS).test == split_samples([dataset], CONFIG).test
    everything = split_samples([dataset], SplitConfig(folds=3, test_fraction=0))
    assert everything.test == ()
    assert sum(map(len, everything.folds)) == 30


def test_without_folds_all_members_are_alike(make_dataset):
    split = split_samples([make_dataset()], CONFIG)
    assert split.of_member(0) == split.of_member(4) == (split.train, split.validation)
    assert split.fold_of.get(split.train[0]) is None


def test_a_split_stored_before_there_were_folds_has_none():
    stored = {"train": ["D1/a", "D1/b"], "validation": ["D1/c"], "test": [], "guard": []}
    split = Split.from_dict(stored)
    assert split.folds == ()
    assert split.of_member(1) == (("D1/a", "D1/b"), ("D1/c",))


def test_few_labels_are_spread_over_the_folds(make_dataset):
    split = split_samples([make_dataset(labelled=range(4))], FOLDS)
    assert (split.test, sorted(map(len, split.folds))) == ((), [1, 1, 2])


def test_single_labels_of_several_datasets_are_not_all_in_one_fold(make_dataset):
    datasets = [make_dataset(f"D{number}", labelled=range(1)) for number in range(1, 7)]
    assert min(map(len, split_samples(datasets, FOLDS).folds)) >= 1


def test_adding_datasets_and_labels_moves_no_sample_to_another_fold(make_dataset):
    first = make_dataset("D2")
    third = make_dataset("D3", n_images=30, labelled=range(12))
    before = split_samples([first, third], FOLDS)
    mask = np.zeros((48, 64), np.uint8)
    added = (["stack_20", "stack_25"], ["stack_15"], ["stack_17", "stack_29"])
    for round_, stems in enumerate(added):
        time = datetime(2025, 1, 1 + round_, tzinfo=UTC)
        third = add_labels(third.path, dict.fromkeys(stems, mask), "Ada", time)
    after = split_samples([make_dataset("D1", labelled=range(3)), first, third, make_dataset("D4")], FOLDS)
    for key in (*before.train, *before.test):
        assert (after.side(key), after.fold_of.get(key)) == (before.side(key), before.fold_of.get(key))
    new = [after.fold_of.get(f"D3/{stem}") for stems in added for stem in stems]
    assert None not in new
    assert len({*new}) == 3


def test_duplicates_are_in_one_fold_within_and_across_datasets(make_dataset):
    first, second = make_dataset("D1"), make_dataset("D2")
    twin = tifffile.imread(first.samples[0].image_path)
    for target in (first.samples[3], second.samples[4], second.samples[8]):
        tifffile.imwrite(target.image_path, twin)
    split = split_samples([first, second], FOLDS)
    keys = ("D1/stack_1", "D1/stack_4", "D2/stack_5", "D2/stack_9")
    assert len({(split.side(key), split.fold_of.get(key)) for key in keys}) == 1


def test_a_member_does_not_train_on_frames_next_to_its_own_fold_where_frames_are_many(make_dataset):
    split = split_samples([make_dataset(n_images=30)], FOLDS)
    place = {f"D1/stack_{k}": k for k in range(1, 31)}
    for position in range(3):
        train, validation = split.of_member(position)
        assert train
        assert min(abs(place[a] - place[b]) for a in train for b in (*validation, *split.test)) == 2
    assert not any(split_samples([make_dataset("D2")], FOLDS).fold_guards)


def test_one_fold_is_refused():
    with pytest.raises(ValidationError, match="one fold leaves nothing to train"):
        SplitConfig(folds=1)
