from datetime import UTC, datetime

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from icefloe.datasets.dataset import Dataset
from icefloe.datasets.label_history import add_labels
from icefloe.datasets.splits import Split, SplitConfig, split_samples, time_blocks

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
