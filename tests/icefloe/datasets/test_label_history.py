from datetime import UTC, datetime

import numpy as np
import pytest

from icefloe.datasets.dataset import Dataset
from icefloe.datasets.label_history import add_labels, label_batches, read_history
from icefloe.datasets.label_origin import UNTOLD, Making, Origin
from icefloe.errors import IcefloeError

NOON = datetime(2025, 3, 4, 12, tzinfo=UTC)


def test_added_labels_are_on_disk_with_author_time_and_seconds(make_dataset):
    dataset = make_dataset(labelled=range(0))
    masks = {f"stack_{k}": np.eye(48, 64, dtype=np.uint8) for k in (2, 3)}
    again = add_labels(dataset.path, masks, "Ada", NOON, source="queue", seconds={"stack_3": 61.5})
    assert [sample.stem for sample in again.labelled] == ["stack_2", "stack_3"]
    np.testing.assert_array_equal(again.samples[1].mask(), np.eye(48, 64))
    assert (dataset.path / "labels.csv").read_text() == (
        "stem,author,time,source,seconds\n"
        "stack_2,Ada,2025-03-04T12:00:00+00:00,queue,\n"
        "stack_3,Ada,2025-03-04T12:00:00+00:00,queue,61.5\n"
    )


def test_one_bad_mask_among_several_leaves_nothing_written(make_dataset):
    dataset = make_dataset(labelled=range(0))
    masks = {"stack_1": np.zeros((48, 64), np.uint8), "stack_2": np.zeros((4, 4), np.uint8)}
    with pytest.raises(IcefloeError, match=r"stack_2\.png: mask is 4x4 but the image is 64x48"):
        add_labels(dataset.path, masks, "Ada")
    assert not Dataset.load(dataset.path).labelled
    assert not (dataset.path / "labels.csv").exists()


@pytest.mark.parametrize(
    ("masks", "message"),
    [({}, "no labels to add"), ({"stack_99": np.zeros((48, 64), np.uint8)}, "a label for 'stack_99'")],
)
def test_labels_of_nothing_are_refused(make_dataset, masks, message):
    with pytest.raises(IcefloeError, match=message):
        add_labels(make_dataset().path, masks, "Ada")


def test_labelling_again_replaces_the_mask_and_keeps_both_lines(make_dataset):
    dataset = make_dataset()
    for author, value in (("Ada", 0), ("Ben", 1)):
        add_labels(dataset.path, {"stack_1": np.full((48, 64), value, np.uint8)}, author, NOON)
    assert Dataset.load(dataset.path).samples[0].mask().all()
    records = [(record.author, record.source) for record in read_history(dataset.path)]
    assert records == [("", "dataset"), ("Ada", "import"), ("Ben", "import")]


def test_batches_are_by_first_label_so_that_labelling_again_moves_nothing(make_dataset):
    dataset = make_dataset(labelled=range(5))
    mask = np.zeros((48, 64), np.uint8)
    add_labels(dataset.path, {"stack_8": mask, "stack_9": mask}, "Ada", NOON)
    again = add_labels(dataset.path, {"stack_9": mask}, "Ben", NOON.replace(hour=13))
    batches = {time: [s.stem for s in batch] for time, batch in label_batches(again).items()}
    assert batches == {
        "": ["stack_1", "stack_2", "stack_3", "stack_4", "stack_5"],
        "2025-03-04T12:00:00+00:00": ["stack_8", "stack_9"],
    }


def test_how_a_label_came_about_is_read_back_as_it_was_written(make_dataset):
    dataset = make_dataset(labelled=range(0))
    mask = np.zeros((48, 64), np.uint8)
    making = Making(
        "2025-03-04T11:00:00Z", Origin("ab" * 32, "EA-T1", 'tool, "new"', "0.1.0"), "Ben and Eve", 0.5
    )
    add_labels(dataset.path, {"stack_1": mask, "stack_2": mask}, "Ada", NOON, making={"stack_2": making})
    assert [record.making for record in read_history(dataset.path)] == [UNTOLD, making]
    header, *_ = (dataset.path / "labels.csv").read_text().splitlines()
    assert header == (
        "stem,author,time,source,seconds,made,presegmentation,predicted_by,client,icefloe,others,agreement"
    )


def test_a_damaged_history_is_refused_with_its_line(make_dataset):
    dataset = make_dataset()
    (dataset.path / "labels.csv").write_text("stem,author,time,source,seconds\na,b,c,d,long\n")
    with pytest.raises(IcefloeError, match=r"labels\.csv: line 2: seconds is 'long'"):
        read_history(dataset.path)
    (dataset.path / "labels.csv").write_text("stem,author\n")
    with pytest.raises(IcefloeError, match="no column 'time'"):
        read_history(dataset.path)
    (dataset.path / "labels.csv").write_text("stem,author,time,source,seconds,agreement\na,b,c,d,,much\n")
    with pytest.raises(IcefloeError, match=r"labels\.csv: line 2: agreement is 'much'"):
        read_history(dataset.path)
