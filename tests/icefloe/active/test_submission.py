"""Labels that are handed in: by a lease, late, from outside; none is lost, none is changed."""

import numpy as np
import pytest

from icefloe.active.uploads import decode_png, encode_png
from icefloe.errors import IcefloeError
from tests.icefloe.active.queued import PNG, mask, new_item, outside, rows, whats


def test_a_label_is_kept_with_its_author_time_and_seconds(queue, clock):
    queue.add([new_item()])
    lease = queue.lease("ann")
    clock.now += 170
    label = queue.submit(lease.token, PNG, 168.5)
    assert (label.labeler, label.seconds, label.time, label.refusal) == ("ann", 168.5, clock.now, None)
    np.testing.assert_array_equal(decode_png(label.png), mask())
    assert queue.labels() == [label]
    assert queue.status().seconds == 168.5


def test_submitting_twice_is_submitting_once(queue):
    queue.add([new_item()])
    lease = queue.lease("ann")
    first = queue.submit(lease.token, PNG, 1)
    assert queue.submit(lease.token, PNG, 1) == first
    assert whats(queue) == ["added", "leased", "submitted"]


def test_a_late_label_is_accepted_while_nobody_leased_the_image_since(queue, clock):
    queue.add([new_item()])
    lease = queue.lease("ann", 60)
    clock.now += 1000
    assert queue.status().waiting == 1
    assert queue.submit(lease.token, PNG, 900).refusal is None
    assert whats(queue) == ["added", "leased", "expired", "submitted"]


def test_a_late_label_is_refused_and_kept_when_somebody_leased_the_image_since(queue, clock):
    queue.add([new_item()])
    late = queue.lease("ann", 60)
    clock.now += 60
    queue.lease("bob", 60)
    for _ in range(2):
        with pytest.raises(IcefloeError) as error:
            queue.submit(late.token, PNG, 900)
        assert str(error.value) == (
            "D3/stack_1: the lease had expired and bob has leased the image since. Your label is kept beside."
        )
    (kept,) = queue.refused_labels()
    np.testing.assert_array_equal(decode_png(kept.png), mask())
    assert kept.labeler == "ann"
    assert queue.labels() == []
    assert whats(queue).count("refused") == 1


def test_a_second_label_of_one_lease_is_refused_and_kept(queue):
    queue.add([new_item()])
    lease = queue.lease("ann")
    first = queue.submit(lease.token, PNG, 1)
    with pytest.raises(
        IcefloeError, match=r"has been submitted already, labelled by ann. Your label is kept"
    ):
        queue.submit(lease.token, encode_png(mask() * 0), 1)
    assert queue.labels() == [first]
    assert len(queue.refused_labels()) == 1


def test_a_label_for_no_lease_is_refused(queue):
    with pytest.raises(IcefloeError, match=r"lease 'nonsense': no such lease. Lease an image first."):
        queue.submit("nonsense", PNG, 1)


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
def test_impossible_labelling_times_are_refused(queue, seconds):
    queue.add([new_item()])
    lease = queue.lease("ann")
    with pytest.raises(IcefloeError, match=r"of labelling can't be. Give seconds, 0 or more"):
        queue.submit(lease.token, PNG, seconds)
    with pytest.raises(IcefloeError, match=r"a lease of 0 s can't be"):
        queue.lease("ann", 0)


def test_a_bad_label_is_reopened_and_replaced_but_stays_on_record(queue):
    queue.add([new_item()])
    lease = queue.lease("ann")
    bad = queue.submit(lease.token, PNG, 1)
    queue.reopen(bad.item_id, "chief", "the tip is missing")
    good = queue.submit(queue.lease("bob").token, encode_png(mask() * 0), 1)
    assert queue.labels() == [good]
    assert whats(queue) == ["added", "leased", "submitted", "reopened", "leased", "submitted"]
    assert rows(queue, "SELECT count(*) FROM labels") == [(2,)]


def test_labels_from_outside_need_no_lease_and_enter_once(queue):
    queue.add([new_item()])
    first = queue.submit_all([outside(1)])
    assert queue.submit_all([outside(1)]) == first
    assert first[0].source == "labelme"
    assert first[0].time == 5.0


def test_labels_from_outside_enter_all_or_none(queue):
    queue.add([new_item("a"), new_item("b")])
    queue.lease("bob", 60)
    with pytest.raises(IcefloeError) as error:
        queue.submit_all([outside(2, token="x"), outside(1, token="y")])
    assert str(error.value) == (
        "D3/a: bob is labelling the image until 1970-01-12T13:47:40Z. "
        "Nothing was imported; leave this image out."
    )
    assert queue.labels() == []
    assert queue.refused_labels() == []


def test_the_leaseholder_may_label_in_another_tool(queue):
    queue.add([new_item()])
    queue.lease("ann")
    assert queue.submit_all([outside(1)])[0].refusal is None
    assert queue.status().leased == 0


def test_an_import_names_the_image_that_is_labelled_already(queue):
    queue.add([new_item()])
    queue.submit(queue.lease("bob").token, PNG, 1)
    with pytest.raises(IcefloeError, match=r"submitted already, labelled by bob. Nothing was imported"):
        queue.submit_all([outside(1)])


def test_imported_labels_are_marked_once(queue):
    queue.add([new_item()])
    queue.submit(queue.lease("ann").token, PNG, 1)
    labels = queue.labels()
    assert queue.mark_imported(labels, "rev1") == 1
    assert queue.mark_imported(labels, "rev2") == 0
    assert queue.items("imported")[0].data_version == "rev1"
    assert queue.labels("imported") == labels
    assert whats(queue)[-1] == "imported"
