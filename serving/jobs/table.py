"""The table of jobs: asked for once, done by one worker at a time, taken up by another if that one dies."""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, Row, bindparam, case, delete, func, insert, or_, select, update

from icefloe.database.engine import Database
from icefloe.database.schema import jobs
from icefloe.errors import BusyError, ConflictError, MissingError
from serving.auth import audit
from serving.jobs.bells import Bells
from serving.jobs.job import INTERACTIVE, LIVE, Job, JobState
from serving.jobs.kinds import RUN_KINDS

LEASE_SECONDS = 15.0
"""After this time without a sign of life from its worker a job is another's to do."""

MOST_WAITING = 1000
MOST_ATTEMPTS = 3
"""A job on which as many workers died would bring down the next."""

KEPT_SECONDS = 14 * 24 * 3600.0
"""Finished jobs are forgotten after two weeks."""

# Built once: putting a statement together takes longer than SQLite takes to run it.
_TO_DO = (
    select(jobs)
    .where(or_(jobs.c.state == "waiting", (jobs.c.state == "running") & (jobs.c.expires <= bindparam("now"))))
    .order_by(jobs.c.priority, jobs.c.id)
    .limit(1)
)
_NEXT = {
    False: _TO_DO.where(jobs.c.kind.not_in(RUN_KINDS)),
    True: _TO_DO.where(jobs.c.kind.in_(RUN_KINDS)),
}
_MINE = (
    update(jobs)
    .where(jobs.c.id == bindparam("job_id"), jobs.c.worker == bindparam("mine"), jobs.c.state == "running")
    .values(revision=jobs.c.revision + 1)
    .returning(jobs.c.cancelling)
)
_OVER: dict[str, Any] = {"worker": None, "expires": None, "cancelling": False}


class GoneError(ConflictError):
    """A worker's job is not its own any more: another has taken it up, or it was ended."""


class Jobs:
    """The jobs of a workspace.

    Parameters
    ----------
    database
        The workspace's database, opened.
    bells
        Rung when there is a job to do, or one has ended.
    clock
        Seconds since the epoch; None: the database's, one for all machines.
    """

    def __init__(self, database: Database, bells: Bells, clock: Callable[[], float] | None = None) -> None:
        self.database, self.bells = database, bells
        self._clock = clock or database.time

    def ask(
        self, kind: str, arguments: Mapping[str, Any], priority: int, actor: str, changes: str | None = None
    ) -> Job:
        """Ask for a piece of work; the job that does it already, if there is one.

        Parameters
        ----------
        kind, arguments, priority, actor
            As of `Job`.
        changes
            What it changes, for the audit log; None: nothing that somebody would want to look up there.

        Raises
        ------
        BusyError
            If as many as `MOST_WAITING` wait.
        """
        text, work = _work(arguments)
        same = (jobs.c.kind == kind) & (jobs.c.work == work) & jobs.c.state.in_(LIVE)
        with self.database.reading() as connection:  # most questions need no turn to write
            known = connection.execute(select(jobs).where(same)).first()
        if known is not None and known.priority <= priority:
            return _as_job(known)
        # What somebody waits for is asked for again if a power cut takes it back.
        with self.database.writing(durable=changes is not None or priority != INTERACTIVE) as connection:
            known = connection.execute(select(jobs).where(same)).first()
            if known is not None:
                sooner = {"priority": min(priority, known.priority)}
                connection.execute(update(jobs).where(jobs.c.id == known.id).values(sooner))
                return _find(connection, known.id)
            waiting = select(func.count()).select_from(jobs).where(jobs.c.state == "waiting")
            if connection.execute(waiting).scalar_one() >= MOST_WAITING:
                raise BusyError(f"{MOST_WAITING} jobs wait already. Wait until some are done.")
            row = {"kind": kind, "arguments": text, "priority": priority, "actor": actor}
            row |= {"state": "waiting", "created": self._clock(), "attempts": 0, "cancelling": False}
            row |= {"what": "", "done": 0, "revision": 1, "work": work}
            job = _as_job(connection.execute(insert(jobs).returning(*jobs.c), row).one())
            if changes is not None:
                audit.record(connection, job.created, actor, f"asked for {kind}", changes, job=job.id)
        self.bells.ring("asked")
        return job

    def job(self, job_id: int) -> Job:
        """One job.

        Raises
        ------
        MissingError
            If there is none of that number.
        """
        with self.database.reading() as connection:
            return _find(connection, job_id)

    def newest(self, kind: str, arguments: Mapping[str, Any]) -> Job | None:
        """The job that was asked for last to do this very work; None: there is none, or it is forgotten."""
        _, work = _work(arguments)
        same = select(jobs).where(jobs.c.kind == kind, jobs.c.work == work)
        with self.database.reading() as connection:
            row = connection.execute(same.order_by(jobs.c.id.desc()).limit(1)).first()
        return None if row is None else _as_job(row)

    def latest(self, state: JobState | None = None, limit: int = 100) -> list[Job]:
        """Jobs of one state or all: those that run, those that wait in their order, then the latest ended."""
        order = case((jobs.c.state == "running", 0), (jobs.c.state == "waiting", 1), else_=2)
        query = select(jobs).order_by(order, jobs.c.ended.desc(), jobs.c.priority, jobs.c.id).limit(limit)
        if state is not None:
            query = query.where(jobs.c.state == state)
        with self.database.reading() as connection:
            return [_as_job(row) for row in connection.execute(query)]

    def counts(self) -> dict[tuple[str, str], int]:
        """Kind and state -> number of jobs."""
        query = select(jobs.c.kind, jobs.c.state, func.count()).group_by(jobs.c.kind, jobs.c.state)
        with self.database.reading() as connection:
            return {(kind, state): number for kind, state, number in connection.execute(query)}

    def live(self) -> list[Job]:
        """All jobs that wait or run."""
        with self.database.reading() as connection:
            return [_as_job(row) for row in connection.execute(select(jobs).where(jobs.c.state.in_(LIVE)))]

    def cancel(self, job_id: int, actor: str) -> Job:
        """End a job that waits, or tell one that runs to stop; one that is over stays as it is.

        The audit log knows by whom (`actor`).

        Raises
        ------
        MissingError
            If there is none of that number.
        """
        with self.database.writing() as connection:
            job = _find(connection, job_id)
            ended = {"state": "cancelled", "ended": self._clock(), **_OVER}
            values = {"waiting": ended, "running": {"cancelling": True}}.get(job.state)
            if values is not None:
                values = values | {"revision": job.revision + 1}
                connection.execute(update(jobs).where(jobs.c.id == job_id).values(values))
                audit.record(connection, self._clock(), actor, f"cancelled {job.kind}", f"job {job_id}")
            job = _find(connection, job_id)
        self.bells.ring("over")
        return job

    def retry(self, job_id: int, actor: str) -> Job:
        """Let a job that failed or was cancelled wait again; the audit log knows by whom (`actor`).

        Raises
        ------
        MissingError
            If there is none of that number.
        ConflictError
            If it is done or live, or the same work is asked for by another job.
        """
        with self.database.writing() as connection:
            job = _find(connection, job_id)
            if job.state not in ("failed", "cancelled"):
                raise ConflictError(f"Job {job_id} is {job.state}. Only one that failed can be tried again.")
            _, work = _work(job.arguments)
            same = (jobs.c.kind == job.kind) & (jobs.c.work == work) & jobs.c.state.in_(LIVE)
            other = connection.execute(select(jobs.c.id).where(same)).first()
            if other is not None:
                raise ConflictError(f"Job {other.id} does the same already. Wait for it.")
            values = {"state": "waiting", "attempts": 0, "done": 0, "problem": None, "ended": None}
            values |= {"revision": job.revision + 1}
            connection.execute(update(jobs).where(jobs.c.id == job_id).values(values))
            audit.record(connection, self._clock(), actor, f"tried {job.kind} again", f"job {job_id}")
            job = _find(connection, job_id)
        self.bells.ring("asked")
        return job

    def take(self, worker: str, *, runs: bool = False) -> Job | None:
        """Hand the most urgent job to a worker: one that waits, or whose worker gave no sign of life.

        It is the worker's for `LEASE_SECONDS`, and longer while it reports.

        Parameters
        ----------
        worker
            Name of the worker.
        runs
            Whether it asks for a run of a pipeline, or for anything else.
        """
        following = _NEXT[runs]
        with self.database.reading() as connection:  # idle workers must not keep others from writing
            if connection.execute(following, {"now": self._clock()}).first() is None:
                return None
        # Whatever a power cut takes back of this is done again.
        with self.database.writing(durable=False) as connection:
            now = self._clock()
            connection.execute(delete(jobs).where(jobs.c.ended < now - KEPT_SECONDS))
            while (row := connection.execute(following, {"now": now}).first()) is not None:
                this = update(jobs).where(jobs.c.id == row.id)
                if row.cancelling:
                    connection.execute(this.values(state="cancelled", ended=now, **_OVER))
                elif row.attempts >= MOST_ATTEMPTS:
                    problem = f"{row.attempts} workers died on it. See the log; try it with smaller images."
                    connection.execute(this.values(state="failed", problem=problem, ended=now, **_OVER))
                else:
                    values = {"state": "running", "worker": worker, "expires": now + LEASE_SECONDS}
                    values |= {"began": now, "attempts": row.attempts + 1, "revision": row.revision + 1}
                    return _as_job(connection.execute(this.values(values).returning(*jobs.c)).one())
        return None

    def report(self, job_id: int, worker: str, what: str, done: int, total: int | None) -> bool:
        """Note a worker's progress, which is a sign of life; whether the job is to stop.

        Raises
        ------
        GoneError
            If it is not the worker's any more.
        """
        expires = self._clock() + LEASE_SECONDS
        return self._change(job_id, worker, what=what, done=done, total=total, expires=expires)

    def finish(
        self, job_id: int, worker: str, result: Mapping[str, Any], **progress: str | int | None
    ) -> None:
        """Note what came of a job, and the last of its progress (`what`, `done`, `total` as of `report`).

        Raises
        ------
        GoneError
            If it is not the worker's any more.
        """
        text = json.dumps(result)
        over = {"state": "done", "result": text, "ended": self._clock(), **_OVER}
        self._change(job_id, worker, **progress, **over)

    def fail(self, job_id: int, worker: str, problem: str, status: int = 422) -> None:
        """Note why nothing came of a job, and what HTTP calls it.

        Raises
        ------
        GoneError
            If it is not the worker's any more.
        """
        over = {"result": json.dumps({"status": status}), "ended": self._clock(), **_OVER}
        self._change(job_id, worker, state="failed", problem=problem, **over)

    def stop(self, job_id: int, worker: str) -> None:
        """Note that a worker has stopped a job that was to stop.

        Raises
        ------
        GoneError
            If it is not the worker's any more.
        """
        self._change(job_id, worker, state="cancelled", ended=self._clock(), **_OVER)

    def give_back(self, job: Job, worker: str) -> None:
        """Let a job wait for another worker, as this one ends.

        Raises
        ------
        GoneError
            If it is not the worker's any more.
        """
        self._change(job.id, worker, state="waiting", attempts=job.attempts - 1, **_OVER)

    def _change(self, job_id: int, mine: str, **values: Any) -> bool:
        with self.database.writing(durable=False) as connection:
            whose = {"job_id": job_id, "mine": mine}
            row = connection.execute(_MINE.values(values), whose).first()
        if row is None:
            raise GoneError(f"Job {job_id}: it is not this worker's any more.")
        if "state" in values:
            self.bells.ring("asked" if values["state"] == "waiting" else "over")
        return bool(row.cancelling)


def _work(arguments: Mapping[str, Any]) -> tuple[str, str]:
    """A job's arguments as the table has them, and what they are known by."""
    text = json.dumps(arguments, sort_keys=True)
    return text, hashlib.sha256(text.encode()).hexdigest()


def _find(connection: Connection, job_id: int) -> Job:
    row = connection.execute(select(jobs).where(jobs.c.id == job_id)).first()
    if row is None:
        raise MissingError(f"Job {job_id}: no such job. List the jobs to see them.")
    return _as_job(row)


def _as_job(row: Row[*tuple[Any, ...]]) -> Job:
    content = dict(row._mapping)
    for name in ("arguments", "result"):
        content[name] = None if content[name] is None else json.loads(content[name])
    return Job.model_validate(content)
