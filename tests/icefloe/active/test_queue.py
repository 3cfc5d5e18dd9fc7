"""The queue: one labeler an image, in which order, and what the database itself refuses."""

import pytest
from sqlalchemy.exc import IntegrityError

from icefloe.active.items import Purpose
from icefloe.active.storage import items_table
from icefloe.active.uploads import encode_png
from icefloe.database.open import open_url
from icefloe.database.url import sqlite_url
from icefloe.errors import IcefloeError
from tests.icefloe.active.queued import PNG, SHAPE, mask, new_item, rows, whats


def test_an_item_keeps_why_it_was_chosen_and_its_presegmentation(queue):
    queue.add([new_item(presegmentation=PNG)])
    item = queue.items()[0]
    assert item.key == "D3/stack_1"
    assert item.purpose == new_item().purpose
    assert item.shape == SHAPE
    assert item.classes == ("background", "ice")
    assert item.to_dict()["reason"].startswith("mean uncertainty")
    assert queue.presegmentation(item.id) == PNG


def test_adding_twice_queues_once(queue):
    assert queue.add([new_item("a"), new_item("b")]) == 2
    assert queue.add([new_item("a"), new_item("c")]) == 1
    assert whats(queue) == ["added"] * 3


def test_an_image_open_in_one_round_is_not_queued_in_the_next(queue):
    queue.add([new_item()])
    assert queue.add([new_item(round="EA-T2")]) == 0


def test_an_imported_image_can_be_queued_in_a_later_round(queue):
    queue.add([new_item()])
    queue.submit(queue.lease("ann").token, PNG, 1)
    queue.mark_imported(queue.labels(), "rev1")
    assert queue.add([new_item()]) == 0
    assert queue.add([new_item(round="EA-T2")]) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stem": "../../etc/passwd"}, "image '../../etc/passwd': the name holds a slash"),
        ({"dataset": "a/b"}, "dataset 'a/b': the name holds a slash"),
        ({"dataset": ".."}, "the name starts with a dot"),
        ({"stem": ""}, "a name can't be empty"),
        ({"stem": "x" * 201}, "the name is 201 bytes long"),
        ({"stem": "a\nb"}, "the name holds a control character"),
        ({"round": "a\0b"}, "the name holds a control character"),
        ({"shape": (0, 5)}, "D3/stack_1: can't be queued with shape (0, 5)"),
        ({"classes": ("ice",)}, "classes ['ice']"),
        ({"purpose": Purpose("mean-uq", float("nan"), 1, "")}, "score nan"),
        (
            {"presegmentation": b"junk"},
            "D3/stack_1: pre-segmentation: the mask is not a PNG. Export it as PNG.",
        ),
        ({"presegmentation": encode_png(mask(7))}, "unknown classes (values 7)"),
    ],
)
def test_an_unfit_item_is_refused_and_none_is_queued(queue, changes, message):
    with pytest.raises(IcefloeError) as error:
        queue.add([new_item("good"), new_item(**changes)])
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert queue.items() == []


def test_the_best_ranked_of_the_oldest_round_is_leased_first(queue):
    queue.add([new_item("late", rank=2), new_item("early", rank=1)])
    queue.add([new_item("next", round="EA-T2", rank=1)])
    assert [queue.lease("ann").item.stem for _ in range(3)] == ["early", "late", "next"]
    assert queue.lease("ann") is None


def test_a_round_is_as_old_as_its_first_image_even_if_that_is_labelled(queue):
    queue.add([new_item("a", round="late")])
    queue.add([new_item("b", round="early", rank=1)])
    queue.submit(queue.lease("ann").token, PNG, 1.0)
    queue.add([new_item("c", round="late", rank=9)])
    assert [queue.lease("ann").item.stem for _ in range(2)] == ["c", "b"]
    assert queue.lease("ann") is None


def test_the_next_image_is_found_by_index_however_many_wait(tmp_path):
    database = open_url(sqlite_url(tmp_path / "queue.db"))
    with database.reading() as connection:
        statement = items_table._NEXT.compile(connection)
        values = {**statement.params, "now": 0.0, "labeler": "ann"}
        plan = connection.exec_driver_sql(
            f"EXPLAIN QUERY PLAN {statement}", tuple(values[name] for name in statement.positiontup)
        )
        steps = [row.detail for row in plan]
    assert [step for step in steps if step.startswith(("SCAN items", "SCAN labels"))] == []
    assert any("items_waiting (round=?)" in step for step in steps)
    database.close()


def test_a_lease_can_be_asked_for_one_dataset(queue):
    queue.add([new_item(), new_item(dataset="D4")])
    assert queue.lease("ann", dataset="D4").item.key == "D4/stack_1"
    assert queue.lease("ann", dataset="D4") is None


def test_an_expired_lease_returns_the_image(queue, clock):
    queue.add([new_item()])
    queue.lease("ann", 60)
    assert queue.lease("bob") is None
    clock.now += 60
    assert queue.status().waiting == 1
    assert queue.lease("bob").labeler == "bob"
    assert whats(queue) == ["added", "leased", "expired", "leased"]


def test_a_renewed_lease_runs_on(queue, clock):
    queue.add([new_item()])
    lease = queue.lease("ann", 60)
    clock.now += 50
    assert queue.renew(lease.token, 60).expires == clock.now + 60
    clock.now += 50
    assert queue.lease("bob") is None


def test_an_expired_lease_is_renewed_unless_somebody_leased_the_image(queue, clock):
    queue.add([new_item()])
    lease = queue.lease("ann", 60)
    clock.now += 100
    queue.renew(lease.token, 60)
    clock.now += 100
    queue.lease("bob", 60)
    with pytest.raises(
        IcefloeError, match=r"D3/stack_1: the lease had expired and bob has leased the image since"
    ):
        queue.renew(lease.token)


def test_a_released_image_goes_to_the_next_labeler(queue):
    queue.add([new_item()])
    lease = queue.lease("ann")
    queue.release(lease.token)
    queue.release(lease.token)
    assert queue.lease("bob") is not None
    assert whats(queue) == ["added", "leased", "released", "leased"]


def test_running_leases_are_found_again(queue, clock):
    queue.add([new_item("a"), new_item("b")])
    first, second = queue.lease("ann", 60), queue.lease("ann", 120)
    assert queue.leases("ann") == [first, second]
    clock.now += 60
    assert [lease.token for lease in queue.leases("ann")] == [second.token]
    assert queue.leases("bob") == []


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 500, None])
def test_a_labeler_needs_a_name(queue, name):
    with pytest.raises(IcefloeError, match=r"author .*: not a name. Say who made the label."):
        queue.lease(name)


def test_a_skipped_image_leaves_the_queue_until_it_is_reopened(queue):
    queue.add([new_item()])
    lease = queue.lease("ann")
    with pytest.raises(IcefloeError, match=r"needs a reason"):
        queue.skip(lease.token, " ")
    queue.skip(lease.token, "the crystal left the field of view")
    assert queue.lease("bob") is None
    assert queue.status().skipped == 1
    assert queue.history()[-1].detail == {"reason": "the crystal left the field of view"}
    with pytest.raises(IcefloeError, match=r"D3/stack_1: the image is skipped. Lease another one."):
        queue.skip(lease.token, "again")
    queue.reopen(queue.items()[0].id, "chief", "it is still there")
    assert queue.lease("bob") is not None


def test_a_waiting_or_imported_item_is_not_reopened(queue):
    queue.add([new_item()])
    with pytest.raises(IcefloeError, match=r"D3/stack_1: is waiting and can't be reopened"):
        queue.reopen(1, "chief", "why not")


def test_an_image_skipped_once_and_open_in_a_later_round_is_not_reopened(queue):
    queue.add([new_item()])
    queue.skip(queue.lease("ann").token, "blurred")
    queue.add([new_item(round="EA-T2")])
    with pytest.raises(IcefloeError, match=r"D3/stack_1: is open in another round"):
        queue.reopen(1, "chief", "not that blurred")


def test_the_history_and_the_labels_can_not_be_changed(queue):
    queue.add([new_item()])
    queue.submit(queue.lease("ann").token, PNG, 1)
    for statement, message in {
        "UPDATE events SET actor = 'eve'": "the history is append-only",
        "DELETE FROM events": "the history is append-only",
        "UPDATE labels SET labeler = 'eve'": "labels are never changed",
        "DELETE FROM labels": "labels are never removed",
    }.items():
        with pytest.raises(IntegrityError, match=message):
            rows(queue, statement)


def test_the_database_itself_refuses_a_second_running_lease(queue):
    queue.add([new_item()])
    queue.lease("ann")
    with pytest.raises(IntegrityError, match=r"UNIQUE|one_lease_an_item"):
        rows(queue, "INSERT INTO leases (token, item, labeler, expires) VALUES ('x', 1, 'eve', 9e9)")
