"""The queue under any order of calls, by many processes at once, and by one that is killed."""

import contextlib
import multiprocessing
import os
import signal
import time

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

from icefloe.active.queue import Queue
from icefloe.active.uploads import encode_png
from icefloe.database.open import open_url
from icefloe.errors import IcefloeError
from tests.clock import Clock
from tests.icefloe.active.queued import PNG, mask, new_item, rows

PROCESSES = multiprocessing.get_context("fork")  # spawn would have to import this file by name


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
