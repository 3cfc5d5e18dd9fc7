"""What can be said of labels that can be compared, and what cannot be said yet."""

import numpy as np
import pytest

from icefloe.active.consistency import ArmLabels, Consistency, Pair, label_consistency
from icefloe.active.items import NewItem, Purpose
from icefloe.active.queue import Queue
from icefloe.active.uploads import encode_png

SHAPE = (12, 16)


def square(width: int) -> bytes:
    drawn = np.zeros(SHAPE, np.uint8)
    drawn[2:10, 2 : 2 + width] = 1
    return encode_png(drawn)


def found(aided: list[float], unaided: list[float], pairs: tuple[Pair, ...] = ()) -> Consistency:
    return Consistency(
        pairs=pairs,
        aided=ArmLabels(likeness=tuple(aided), seconds=(40.0, 50.0, 60.0)),
        unaided=ArmLabels(likeness=tuple(unaided), seconds=(100.0, 140.0)),
    )


def test_too_few_labels_decide_nothing_and_it_says_how_many_would():
    assert found([0.9] * 20, [0.9] * 3).sentence() == (
        "Whether the pre-segmentation pulls cannot be said from 20 images labelled with it and 3 without; "
        "5 more without it would decide."
    )
    assert "7 more with and 8 more without it would decide." in found([0.9], []).sentence()


def test_a_pull_is_told_with_its_interval_and_the_times():
    rng = np.random.default_rng(0)
    sentence = found(
        list(0.97 + 0.01 * rng.normal(size=9)), list(0.9 + 0.01 * rng.normal(size=10))
    ).sentence()
    assert sentence.startswith("The pre-segmentation pulls: labels agree with it by Dice 0.9")
    assert "9 and 10 images); in the median a label takes 50 s with it and 120 s without." in sentence


def test_what_is_not_decided_says_how_many_labels_would_or_how_little_it_can_be():
    near = found([0.9, 0.94] * 5, [0.89, 0.93] * 5)
    assert "is not decided: labels agree with it by Dice 0.920 if they begin with it" in near.sentence()
    assert near.sentence().endswith("; about 40 of each would decide.")
    same = [0.9, 0.92] * 5
    assert found(same, same).sentence().endswith("; if so, by no more than that.")


def test_no_comparison_has_nothing_to_say():
    nothing = Consistency(pairs=(), aided=ArmLabels(), unaided=ArmLabels())
    assert nothing.is_empty
    assert nothing.sentence() == ""


def test_the_queues_labels_are_compared_image_by_image(database):
    queue = Queue(database)
    purpose = Purpose("mean-uq", 0.03, 1, "members disagree")
    classes = ("background", "ice")

    def add(stem, **how):
        queue.add([NewItem("D3", stem, "EA-T1", SHAPE, classes, purpose, square(6), "EA-T1", **how)])
        return queue.items()[-1].id

    def label(item, who, width, seconds):
        queue.submit(queue.lease(who, item_id=item).token, square(width), seconds)

    one, plain = add("one", arm="with"), add("plain")
    both = add("both", arm="without", third_below=0.9)
    waiting = add("waiting", third_below=0.9)
    label(one, "ann", 6, 10)
    label(plain, "ann", 6, 10)
    for item in (both, waiting):
        label(item, "ann", 6, 20)
        label(item, "bob", 3, 40)
    label(both, "cem", 6, 500)
    result = label_consistency(queue)
    assert result.aided == ArmLabels(likeness=(1.0,), seconds=(10.0,))
    # The mean of both people's, and not what the third decided.
    assert result.unaided.likeness == (pytest.approx((1 + 2 / 3) / 2),)
    assert result.unaided.seconds == (30.0,)
    assert [(pair.image, pair.labelers, pair.decided_by) for pair in result.pairs] == [
        ("D3/both", ("ann", "bob"), "cem"),
        ("D3/waiting", ("ann", "bob"), None),
    ]
    assert result.sentence().startswith(
        "Two people labelled 2 images: mean Dice 0.667, lowest 0.667 (D3/both); 1 decided, and 1"
    )
