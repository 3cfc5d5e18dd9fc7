"""Runs beside a worker's other jobs: progress, outcome, cancelling, and that nothing outlives them."""

import subprocess
import sys
import threading
import time

import psutil
import pytest

from serving.jobs.job import BATCH
from serving.jobs.table import Jobs
from serving.worker.runs import Runs, pipeline_command

ARGUMENTS = {"datasets": ["D1"], "preset": "tiny", "minutes": None}
HURRIED = 60  # s


@pytest.fixture
def jobs(app) -> Jobs:
    return app.state.jobs


@pytest.fixture
def running(settings, jobs):
    """Do runs by a script in place of a pipeline, until the test ends."""
    stop, started = threading.Event(), []

    def start(script):
        command = [sys.executable, "-u", "-c", script]
        runs = Runs(settings, jobs, "w", lambda _: None, lambda *_: command)
        started.append(threading.Thread(target=runs.follow, args=(stop,)))
        started[-1].start()
        return stop

    yield start
    stop.set()
    for thread in started:
        thread.join()


def until(is_so):
    deadline = time.monotonic() + HURRIED
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def ended(jobs, job):
    until(lambda: not jobs.job(job.id).is_live)
    return jobs.job(job.id)


def test_a_run_is_the_command_lines(settings, jobs):
    job = jobs.ask("train", {"datasets": ["D1", "--D2"], "preset": "auto", "minutes": 5.0}, BATCH, "ann")
    assert pipeline_command(settings, job)[1:] == [
        *("-m", "icefloe.cli", "-C", str(settings.workspace), "pipeline", "run", "train"),
        *("--preset=auto", "--dataset=D1", "--dataset=--D2", "--minutes=5.0"),
    ]


@pytest.mark.parametrize("code", [0, 3])
def test_the_last_line_of_a_run_is_its_outcome_also_where_the_gate_found_a_shift(jobs, running, code):
    job = jobs.ask("drift", ARGUMENTS, BATCH, "ann")
    running(f"print('get data'); print('  done in 3 s'); print('D1 is shifted.'); raise SystemExit({code})")
    over = ended(jobs, job)
    assert (over.state, over.result) == ("done", {"sentence": "D1 is shifted."})


def test_a_run_that_fails_says_why_in_its_own_words(jobs, running):
    job = jobs.ask("train", ARGUMENTS, BATCH, "ann")
    running("print('warning: x'); print('error: No member passed.\\n a 0.2'); raise SystemExit(2)")
    over = ended(jobs, job)
    assert (over.state, over.problem) == ("failed", "No member passed.\n a 0.2")


def test_a_run_that_dies_without_a_word_names_the_log(jobs, running):
    job = jobs.ask("train", ARGUMENTS, BATCH, "ann")
    running("import os; os.kill(os.getpid(), 9)")
    assert "Read its log in .icefloe/runs" in ended(jobs, job).problem


SLOW = "import time; print('train members'); print('  Epochs: 3 of 10'); time.sleep(600)"


def slow_processes():
    return [each for each in psutil.process_iter(["cmdline"]) if SLOW in (each.info["cmdline"] or [])]


def test_a_run_tells_how_far_it_is_and_ends_when_it_is_cancelled(jobs, running):
    job = jobs.ask("retrain", ARGUMENTS, BATCH, "ann")
    running(SLOW)
    until(lambda: jobs.job(job.id).what == "train members: Epochs: 3 of 10")
    jobs.cancel(job.id, "Ann")
    assert ended(jobs, job).state == "cancelled"
    assert slow_processes() == []


def test_a_worker_that_stops_leaves_its_run_to_others(jobs, running):
    job = jobs.ask("retrain", ARGUMENTS, BATCH, "ann")
    stop = running(SLOW)
    until(slow_processes)
    stop.set()
    until(lambda: jobs.job(job.id).state == "waiting")
    until(lambda: not slow_processes())


def test_a_run_takes_no_worker_from_other_jobs(jobs, running):
    jobs.ask("retrain", ARGUMENTS, BATCH, "ann")
    running(SLOW)
    until(slow_processes)
    other = jobs.ask("planes", {"dataset": "D1", "stem": "a"}, BATCH, "ann")
    assert jobs.take("w").id == other.id


def test_a_command_ends_with_the_process_that_asked_for_it():
    leash = [sys.executable, "-m", "serving.worker.leash", sys.executable, "-c", SLOW]
    asking = f"import subprocess; subprocess.Popen({leash!r}, stdin=subprocess.PIPE); input()"
    parent = subprocess.Popen([sys.executable, "-c", asking], stdin=subprocess.PIPE)
    until(slow_processes)
    parent.kill()
    until(lambda: not slow_processes())
