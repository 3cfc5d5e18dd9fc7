"""The queue: one labeler an image, nothing lost, history that stays."""

import contextlib
import multiprocessing
import os
import signal
import time

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import IntegrityError

from icefloe.active.items import NewItem, OutsideLabel, Purpose
from icefloe.active.queue import Queue
from icefloe.active.storage import items_table
from icefloe.active.uploads import decode_png, encode_png
from icefloe.database.engine import Database
from icefloe.database.open import open_url
from icefloe.database.url import sqlite_url
from icefloe.errors import IcefloeError

SHAPE = (12, 16)
PROCESSES = multiprocessing.get_context("fork")  # spawn would have to import this file by name


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(database: Database, clock: Clock) -> Queue:
    return Queue(database, clock)


def new_item(stem: str = "stack_1", round: str = "EA-T1", rank: int = 1, **changes) -> NewItem:
    fields = {
        "dataset": "D3",
        "stem": stem,
        "round": round,
        "shape": SHAPE,
        "classes": ("background", "ice"),
        "purpose": Purpose("mean-uq", 0.031, rank, "mean uncertainty 0.031, rank 1 of 30 images"),
    }
    return NewItem(**{**fields, **changes})


def mask(value: int = 1) -> np.ndarray:
    drawn = np.zeros(SHAPE, np.uint8)
    drawn[2:9, 3:12] = value
    return drawn


PNG = encode_png(mask())


def outside(item_id: int, labeler: str = "ann", token: str = "import-1", png: bytes = PNG) -> OutsideLabel:
    return OutsideLabel(item_id, labeler, png, 60.0, 5.0, "labelme", token)


def rows(queue: Queue, statement: str) -> list[tuple]:
    """What raw SQL, past all of the queue's rules, gets from its database."""
    with queue.database.writing() as connection:
        result = connection.exec_driver_sql(statement)
        return [tuple(row) for row in result] if result.returns_rows else []


def whats(queue: Queue) -> list[str]:
    return [event.what for event in queue.history()]


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


def test_a_bad_label_is_reopened_and_replaced_but_stays_on_record(queue):
    queue.add([new_item()])
    lease = queue.lease("ann")
    bad = queue.submit(lease.token, PNG, 1)
    queue.reopen(bad.item_id, "chief", "the tip is missing")
    good = queue.submit(queue.lease("bob").token, encode_png(mask() * 0), 1)
    assert queue.labels() == [good]
    assert whats(queue) == ["added", "leased", "submitted", "reopened", "leased", "submitted"]
    assert rows(queue, "SELECT count(*) FROM labels") == [(2,)]


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


def _label_everything(url: URL, name: str, start, leased) -> None:
    queue = Queue(open_url(url))
    start.wait()
    while (lease := queue.lease(name)) is not None:
        leased.put((lease.item.stem, name))
        queue.submit(lease.token, PNG, 1.0)


def test_labelers_in_many_processes_never_get_one_image_twice(new_url):
    url = new_url()  # each process makes the queue, too
    stems = {f"stack_{number}" for number in range(40)}
    start, leased = PROCESSES.Event(), PROCESSES.Queue()
    workers = [
        PROCESSES.Process(target=_label_everything, args=(url, f"labeler {number}", start, leased))
        for number in range(4)
    ]
    for worker in workers:
        worker.start()
    queue = Queue(open_url(url))
    queue.add([new_item(stem) for stem in stems])
    start.set()
    handed = [leased.get(timeout=60)[0] for _ in stems]
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert leased.empty()
    assert sorted(handed) == sorted(stems)
    assert queue.status().submitted == len(stems)
    queue.database.close()


def _submit_until_killed(url: URL, acknowledged) -> None:
    queue = Queue(open_url(url))
    while (lease := queue.lease("ann")) is not None:
        queue.submit(lease.token, PNG, 1.0)
        acknowledged.send(lease.item.stem)


def test_a_labeler_killed_at_any_moment_loses_no_acknowledged_label(new_url):
    url = new_url()
    queue = Queue(open_url(url))
    queue.add([new_item(f"stack_{number}") for number in range(3000)])
    here, there = PROCESSES.Pipe()
    worker = PROCESSES.Process(target=_submit_until_killed, args=(url, there))
    worker.start()
    there.close()
    acknowledged = [here.recv() for _ in range(5)]
    time.sleep(0.05)
    os.kill(worker.pid, signal.SIGKILL)
    worker.join(30)
    with contextlib.suppress(EOFError):
        while True:
            acknowledged.append(here.recv())
    submitted = {item.stem for item in queue.items("submitted")}
    assert set(acknowledged) <= submitted
    assert len(submitted) <= len(acknowledged) + 1
    assert len(queue.labels()) == len(submitted)
    if url.drivername == "sqlite":
        assert rows(queue, "PRAGMA integrity_check") == [("ok",)]
    queue.database.close()


class QueueHistory(RuleBasedStateMachine):
    """Any order of calls by two labelers, against the rules that must always hold."""

    def __init__(self, url: URL) -> None:
        super().__init__()
        self.clock = Clock()
        self.queue = Queue(open_url(url), self.clock)
        self.queue.add([new_item("a"), new_item("b", rank=2)])
        self.tokens: list[str] = []
        self.sent = 0

    @rule(labeler=st.sampled_from(["ann", "bob"]), seconds=st.sampled_from([10, 100]))
    def lease(self, labeler, seconds):
        if (lease := self.queue.lease(labeler, seconds)) is not None:
            self.tokens.append(lease.token)

    @rule(seconds=st.sampled_from([5, 50]))
    def wait(self, seconds):
        self.clock.now += seconds

    def _try(self, call, *arguments):
        with contextlib.suppress(IcefloeError):
            call(*arguments)

    @precondition(lambda self: self.tokens)
    @rule(data=st.data(), corner=st.integers(0, 50))
    def submit(self, data, corner):
        drawn = mask()
        drawn[0, corner % 16] = 1
        drawn[11, corner % 13] = 1
        self._try(self.queue.submit, data.draw(st.sampled_from(self.tokens)), encode_png(drawn), 1.0)

    @precondition(lambda self: self.tokens)
    @rule(data=st.data(), name=st.sampled_from(["release", "renew", "skip"]))
    def use_lease(self, data, name):
        token = data.draw(st.sampled_from(self.tokens))
        self._try(getattr(self.queue, name), token, *(["blurred"] if name == "skip" else []))

    @rule(item=st.sampled_from([1, 2]))
    def reopen(self, item):
        self._try(self.queue.reopen, item, "chief", "look again")

    @rule()
    def import_labels(self):
        self.queue.mark_imported(self.queue.labels(), "rev")

    @invariant()
    def every_item_is_in_one_state(self):
        status = self.queue.status()
        assert status.waiting + status.leased + status.submitted + status.skipped + status.imported == 2
        assert status.waiting >= 0

    @invariant()
    def only_waiting_items_are_leased(self):
        assert all(item.state == "waiting" for item in self.queue.items() if item.leased_to)

    @invariant()
    def every_label_in_the_history_is_on_record(self):
        entered = [event.detail["label"] for event in self.queue.history() if "sha256" in event.detail]
        assert entered == [row[0] for row in rows(self.queue, "SELECT id FROM labels ORDER BY id")]

    def teardown(self):
        self.queue.database.close()


def test_any_order_of_calls_keeps_the_rules(new_url):
    run_state_machine_as_test(
        lambda: QueueHistory(new_url()),
        settings=settings(max_examples=8, stateful_step_count=20, deadline=None),
    )
