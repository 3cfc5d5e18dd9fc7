"""Leases of one queue, asked for on machines whose clocks are 5 minutes apart."""

import time

import pytest

from icefloe.active.queue import Queue
from icefloe.database.open import open_url
from tests.clock import run_off
from tests.icefloe.active.queued import PNG, new_item

pytestmark = pytest.mark.integration  # one machine has one clock, so SQLite's users have

LEASE = """
from sqlalchemy.engine import make_url
from icefloe.active.queue import Queue
from icefloe.database.open import open_url
queue = Queue(open_url(make_url(sys.argv[2])))
lease = queue.lease("bob", seconds=float(sys.argv[3]))
print(json.dumps(lease and [lease.token, lease.item.stem, lease.expires]))
"""

APART_SECONDS = 300.0


@pytest.fixture
def url(postgresql):
    return postgresql.new_url()


@pytest.fixture
def queue(url):
    queue = Queue(open_url(url))
    queue.add([new_item("a")])
    yield queue
    queue.database.close()


@pytest.mark.parametrize("off", [APART_SECONDS, -APART_SECONDS])
def test_a_running_lease_is_not_handed_out_where_the_clock_is_off(url, queue, off):
    mine = queue.lease("ann", seconds=200)
    assert run_off(off, LEASE, url.render_as_string(hide_password=False), "200") is None
    assert queue.submit(mine.token, PNG, 1.0).labeler == "ann"


@pytest.mark.parametrize("off", [APART_SECONDS, -APART_SECONDS])
def test_a_lease_given_where_the_clock_is_off_runs_as_long_as_any(url, queue, off):
    _, stem, expires = run_off(off, LEASE, url.render_as_string(hide_password=False), "15")
    assert stem == "a"
    assert 0 < expires - queue.database.time() <= 15
    assert queue.lease("ann") is None
    while queue.database.time() <= expires:
        time.sleep(0.2)
    assert queue.lease("ann").item.stem == "a"
