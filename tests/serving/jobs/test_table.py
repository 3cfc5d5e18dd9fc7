"""The table of jobs: one worker a job, whatever dies."""

import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest

from icefloe.errors import BusyError, ConflictError, MissingError
from serving.auth import audit
from serving.jobs import table
from serving.jobs.bells import Bells
from serving.jobs.job import BATCH, INTERACTIVE
from serving.jobs.table import KEPT_SECONDS, LEASE_SECONDS, MOST_ATTEMPTS, GoneError, Jobs
from serving.jobs.workers import Workers, WorkerState
from tests.clock import Clock


@pytest.fixture
def clock():
    return Clock(1000.0)


@pytest.fixture
def jobs(database, clock, tmp_path):
    return Jobs(database, Bells(tmp_path / "bells"), clock)


def ask(jobs, stem="a", priority=BATCH):
    return jobs.ask("planes", {"dataset": "D1", "stem": stem}, priority, "Ann")


def test_a_job_is_done_once_and_says_what_came_of_it(jobs):
    asked = ask(jobs)
    taken = jobs.take("w1")
    assert (taken.id, taken.state, taken.attempts) == (asked.id, "running", 1)
    assert jobs.take("w2") is None
    assert jobs.report(taken.id, "w1", "Segmenting", 3, 7) is False
    assert (jobs.job(taken.id).done, jobs.job(taken.id).total) == (3, 7)
    jobs.finish(taken.id, "w1", {"files": 2})
    over = jobs.job(taken.id)
    assert (over.state, over.result, over.problem) == ("done", {"files": 2}, None)
    assert over.revision > taken.revision > asked.revision
    assert jobs.take("w2") is None


def test_what_somebody_waits_for_goes_first(jobs):
    for stem, priority in (("a", BATCH), ("b", BATCH), ("c", INTERACTIVE)):
        ask(jobs, stem, priority)
    assert [jobs.take("w").arguments["stem"] for _ in range(3)] == ["c", "a", "b"]


def test_the_same_work_is_asked_for_once_and_sooner_if_somebody_waits(jobs):
    first = ask(jobs)
    ask(jobs, "b")
    again = ask(jobs, priority=INTERACTIVE)
    assert (again.id, again.priority) == (first.id, INTERACTIVE)
    assert len(jobs.latest()) == 2
    jobs.finish(jobs.take("w").id, "w", {})
    assert ask(jobs).id != first.id


def test_a_job_may_name_as_many_images_as_a_series_has(jobs):
    # Random names, which PostgreSQL cannot shorten.
    stems = [secrets.token_hex(20) for _ in range(500)]
    arguments = {"dataset": "D1", "stems": stems}
    asked = jobs.ask("segment", arguments, BATCH, "Ann")
    assert jobs.ask("segment", arguments, BATCH, "Bob").id == asked.id
    assert jobs.ask("segment", {**arguments, "stems": stems[1:]}, BATCH, "Bob").id != asked.id
    assert jobs.newest("segment", arguments) == jobs.job(asked.id)
    assert jobs.take("w").arguments == arguments


def test_a_dead_workers_job_is_taken_up_and_the_late_worker_told(jobs, clock):
    taken = jobs.take("dead") or (ask(jobs) and jobs.take("dead"))
    clock.now += LEASE_SECONDS - 1
    assert jobs.take("w2") is None
    jobs.report(taken.id, "dead", "", 1, None)  # a sign of life
    clock.now += LEASE_SECONDS
    again = jobs.take("w2")
    assert (again.id, again.attempts) == (taken.id, 2)
    with pytest.raises(GoneError):
        jobs.finish(taken.id, "dead", {})
    jobs.finish(taken.id, "w2", {})
    assert jobs.job(taken.id).state == "done"


def test_a_job_that_brings_workers_down_is_given_up(jobs, clock):
    ask(jobs)
    for _ in range(MOST_ATTEMPTS):
        job = jobs.take("w")
        clock.now += LEASE_SECONDS
    assert jobs.take("w") is None
    assert jobs.job(job.id).problem == "3 workers died on it. See the log; try it with smaller images."


def test_a_worker_that_ends_gives_its_job_back(jobs):
    ask(jobs)
    jobs.give_back(jobs.take("w1"), "w1")
    assert (jobs.take("w2").attempts) == 1


def test_cancelling_ends_what_waits_and_tells_what_runs(jobs):
    waiting, running = ask(jobs, "a", BATCH), ask(jobs, "b", INTERACTIVE)
    jobs.take("w")
    assert jobs.cancel(waiting.id, "Ann").state == "cancelled"
    assert jobs.cancel(running.id, "Ann").cancelling
    assert jobs.report(running.id, "w", "", 0, None) is True
    jobs.stop(running.id, "w")
    over = jobs.job(running.id)
    assert (over.state, over.cancelling) == ("cancelled", False)
    assert jobs.cancel(running.id, "Ann") == over
    with pytest.raises(MissingError, match="Job 99: no such job"):
        jobs.cancel(99, "Ann")


def test_a_cancelled_job_whose_worker_died_stays_cancelled(jobs, clock):
    asked = ask(jobs)
    jobs.take("w")
    jobs.cancel(asked.id, "Ann")
    clock.now += LEASE_SECONDS
    assert jobs.take("w2") is None
    assert jobs.job(asked.id).state == "cancelled"


def test_only_what_failed_can_be_tried_again(jobs):
    asked = ask(jobs)
    with pytest.raises(ConflictError, match=r"is waiting\. Only one that failed"):
        jobs.retry(asked.id, "Ann")
    jobs.fail(jobs.take("w").id, "w", "D1/a: cut off.")
    assert jobs.job(asked.id).problem == "D1/a: cut off."
    other = ask(jobs)
    with pytest.raises(ConflictError, match=f"Job {other.id} does the same already"):
        jobs.retry(asked.id, "Ann")
    jobs.cancel(other.id, "Ann")
    again = jobs.retry(asked.id, "Ann")
    assert (again.state, again.problem, again.attempts) == ("waiting", None, 0)


def test_a_full_queue_refuses_more(jobs, monkeypatch):
    monkeypatch.setattr(table, "MOST_WAITING", 2)
    ask(jobs, "a")
    ask(jobs, "b")
    with pytest.raises(BusyError, match="jobs wait already"):
        ask(jobs, "c")
    assert ask(jobs, "b").id == 2  # no new one


def test_old_jobs_are_forgotten(jobs, clock):
    ask(jobs, "a")
    jobs.finish(jobs.take("w").id, "w", {})
    clock.now += KEPT_SECONDS + 1
    ask(jobs, "b")
    jobs.take("w")
    assert [job.arguments["stem"] for job in jobs.latest()] == ["b"]


def test_many_workers_at_once_never_share_a_job(jobs):
    for number in range(24):
        ask(jobs, str(number))

    def work(name):
        taken = []
        while (job := jobs.take(name)) is not None:
            taken.append(job.id)
            jobs.finish(job.id, name, {})
        return taken

    with ThreadPoolExecutor(6) as pool:
        taken = [job for each in pool.map(work, [f"w{n}" for n in range(6)]) for job in each]
    assert sorted(taken) == list(range(1, 25))


def test_workers_are_known_while_they_give_signs_of_life(database, clock):
    workers = Workers(database, clock)
    workers.beat(WorkerState(name="a", champion=None, problem=None))
    workers.beat(WorkerState(name="a", champion="EA-T1", problem=None))
    clock.now += LEASE_SECONDS / 2
    workers.beat(WorkerState(name="b", champion="EA-T1", problem="EA-T2: damaged."))
    assert [worker.name for worker in workers.living()] == ["a", "b"]
    clock.now += LEASE_SECONDS / 2
    assert [(worker.name, worker.problem) for worker in workers.living()] == [("b", "EA-T2: damaged.")]
    workers.leave("b")
    assert workers.living() == []


def test_the_audit_log_knows_who_asked_for_a_change_who_cancelled_and_who_tried_again(jobs):
    asked = jobs.ask("drift", {"datasets": ["D3"]}, BATCH, "Ann", changes="D3")
    jobs.ask("drift", {"datasets": ["D3"]}, BATCH, "Ben", changes="D3")  # the same job: nothing changes
    ask(jobs)
    jobs.cancel(asked.id, "Ben")
    jobs.cancel(asked.id, "Cleo")  # it is over
    jobs.retry(asked.id, "Ann")
    assert [(entry.actor, entry.what, entry.target) for entry in audit.read(jobs.database)] == [
        ("Ann", "tried drift again", f"job {asked.id}"),
        ("Ben", "cancelled drift", f"job {asked.id}"),
        ("Ann", "asked for drift", "D3"),
    ]


def test_a_run_is_handed_to_who_does_runs_and_anything_else_to_who_does_that(jobs):
    run, planes = jobs.ask("train", {}, BATCH, "Ann"), ask(jobs)
    assert jobs.take("w").id == planes.id
    assert jobs.take("w") is None
    assert jobs.take("w", runs=True).id == run.id
    assert jobs.take("w", runs=True) is None
