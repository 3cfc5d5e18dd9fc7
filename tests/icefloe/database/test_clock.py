"""One clock for all machines: one that is five minutes off takes nothing from anybody, and loses nothing."""

import multiprocessing
import time
from collections.abc import Callable

import pytest
from sqlalchemy.engine import URL

from icefloe.active.items import NewItem, Purpose
from icefloe.active.queue import Queue
from icefloe.active.uploads import encode_png
from icefloe.database.open import open_url
from icefloe.errors import IcefloeError
from serving.jobs.bells import Bells
from serving.jobs.table import Jobs
from tests.icefloe.active.conftest import SHAPE, ice

PROCESSES = multiprocessing.get_context("fork")  # spawn would have to import this file by name
OFF = [-300.0, 300.0]
ITEM = NewItem("D3", "a", "EA-T1", SHAPE, ("background", "ice"), Purpose("random", 0.0, 1, "drawn"))


def on_a_machine_that_is(seconds: float, work: Callable[[URL], object], url: URL) -> object:
    """What `work` returns in a process whose clock is `seconds` ahead."""
    told = PROCESSES.Queue()

    def run() -> None:
        right = time.time
        time.time = lambda: right() + seconds
        told.put(work(url))

    process = PROCESSES.Process(target=run)
    process.start()
    found = told.get(timeout=60)
    process.join(60)
    return found


def test_the_time_is_that_of_the_machine_or_of_the_server(database):
    assert database.time() == pytest.approx(time.time(), abs=2)
    first = database.time()
    assert 0 <= database.time() - first < 1


@pytest.mark.integration
@pytest.mark.parametrize("seconds", OFF)
def test_a_wrong_clock_does_not_change_the_time(postgresql, seconds):
    url = postgresql.new_url()
    found = on_a_machine_that_is(seconds, lambda url: open_url(url).time(), url)
    assert found == pytest.approx(time.time(), abs=5)


@pytest.mark.integration
@pytest.mark.parametrize("seconds", OFF)
def test_nobody_gets_an_image_that_somebody_else_is_labelling(postgresql, seconds):
    url = postgresql.new_url()
    queue = Queue(open_url(url))
    queue.add([ITEM])
    lease = queue.lease("Ana", 120)

    def try_to_lease(url: URL) -> object:
        return Queue(open_url(url)).lease("Bob")

    assert on_a_machine_that_is(seconds, try_to_lease, url) is None
    queue.submit(lease.token, encode_png(ice(20)), 1.0)
    assert [label.labeler for label in queue.labels()] == ["Ana"]


@pytest.mark.integration
@pytest.mark.parametrize("seconds", OFF)
def test_a_lease_taken_by_a_wrong_clock_ends_when_it_should(postgresql, seconds):
    url = postgresql.new_url()
    queue = Queue(open_url(url))
    queue.add([ITEM])

    def lease(url: URL) -> object:
        return Queue(open_url(url)).lease("Ana", 1.0).token

    token = on_a_machine_that_is(seconds, lease, url)
    time.sleep(1.2)
    assert queue.lease("Bob").item.key == "D3/a"
    with pytest.raises(IcefloeError):
        queue.submit(token, encode_png(ice(20)), 1.0)


@pytest.mark.integration
@pytest.mark.parametrize("seconds", OFF)
def test_a_job_stays_with_the_worker_that_reports(postgresql, tmp_path, seconds):
    url = postgresql.new_url()
    jobs = Jobs(open_url(url), Bells(tmp_path))
    asked = jobs.ask("planes", {"dataset": "D1", "stem": "a"}, 0, "Ana")
    assert jobs.take("here").id == asked.id

    def try_to_take(url: URL) -> object:
        return Jobs(open_url(url), Bells(tmp_path)).take("there")

    assert on_a_machine_that_is(seconds, try_to_take, url) is None
    jobs.report(asked.id, "here", "images", 1, 2)
    jobs.finish(asked.id, "here", {})
    assert jobs.job(asked.id).state == "done"
