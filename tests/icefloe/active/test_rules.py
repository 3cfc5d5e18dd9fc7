"""The queue's decisions, each a function of plain values."""

from dataclasses import replace

import pytest

from icefloe.active.items import Item, Label, LeaseRecord, OutsideLabel, Purpose
from icefloe.active.rules import (
    check_lease_duration,
    check_lease_holds,
    check_reopening,
    check_skip_reason,
    refusal,
    same_submission,
)
from icefloe.errors import IcefloeError

ITEM = Item(
    id=1,
    dataset="D3",
    stem="stack_1",
    round="EA-T1",
    shape=(12, 16),
    classes=("background", "ice"),
    purpose=Purpose("random", 0.5, 1, "drawn"),
    state="waiting",
    has_presegmentation=False,
    label_id=None,
    data_version=None,
    leased_to=None,
    lease_expires=None,
)
ANN = LeaseRecord("ann's token", 1, "ann", 60.0, "expired")
BOB = LeaseRecord("bob's token", 1, "bob", 120.0)
SENT = OutsideLabel(1, "ann", b"png", 5.0, 100.0, "queue", ANN.token)
KEPT = Label(4, 1, "bob", 90.0, 5.0, "queue", b"png", None)


@pytest.mark.parametrize(
    ("changes", "last", "was_leased", "accepted", "expected"),
    [
        ({}, ANN, True, None, None),
        ({}, replace(ANN, ended=None), True, None, None),
        ({}, None, False, None, None),
        ({}, BOB, True, None, "the lease had expired and bob has leased the image since"),
        ({}, BOB, False, None, "bob is labelling the image until 1970-01-01T00:02:00Z"),
        ({}, replace(BOB, ended="released"), False, None, None),
        ({}, replace(BOB, labeler="ann"), False, None, None),
        ({"state": "skipped"}, ANN, True, None, "the image has been skipped already"),
        (
            {"state": "submitted", "label_id": 4},
            ANN,
            True,
            KEPT,
            "the image has been submitted already, labelled by bob",
        ),
    ],
)
def test_a_label_is_refused_only_where_somebody_else_was_given_the_image(
    changes, last, was_leased, accepted, expected
):
    assert refusal(replace(ITEM, **changes), SENT, last, was_leased, accepted) == expected


def test_a_label_sent_again_is_the_accepted_one_then_the_last_refused_one():
    refused = [replace(KEPT, id=number, refusal="late") for number in (5, 6)]
    accepted = replace(ITEM, state="submitted", label_id=4)

    assert same_submission(accepted, [KEPT, *refused]) == KEPT
    assert same_submission(ITEM, [KEPT, *refused]) == refused[-1]
    assert same_submission(ITEM, []) is None


def test_a_label_whose_image_was_reopened_may_be_handed_in_anew():
    assert same_submission(ITEM, [KEPT]) is None


def test_an_expired_lease_holds_until_somebody_else_has_the_image():
    check_lease_holds(ITEM, ANN.token, ANN)
    with pytest.raises(IcefloeError, match=r"bob has leased the image since. Lease another one."):
        check_lease_holds(ITEM, ANN.token, BOB)
    with pytest.raises(IcefloeError, match=r"the image is imported. Lease another one."):
        check_lease_holds(replace(ITEM, state="imported"), ANN.token, ANN)


@pytest.mark.parametrize("state", ["skipped", "submitted"])
def test_what_left_the_queue_is_reopened_unless_it_is_open_elsewhere(state):
    item = replace(ITEM, state=state)
    check_reopening(item, open_elsewhere=False)
    with pytest.raises(IcefloeError, match=r"D3/stack_1: is open in another round. Label it there."):
        check_reopening(item, open_elsewhere=True)


@pytest.mark.parametrize("state", ["waiting", "imported"])
def test_what_is_in_the_queue_or_in_the_data_is_not_reopened(state):
    with pytest.raises(IcefloeError, match=f"is {state} and can't be reopened. Queue it anew"):
        check_reopening(replace(ITEM, state=state), open_elsewhere=False)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_a_lease_has_a_beginning_and_an_end(seconds):
    with pytest.raises(IcefloeError, match=r"Give a positive number of seconds."):
        check_lease_duration(seconds)


def test_a_skipped_image_needs_a_reason():
    check_skip_reason("blurred")
    with pytest.raises(IcefloeError, match=r"needs a reason"):
        check_skip_reason(" \n")
