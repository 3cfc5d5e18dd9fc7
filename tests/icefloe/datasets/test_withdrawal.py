from datetime import UTC, datetime

import numpy as np
import pytest

from icefloe.datasets.dataset import Dataset
from icefloe.datasets.label_history import HISTORY_FILE, add_labels, read_history
from icefloe.datasets.splits import SplitConfig, split_samples
from icefloe.datasets.withdrawal import labelled_by, withdraw, withdrawn_labels, withdrawn_mask
from icefloe.errors import IcefloeError

NOON = datetime(2025, 3, 4, 12, tzinfo=UTC)
LATER = datetime(2025, 3, 5, 9, tzinfo=UTC)


def test_a_withdrawn_label_is_out_of_the_data_and_stays_in_the_history(make_dataset):
    dataset = make_dataset(labelled=range(0))
    mask = np.eye(48, 64, dtype=np.uint8)
    add_labels(dataset.path, {"stack_2": mask, "stack_3": mask}, "Ada", NOON, source="queue")
    (taken,) = withdraw(dataset.path, ["stack_3"], "Ben", 'ice, called "water"', LATER)
    again = Dataset.load(dataset.path)
    assert [sample.stem for sample in again.labelled] == ["stack_2"]
    assert (taken.key, taken.author, taken.labelled_at) == ("D1/stack_3", "Ada", NOON.isoformat())
    assert (taken.by, taken.at, taken.reason) == ("Ben", LATER.isoformat(), 'ice, called "water"')
    assert withdrawn_labels(dataset.path) == (taken,)
    assert [(r.stem, r.author, r.source) for r in read_history(dataset.path)] == [
        ("stack_2", "Ada", "queue"),
        ("stack_3", "Ada", "queue"),
        ("stack_3", "Ben", "withdrawn"),
    ]
    np.testing.assert_array_equal(withdrawn_mask(again.samples[2]), mask)


def test_a_label_that_came_with_the_data_can_be_withdrawn(make_dataset):
    dataset = make_dataset()
    (taken,) = withdraw(dataset.path, ["stack_1"], "Ben", "wrong image", LATER)
    assert (taken.author, taken.labelled_at) == (None, None)
    assert [record.source for record in read_history(dataset.path)] == ["dataset", "withdrawn"]


def test_an_image_that_is_labelled_again_has_a_label_of_its_own(make_dataset):
    dataset = make_dataset(labelled=range(0))
    mask = np.eye(48, 64, dtype=np.uint8)
    add_labels(dataset.path, {"stack_3": mask}, "Ada", NOON)
    (first,) = withdraw(dataset.path, ["stack_3"], "Ben", "wrong", LATER)
    again = add_labels(dataset.path, {"stack_3": 1 - mask}, "Cy", LATER.replace(hour=10))
    assert withdrawn_labels(dataset.path) == (first,)
    assert labelled_by(again, "Cy") == ("stack_3",)
    assert labelled_by(again, "Ada") == ()
    (second,) = withdraw(dataset.path, ["stack_3"], "Ben", "wrong again", LATER.replace(hour=11))
    assert second.author == "Cy"
    assert withdrawn_labels(dataset.path) == (first, second)


@pytest.mark.parametrize(
    ("stems", "message"),
    [
        (["stack_1", "stack_99"], r"D1/stack_99: no such image"),
        (["stack_1", "stack_9"], r"D1/stack_9: the image has no label\. "),
    ],
)
def test_what_has_no_label_is_refused_before_anything_is_changed(make_dataset, stems, message):
    dataset = make_dataset(labelled=range(3))
    with pytest.raises(IcefloeError, match=message):
        withdraw(dataset.path, stems, "Ben", "wrong")
    assert len(Dataset.load(dataset.path).labelled) == 3
    assert not (dataset.path / HISTORY_FILE).exists()


def test_a_second_time_the_message_tells_who_was_first(make_dataset):
    dataset = make_dataset()
    withdraw(dataset.path, ["stack_1"], "Ben", "wrong", LATER)
    with pytest.raises(IcefloeError, match=r"has no label; Ben withdrew its label at 2025-03-05T09"):
        withdraw(dataset.path, ["stack_1"], "Cy", "wrong")


def test_killed_before_the_mask_was_removed_it_is_withdrawn_once(make_dataset):
    dataset = make_dataset()
    mask_path, mask = dataset.samples[0].mask_path, dataset.samples[0].mask()
    content = mask_path.read_bytes()
    (first,) = withdraw(dataset.path, ["stack_1"], "Ben", "wrong", LATER)
    mask_path.write_bytes(content)  # as if the last step had not happened
    (again,) = withdraw(dataset.path, ["stack_1"], "Ben", "wrong", LATER.replace(hour=10))
    assert again == first
    assert not mask_path.exists()
    np.testing.assert_array_equal(withdrawn_mask(dataset.samples[0]), mask)


@pytest.mark.parametrize("folds", [0, 3])
def test_the_other_labels_keep_their_places_in_the_split(make_dataset, folds):
    dataset = make_dataset()
    config = SplitConfig(folds=folds)

    def places(of):
        split = split_samples([of], config)
        return {
            key: (split.side(key), split.fold_of.get(key)) for key in map("D1/stack_{}".format, range(1, 11))
        }

    before = places(dataset)
    gone = [key for key, place in before.items() if place != (None, None)][2]
    withdraw(dataset.path, [gone.partition("/")[2]], "Ben", "wrong", LATER)
    after = places(Dataset.load(dataset.path))
    assert after.pop(gone) == (None, None)
    before.pop(gone)
    assert after == before
