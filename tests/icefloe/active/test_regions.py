"""Items that ask for regions of their image: what is kept of a label, and how it enters the data."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from icefloe.active.collect import collect
from icefloe.active.drafts import Drafts
from icefloe.active.items import NewItem, Purpose
from icefloe.active.queue import Queue
from icefloe.active.region import Region, limited
from icefloe.active.uploads import decode_png, encode_png
from icefloe.datasets import versions
from icefloe.datasets.dataset import Dataset
from icefloe.datasets.label_history import add_labels, read_history
from icefloe.datasets.withdrawal import labelled_by, withdraw
from icefloe.errors import IcefloeError
from icefloe.typing import IGNORE
from tests.icefloe.active.queued import SHAPE, mask, new_item, outside

LEFT, RIGHT = Region(1, 2, 5, 4), Region(6, 8, 3, 8)
LARGE = (96, 128)


def edges(shape: tuple[int, int]):
    height, width = shape
    return st.builds(
        Region,
        st.integers(0, height - 1),
        st.integers(0, width - 1),
        st.integers(1, height),
        st.integers(1, width),
    )


@given(st.lists(edges(SHAPE), max_size=4), st.sampled_from((0, IGNORE)))
def test_a_mask_keeps_what_is_in_any_region_and_nothing_else(regions, beyond):
    cut = limited(mask(), regions, beyond)
    for row, column in np.ndindex(SHAPE):
        within = any(
            one.top <= row < one.top + one.height and one.left <= column < one.left + one.width
            for one in regions
        )
        assert cut[row, column] == (mask()[row, column] if within or not regions else beyond)


def test_the_queue_keeps_regions_and_tells_them_in_its_history(queue: Queue):
    queue.add([new_item(regions=(LEFT, RIGHT)), new_item("stack_2", rank=2)])
    some, whole = queue.items()
    assert (some.regions, whole.regions) == ((LEFT, RIGHT), ())
    assert [event.detail.get("regions") for event in queue.history()] == [2, None]
    leased = queue.lease("ann")
    assert leased.item.regions == queue.lease_of(leased.token).item.regions == (LEFT, RIGHT)


@pytest.mark.parametrize(
    ("region", "where"),
    [
        (Region(-1, 0, 2, 2), "row -1, column 0 of 2x2 px"),
        (Region(0, 0, 0, 3), "row 0, column 0 of 3x0 px"),
        (Region(10, 0, 3, 2), "row 10, column 0 of 2x3 px"),
        (Region(0, 15, 2, 2), "row 0, column 15 of 2x2 px"),
    ],
)
def test_a_region_out_of_its_image_is_refused(queue: Queue, region: Region, where: str):
    with pytest.raises(IcefloeError, match=f"D3/stack_1: a region at {where} can't be in an image of 16x12"):
        queue.add([new_item(regions=(LEFT, region))])
    assert queue.items() == []


def test_what_is_painted_outside_the_regions_is_not_kept(queue: Queue):
    queue.add([new_item(regions=(LEFT, RIGHT)), new_item("stack_2", rank=2, regions=(LEFT,))])
    by_hand = queue.submit(queue.lease("ann"), encode_png(mask()), 9.0)
    np.testing.assert_array_equal(decode_png(by_hand.png), limited(mask(), (LEFT, RIGHT)))
    (imported,) = queue.submit_all([outside(2)])
    np.testing.assert_array_equal(decode_png(imported.png), limited(mask(), (LEFT,)))


def test_another_stroke_outside_the_regions_makes_no_other_label(queue: Queue):
    queue.add([new_item(regions=(LEFT,))])
    lease = queue.lease("ann")
    first = queue.submit(lease, encode_png(mask()), 9.0)
    assert queue.submit(lease, encode_png(limited(mask(), (LEFT,), 0)), 9.0) == first


def test_two_people_agree_by_what_is_in_the_regions(queue: Queue):
    queue.add([new_item(regions=(LEFT,), third_below=1.0)])
    queue.submit(queue.lease("ann"), encode_png(mask()), 9.0)
    queue.submit(queue.lease("bob"), encode_png(limited(mask(), (LEFT,), 0)), 9.0)
    (item,) = queue.items()
    assert (item.agreement, item.state) == (1.0, "submitted")


def test_a_draft_keeps_what_is_around_the_regions(queue: Queue):
    queue.add([new_item(regions=(LEFT,))])
    lease, drafts = queue.lease("ann"), Drafts(queue.database)
    drafts.save(lease, encode_png(mask()), 3.0, 0)
    np.testing.assert_array_equal(decode_png(drafts.read(1, "ann").png), mask())


@pytest.fixture
def workspace(queue: Queue, write_dataset, tmp_path: Path) -> Path:
    write_dataset(classes=("background", "ice"))
    folder = tmp_path / "workspace"
    versions.init_workspace(folder, "")
    versions.commit(folder, "images")
    return folder


def label(queue: Queue, labeler: str, round: str, drawn: np.ndarray, *regions: Region) -> None:
    purpose = Purpose("bald", 0.3, 1, "members disagree here")
    classes = ("background", "ice")
    queue.add([NewItem("D3", "stack_1", round, LARGE, classes, purpose, regions=regions)])
    queue.submit(queue.lease(labeler), encode_png(drawn), 30.0)


def test_regions_of_a_later_round_replace_their_own_pixels_and_leave_the_rest(queue, workspace):
    first, second = Region(10, 20, 40, 40), Region(30, 40, 40, 60)
    ones, zeros = np.ones(LARGE, np.uint8), np.zeros(LARGE, np.uint8)
    folder = workspace / "data" / "D3"

    label(queue, "ann", "EA-T1", ones, first)
    collect(queue, workspace)
    expected = np.where(first.mask(LARGE), 1, IGNORE)
    np.testing.assert_array_equal(Dataset.load(folder).labelled[0].mask(), expected)

    label(queue, "bob", "EA-T2", zeros, second)
    version = collect(queue, workspace).version
    expected = np.where(second.mask(LARGE), 0, expected)
    np.testing.assert_array_equal(Dataset.load(folder).labelled[0].mask(), expected)
    history = read_history(folder)
    assert [(line.author, line.making.regions) for line in history] == [
        ("ann", "10 20 40 40"),
        ("bob", "30 40 40 60"),
    ]
    assert [item.state for item in queue.items()] == ["imported", "imported"]
    assert queue.items()[1].data_version == version.rev


def test_a_collection_that_was_killed_before_its_commit_writes_regions_once(queue, workspace, monkeypatch):
    add_labels(workspace / "data" / "D3", {"stack_1": np.ones(LARGE, np.uint8)}, "cas", source="dataset")
    label(queue, "ann", "EA-T1", np.zeros(LARGE, np.uint8), Region(0, 0, 9, 9))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("icefloe.active.collect.commit", killed)
        with pytest.raises(KeyboardInterrupt):
            collect(queue, workspace)
    collect(queue, workspace)
    assert [line.author for line in read_history(workspace / "data" / "D3")] == ["cas", "ann"]
    written = Dataset.load(workspace / "data" / "D3").labelled[0].mask()
    np.testing.assert_array_equal(written, np.where(Region(0, 0, 9, 9).mask(LARGE), 0, 1))


def test_a_label_of_several_peoples_regions_is_found_and_withdrawn_by_any_of_them(queue, workspace):
    folder = workspace / "data" / "D3"
    for labeler, round, left in (("ann", "EA-T1", 0), ("bob", "EA-T2", 60)):
        label(queue, labeler, round, np.ones(LARGE, np.uint8), Region(0, left, 20, 20))
        collect(queue, workspace)
    dataset = Dataset.load(folder)
    assert labelled_by(dataset, "ann") == labelled_by(dataset, "bob") == ("stack_1",)

    (taken,) = withdraw(folder, ["stack_1"], "eve", "the wrong focus")
    assert taken.author == "ann and bob"
    assert not Dataset.load(folder).labelled

    label(queue, "cas", "EA-T3", np.zeros(LARGE, np.uint8), Region(40, 40, 9, 9))
    collect(queue, workspace)
    dataset = Dataset.load(folder)
    assert (labelled_by(dataset, "ann"), labelled_by(dataset, "cas")) == ((), ("stack_1",))
    expected = np.where(Region(40, 40, 9, 9).mask(LARGE), 0, IGNORE)
    np.testing.assert_array_equal(dataset.labelled[0].mask(), expected)


def test_a_label_of_the_whole_image_ends_what_others_had_of_it(queue, workspace):
    label(queue, "ann", "EA-T1", np.ones(LARGE, np.uint8), Region(0, 0, 20, 20))
    collect(queue, workspace)
    label(queue, "bob", "EA-T2", np.zeros(LARGE, np.uint8))
    collect(queue, workspace)
    dataset = Dataset.load(workspace / "data" / "D3")
    assert not dataset.labelled[0].mask().any()
    assert (labelled_by(dataset, "ann"), labelled_by(dataset, "bob")) == ((), ("stack_1",))
