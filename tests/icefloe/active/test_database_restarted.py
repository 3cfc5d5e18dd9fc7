"""Twenty labelers on a PostgreSQL that is restarted under them: nothing is lost or doubled."""

import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmarks.service.postgresql import PostgreSQL
from icefloe.active.queue import Queue
from icefloe.database.open import open_url
from icefloe.errors import BusyError
from tests.icefloe.active.queued import PNG, new_item

pytestmark = pytest.mark.integration

LABELERS, N_IMAGES = 20, 1500
RESTARTS, PAUSE_SECONDS = 5, 2.0


@pytest.fixture
def own_server():
    """A server that no other test uses."""
    with tempfile.TemporaryDirectory(prefix="icefloe-postgresql-") as folder:
        server = PostgreSQL(Path(folder))
        yield server
        server.stop()


def test_no_label_is_lost_and_no_image_leased_twice_when_the_database_is_restarted(own_server):
    queue = Queue(open_url(own_server.new_url()))
    queue.add([new_item(f"stack_{number}") for number in range(N_IMAGES)])
    done, refusals = threading.Event(), []

    def patiently(call, *arguments):
        while True:
            try:
                return call(*arguments)
            except BusyError as error:  # what a restart is to whoever calls; no other error is
                refusals.append(str(error))
                time.sleep(0.1)

    def label(number: int) -> list[int]:
        acknowledged = []
        while not done.is_set() and (lease := patiently(queue.lease, f"labeler {number}")) is not None:
            patiently(queue.submit, lease.token, PNG, 1.0)
            acknowledged.append(lease.item.id)
        return acknowledged

    counts = []
    with ThreadPoolExecutor(LABELERS) as pool:
        labelling = [pool.submit(label, number) for number in range(LABELERS)]
        for _ in range(RESTARTS):
            time.sleep(PAUSE_SECONDS)
            counts.append(queue.status().submitted)
            own_server.restart()
        time.sleep(PAUSE_SECONDS)
        done.set()
        acknowledged = [item for each in labelling for item in each.result()]

    assert counts == sorted(set(counts))  # after each restart they went on
    assert refusals
    assert all("\n" not in refusal for refusal in refusals)
    labels = queue.labels()
    assert sorted(label.item_id for label in labels) == sorted(acknowledged)
    leased = Counter(event.item_id for event in queue.history() if event.what == "leased")
    assert set(leased.values()) == {1}
    assert queue.refused_labels() == []
    print(f"{len(acknowledged)} labels, {len(refusals)} refusals: {set(refusals)}")
    queue.database.close()
