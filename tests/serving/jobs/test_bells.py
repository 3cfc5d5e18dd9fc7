"""Bells: heard at once, by everybody who waits, and never in anybody's way."""

import asyncio
import os
import select
import threading
import time

import pytest

from serving.jobs import waiting
from serving.jobs.bells import Bells
from serving.jobs.job import INTERACTIVE
from serving.jobs.table import Jobs
from serving.jobs.waiting import until_over


@pytest.fixture
def bells(tmp_path):
    return Bells(tmp_path / "bells")


def has_rung(bell):
    return bool(select.select([bell], [], [], 0)[0])


def test_everybody_who_waits_for_the_news_hears_it_and_nobody_else(bells):
    with bells.heard("asked") as first, bells.heard("asked") as second, bells.heard("over") as other:
        bells.ring("asked")
        assert [has_rung(bell) for bell in (first, second, other)] == [True, True, False]
        first.hush()
        assert [has_rung(bell) for bell in (first, second)] == [False, True]


def test_a_bell_is_gone_with_the_block_and_one_of_a_killed_process_with_the_next_ring(bells, tmp_path):
    with bells.heard("over"):
        pass
    killed = tmp_path / "bells" / "over" / "1-dead"
    os.mkfifo(killed)
    bells.ring("over")
    assert list((tmp_path / "bells" / "over").iterdir()) == []


def test_ringing_never_waits_for_somebody_who_does_not_listen(bells):
    with bells.heard("over") as bell:
        os.write(bell.fileno(), bytes(65536))  # as many as a pipe holds
        bells.ring("over")
        bell.hush()
        assert not has_rung(bell)


def test_where_there_can_be_no_pipe_nothing_rings_and_nothing_breaks(tmp_path):
    (tmp_path / "bells").touch()
    bells = Bells(tmp_path / "bells")
    with bells.heard("over") as bell:
        bell.hush()
        assert not has_rung(bell)


def test_who_waits_for_a_job_hears_of_its_end_at_once(database, bells, monkeypatch):
    monkeypatch.setattr(waiting, "LOOK_SECONDS", 30.0)  # whoever only looked would be late
    jobs = Jobs(database, bells)
    job = jobs.ask("planes", {}, INTERACTIVE, "ada")

    def work():
        time.sleep(0.3)
        jobs.finish(jobs.take("w").id, "w", {})

    worker = threading.Thread(target=work)
    worker.start()
    began = time.monotonic()
    ended = asyncio.run(until_over(jobs, job, 20.0))
    worker.join()
    assert ended.state == "done"
    assert time.monotonic() - began < 15


def test_a_job_that_takes_longer_is_given_back_as_it_is(database, bells):
    jobs = Jobs(database, bells)
    job = jobs.ask("planes", {}, INTERACTIVE, "ada")
    assert asyncio.run(until_over(jobs, job, 0.2)).state == "waiting"
