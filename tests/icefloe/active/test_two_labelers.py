"""Two people label an image without seeing each other's mask, and a third decides where they differ."""

import numpy as np
import pytest

from icefloe.active.consistency import label_consistency
from icefloe.active.items import NewItem, OutsideLabel, Purpose
from icefloe.active.origin import icefloe_version, sha256
from icefloe.active.queue import Queue
from icefloe.active.rules import StaleItemError
from icefloe.active.uploads import encode_png
from icefloe.datasets.label_origin import Origin
from icefloe.errors import ConflictError, IcefloeError, MissingError

SHAPE = (12, 16)


def square(columns: slice, value: int = 1) -> bytes:
    """Class `value` in rows 2 to 9 of some columns."""
    drawn = np.zeros(SHAPE, np.uint8)
    drawn[2:10, columns] = value
    return encode_png(drawn)


LEFT, WIDER, RIGHT = square(slice(2, 8)), square(slice(2, 9)), square(slice(8, 14))


def add(queue: Queue, stem: str = "a", **changes) -> int:
    fields = {
        "dataset": "D3",
        "stem": stem,
        "round": "EA-T1",
        "shape": SHAPE,
        "classes": ("background", "ice"),
        "purpose": Purpose("mean-uq", 0.03, 1, "members disagree"),
        "third_below": 0.8,
    }
    queue.add([NewItem(**fields | changes)])
    return queue.items()[-1].id


def label(queue: Queue, who: str, png: bytes, **how):
    return queue.submit(queue.lease(who).token, png, 60, **how)


def test_two_who_agree_make_the_firsts_mask_the_label_and_their_dice_is_kept(queue):
    item_id = add(queue)
    first = label(queue, "ann", LEFT)
    assert queue.labels() == []
    assert queue.status().sentence() == (
        "1 waiting, 0 being labelled, 0 labelled, 0 imported, 0 skipped; 0.0 min of labelling. "
        "Some wait for another person: 1 for a second labeler."
    )
    label(queue, "bob", WIDER)
    assert queue.labels() == [first]
    item = queue.item(item_id)
    assert item.agreement == pytest.approx(2 * 48 / (48 + 56))
    assert (item.state, item.labelers) == ("submitted", ("ann", "bob"))
    agreed = queue.history()[-1]
    assert (agreed.actor, agreed.what, agreed.detail["label"]) == ("icefloe", "agreed", first.id)


def test_the_same_person_is_not_asked_twice(queue):
    item_id = add(queue)
    label(queue, "ann", LEFT)
    assert queue.lease("ann") is None
    assert queue.lease("ann", item_id=item_id) is None
    with pytest.raises(IcefloeError, match="ann has labelled it, and it wants another person's eyes"):
        queue.submit_all([OutsideLabel(item_id, "ann", RIGHT, None, 5.0, "png", "import-1")])


def test_where_two_differ_a_third_decides_who_is_neither_of_them(queue):
    item_id = add(queue)
    one, other = label(queue, "ann", LEFT), label(queue, "bob", RIGHT)
    item = queue.item(item_id)
    assert (item.state, item.task, item.agreement) == ("waiting", "decide", 0.0)
    assert queue.labels() == []
    assert "another person: 1 for a third to decide." in queue.status().sentence()
    assert queue.lease("ann") is None
    assert queue.lease("bob") is None
    assert queue.pair(item_id) == (one, other)
    both = square(slice(2, 14))  # ann's where she has ice, bob's where he has
    decision = label(queue, "cem", both)
    assert queue.labels() == [decision]
    assert queue.item(item_id).label_id == decision.id
    assert [event.what for event in queue.history()] == [
        *("added", "leased", "submitted", "leased", "submitted"),
        *("disagreed", "leased", "submitted"),
    ]


def test_a_decision_is_made_of_the_two_masks(queue):
    item_id = add(queue)
    label(queue, "ann", LEFT)
    label(queue, "bob", RIGHT)
    lease = queue.lease("cem")
    with pytest.raises(ConflictError, match="in places this mask is neither's: decide between theirs"):
        queue.submit(lease.token, square(slice(0, 16)), 60)
    assert queue.item(item_id).state == "waiting"
    assert len(queue.refused_labels()) == 1


def test_no_mask_is_shown_before_both_are_in(queue):
    item_id = add(queue)
    with pytest.raises(MissingError, match="there are no two labels to compare"):
        queue.pair(item_id)
    label(queue, "ann", LEFT)
    with pytest.raises(MissingError, match="there are no two labels to compare"):
        queue.pair(item_id)


def test_sending_either_mask_twice_is_as_once(queue):
    add(queue)
    for who, png in (("ann", LEFT), ("bob", RIGHT)):
        lease = queue.lease(who)
        assert queue.submit(lease.token, png, 60) == queue.submit(lease.token, png, 60)
    assert len(queue.history()) == 6


def test_a_late_second_label_is_kept_beside(queue, clock):
    add(queue)
    label(queue, "ann", LEFT)
    late = queue.lease("bob", 60)
    clock.now += 60
    label(queue, "cem", RIGHT)
    with pytest.raises(ConflictError, match="the lease had expired and cem has leased the image since"):
        queue.submit(late.token, LEFT, 60)
    assert queue.item(1).labelers == ("ann", "cem")


def test_labels_from_files_are_first_and_second_too(queue):
    item_id = add(queue)
    queue.submit_all([OutsideLabel(item_id, "ann", LEFT, None, 5.0, "png", "import-1")])
    queue.submit_all([OutsideLabel(item_id, "bob", RIGHT, None, 5.0, "png", "import-2")])
    assert queue.item(item_id).labelers == ("ann", "bob")
    with pytest.raises(IcefloeError, match=r"decide between theirs. Nothing was imported"):
        queue.submit_all([OutsideLabel(item_id, "cem", square(slice(0, 16)), None, 5.0, "png", "import-3")])


def test_two_labels_of_one_image_in_one_import_are_compared_with_each_other(queue):
    item_id = add(queue)
    queue.submit_all(
        OutsideLabel(item_id, who, png, None, 5.0, "png", f"import-{who}")
        for who, png in (("ann", LEFT), ("bob", RIGHT))
    )
    assert (queue.item(item_id).agreement, queue.item(item_id).task) == (0.0, "decide")


def test_masks_that_ignore_everything_agree_only_with_their_like(queue):
    ignored = encode_png(np.full(SHAPE, 255, np.uint8))
    same, other = add(queue, "same"), add(queue, "other")
    for item_id, png in ((same, ignored), (other, LEFT)):
        for who, drawn in (("ann", ignored), ("bob", png)):
            queue.submit(queue.lease(who, item_id=item_id).token, drawn, 1)
    assert (queue.item(same).agreement, queue.item(other).agreement) == (1.0, 0.0)


def test_reopened_two_label_anew_but_a_skipped_one_goes_on_where_it_stood(queue):
    item_id = add(queue)
    label(queue, "ann", LEFT)
    queue.skip(queue.lease("bob").token, "I cannot tell")
    queue.reopen(item_id, "chief", "try")
    assert queue.item(item_id).labelers == ("ann",)
    label(queue, "bob", LEFT)
    queue.reopen(item_id, "chief", "the tip is missing")
    assert (queue.item(item_id).labelers, queue.item(item_id).agreement) == ((), None)
    assert queue.lease("ann") is not None


def test_where_nobody_else_is_there_an_operator_gives_an_image_a_mask_that_was_made(queue, clock):
    halfway, differing = add(queue, "halfway"), add(queue, "differing")
    for item_id, who, png in ((halfway, "ann", LEFT), (differing, "ann", LEFT), (differing, "bob", RIGHT)):
        queue.submit(queue.lease(who, item_id=item_id).token, png, 60)
    queue.settle(halfway, "ann", "chief", "nobody else is here")
    queue.settle(differing, "bob", "ann", "his border is right")
    assert {label.item_id: (label.labeler, label.png) for label in queue.labels()} == {
        halfway: ("ann", LEFT),
        differing: ("bob", RIGHT),
    }
    last = queue.history(differing)[-1]
    assert (last.what, last.actor, last.detail["reason"]) == ("settled", "ann", "his border is right")
    assert queue.lease("cem") is None
    (pair,) = label_consistency(queue).pairs
    assert (pair.image, pair.is_settled, pair.decided_by) == ("D3/differing", True, "ann")


def test_what_is_not_there_or_is_being_labelled_is_not_settled(queue, clock):
    item_id = add(queue)
    with pytest.raises(ConflictError, match="D3/a: ann has not labelled it, nobody did"):
        queue.settle(item_id, "ann", "chief", "why not")
    label(queue, "ann", LEFT)
    revision = queue.item(item_id).revision
    queue.lease("bob", seconds=60)
    with pytest.raises(ConflictError, match="bob is labelling it until"):
        queue.settle(item_id, "ann", "chief", "why not")
    clock.now += 61
    with pytest.raises(ConflictError, match="cem has not labelled it, ann did"):
        queue.settle(item_id, "cem", "chief", "why not")
    queue.settle(item_id, "ann", "chief", "bob has gone home")
    with pytest.raises(StaleItemError):
        queue.settle(item_id, "ann", "chief", "again", revision)
    with pytest.raises(ConflictError, match="is submitted, so nothing is to be settled"):
        queue.settle(item_id, "ann", "chief", "again")


def test_a_change_based_on_another_state_is_refused_with_the_present_one(queue):
    item_id = add(queue, third_below=None)
    queue.skip(queue.lease("ann").token, "blurred")
    revision = queue.item(item_id).revision
    queue.reopen(item_id, "chief", "look again", revision)
    with pytest.raises(StaleItemError) as error:
        queue.reopen(item_id, "chief", "look again", revision)
    assert str(error.value) == "D3/a: somebody has changed it since, it is waiting now. Look again."
    assert error.value.current.revision > revision


def test_a_label_knows_its_presegmentation_and_its_tools(queue):
    add(queue, "shown", presegmentation=LEFT, predicted_by="EA-T4", third_below=None)
    add(queue, "hidden", presegmentation=LEFT, predicted_by="EA-T4", arm="without", third_below=None)
    add(queue, "compared", presegmentation=LEFT, predicted_by="EA-T4", arm="with", third_below=None)
    shown, hidden, compared = (label(queue, "ann", WIDER, client="editor 12ab") for _ in range(3))
    made_with = {"client": "editor 12ab", "icefloe": icefloe_version()}
    assert shown.origin == Origin(sha256(queue.presegmentation(1)), "EA-T4", **made_with)
    assert hidden.origin == Origin(None, None, **made_with)
    assert compared.origin == shown.origin
    like = pytest.approx(2 * 48 / (48 + 56))
    assert (shown.likeness, hidden.likeness, compared.likeness) == (None, like, like)
    assert queue.labels() == [shown, hidden, compared]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"third_below": 1.2}, "D3/a: a Dice of 1.2 can't be. Give a number from 0 to 1."),
        ({"third_below": float("nan")}, "a Dice of nan can't be"),
        ({"arm": "without"}, "D3/a: has no pre-segmentation that labels could be compared with."),
    ],
)
def test_what_can_not_be_labelled_so_is_refused(queue, changes, message):
    with pytest.raises(IcefloeError, match=message):
        add(queue, **changes)
