"""Withdrawing labels from a workspace with a queue: git, DVC and the database are real."""

from datetime import UTC, datetime

import numpy as np
import pytest
import tifffile

from icefloe.active.items import NewItem, Purpose
from icefloe.active.queue import open_queue
from icefloe.active.uploads import encode_png
from icefloe.datasets.dataset import Dataset, DatasetInfo
from icefloe.datasets.label_history import add_labels
from icefloe.datasets.versions import commit, current_version, diff, init_workspace, is_clean
from icefloe.errors import IcefloeError
from icefloe.settings import load_settings
from icefloe.workflow.labels import collect_labels
from icefloe.workflow.withdrawal import withdraw_labels, withdrawn_so_far
from tests.stores import new_store

MASK = np.eye(32, dtype=np.uint8)
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
WHY = {"reason": "water was drawn", "by": "Ben"}


@pytest.fixture
def settings(tmp_path):
    """A workspace: D3 with six images, two of which Ada labelled and one Cy."""
    workspace = tmp_path / "workspace"
    init_workspace(workspace, "")
    folder = workspace / "data" / "D3"
    (folder / "images").mkdir(parents=True)
    for number in range(6):
        image = np.full((32, 32), 100 * number, np.uint16)
        tifffile.imwrite(folder / "images" / f"stack_{number}.tif", image)
    DatasetInfo(name="D3", experiment="D3").save(folder)
    add_labels(folder, {"stack_0": MASK, "stack_1": MASK}, "Ada", NOON)
    add_labels(folder, {"stack_2": MASK}, "Cy", NOON)
    commit(workspace, "three labels")
    settings = load_settings(workspace)
    new_store(settings.state)
    return settings


def queued(settings, *stems):
    purpose = Purpose("random", 0.5, 1, "drawn at random")
    queue = open_queue(settings)
    queue.add(NewItem("D3", stem, "EA-T1", (32, 32), ("background", "ice"), purpose) for stem in stems)
    return queue


def submitted(queue, labeler, stem):
    (item,) = [item for item in queue.items("waiting") if item.stem == stem]
    queue.submit(queue.lease(labeler, item_id=item.id), encode_png(MASK), 10.0)
    return item.id


def labelled(settings):
    return [sample.stem for sample in Dataset.load(settings.data / "D3").labelled]


def test_the_label_of_an_image_leaves_the_data_as_a_new_version(settings):
    before = current_version(settings.workspace)

    found = withdraw_labels(settings, ["D3/stack_1"], **WHY)

    assert labelled(settings) == ["stack_0", "stack_2"]
    assert is_clean(settings.workspace)
    assert found.version.is_new
    change = diff(settings.workspace, before.rev, found.version.rev)
    assert (change.labels_removed, change.labels_added, change.labels_changed) == (("D3/stack_1",), (), ())
    assert found.sentence() == (
        f"1 label withdrawn, data version {found.version.rev[:10]}: D3/stack_1. No version was trained."
    )
    (row,) = withdrawn_so_far(settings).table().rows
    assert (*row[:3], *row[4:]) == ("D3/stack_1", "Ada", "Ben", "water was drawn", "none")


def test_all_labels_of_a_person_go_and_those_in_the_queue_wait_there_again(settings):
    queue = queued(settings, "stack_3", "stack_4", "stack_5")
    collected = submitted(queue, "Ada", "stack_3")
    collect_labels(settings)
    uncollected, others = submitted(queue, "Ada", "stack_4"), submitted(queue, "Cy", "stack_5")

    found = withdraw_labels(settings, labeler="Ada", **WHY)

    assert [label.key for label in found.labels] == ["D3/stack_0", "D3/stack_1", "D3/stack_3"]
    assert found.reopened == ("D3/stack_4",)
    assert labelled(settings) == ["stack_2"]
    states = {item.id: item.state for item in queue.items()}
    assert states == {collected: "imported", uncollected: "waiting", others: "submitted"}
    last = {event.item_id: (event.actor, event.what, event.detail) for event in queue.history()}
    assert last[collected] == ("Ben", "withdrawn", {"reason": "water was drawn"})
    assert last[uncollected] == ("Ben", "reopened", {"reason": "water was drawn"})
    assert last[others][1] == "submitted"
    assert len(queue.labels("imported")) == 1  # nothing is erased


def test_a_label_that_is_only_in_the_queue_needs_no_data_version(settings):
    before = current_version(settings.workspace).rev
    item = submitted(queued(settings, "stack_3"), "Ada", "stack_3")

    found = withdraw_labels(settings, ["D3/stack_3"], **WHY)

    assert found.version is None
    assert current_version(settings.workspace).rev == before
    assert open_queue(settings).item(item).state == "waiting"
    assert found.sentence() == "1 label not in the data yet; the images wait in the queue again: D3/stack_3."


def test_an_image_can_be_labelled_again_and_the_earlier_label_stays_withdrawn(settings):
    withdraw_labels(settings, ["D3/stack_1"], **WHY)
    submitted(queued(settings, "stack_1"), "Dan", "stack_1")
    collect_labels(settings)
    assert labelled(settings) == ["stack_0", "stack_1", "stack_2"]
    assert [label.author for label in withdrawn_so_far(settings).labels] == ["Ada"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"keys": ["D3/stack_1", "D9/stack_1"]}, r"D9/stack_1: no such image\. Name one as DATASET/IMAGE"),
        ({"keys": ["D3/stack_1", "D3/stack_5"]}, r"D3/stack_5: the image has no label\."),
        ({"labeler": "Eve"}, r"Eve: no label now is theirs\."),
        ({}, r"Which labels\?"),
        ({"keys": ["D3/stack_1"], "labeler": "Ada"}, r"Which labels\?"),
        ({"keys": ["D3/stack_1"], "reason": " "}, r"needs a reason\."),
    ],
)
def test_what_cannot_be_meant_is_refused_and_nothing_is_changed(settings, asked, message):
    before = current_version(settings.workspace)
    with pytest.raises(IcefloeError, match=message):
        withdraw_labels(settings, **{**WHY, **asked})
    assert labelled(settings) == ["stack_0", "stack_1", "stack_2"]
    assert current_version(settings.workspace) == before
    assert is_clean(settings.workspace)
