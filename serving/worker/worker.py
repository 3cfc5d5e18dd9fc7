"""A worker: takes jobs, has its child do them, and gives signs of life meanwhile."""

import dataclasses
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from multiprocessing.synchronize import Event

import psutil

from icefloe.database.open import open_database
from icefloe.fewshot.kept import KeptSessions
from icefloe.settings import Settings
from serving.jobs.bells import Bell, Bells
from serving.jobs.job import Job
from serving.jobs.kinds import LIMITS
from serving.jobs.table import LEASE_SECONDS, GoneError, Jobs
from serving.jobs.workers import Workers, WorkerState
from serving.worker.child import work
from serving.worker.limits import Limits
from serving.worker.messages import Advanced, Ended, Loaded, Message
from serving.worker.runs import Runs
from serving.worker.tidying import tidy

BEAT_SECONDS = LEASE_SECONDS / 5
IDLE_SECONDS = 0.1
TIDY_SECONDS = 3600.0
STOP_SECONDS = 10.0
"""Time that a job has to stop by itself."""


class Child:
    """The process that does the jobs."""

    def __init__(self, settings: Settings, limits: Limits) -> None:
        context = multiprocessing.get_context("spawn")  # forking a process that has threads may hang
        self.pipe: Connection
        self.pipe, theirs = context.Pipe()
        self.stop: Event = context.Event()
        self.process: SpawnProcess = context.Process(
            target=work, args=(theirs, self.stop, settings.workspace, limits.threads), daemon=True
        )
        self.process.start()
        self._seen = psutil.Process(self.process.pid)
        theirs.close()

    def memory(self) -> int:
        """Bytes that it holds."""
        try:
            return int(self._seen.memory_info().rss)
        except psutil.NoSuchProcess:
            return 0

    def end(self) -> None:
        """End it, whatever it does."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


class Worker:
    """Does jobs until told to stop.

    Parameters
    ----------
    settings
        Settings of the workspace.
    limits
        What its child may use.
    say
        Told what it does, a line at a time.
    """

    def __init__(self, settings: Settings, limits: Limits, say: Callable[[str], None]) -> None:
        self._settings, self._limits, self._say = settings, limits, say
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        database = open_database(settings)
        database.keep_connections()
        self._bells = Bells.of(settings)
        self._jobs, self._workers = Jobs(database, self._bells), Workers(database)
        self._sessions = KeptSessions(database)
        self._champion: str | None = None
        self._problem: str | None = None
        self._progress = Advanced("", 0, None)
        self._beaten = self._tidied = -float("inf")
        self._child = Child(settings, limits)

    def run(self, stop: threading.Event) -> None:
        """Take jobs and do them until `stop` is set; a job at hand is left to others then."""
        runs = Runs(self._settings, self._jobs, self.name, self._say)
        running = threading.Thread(target=runs.follow, args=(stop,))
        running.start()
        try:
            with self._bells.heard("asked") as bell:
                while not stop.is_set():
                    self._beat()
                    bell.hush()
                    job = self._jobs.take(self.name)
                    if job is None:
                        self._tidy()
                        self._idle(bell)
                    else:
                        self._do(job, stop)
        finally:
            stop.set()  # also where this ends by an error
            running.join()
            self._child.end()
            self._workers.leave(self.name)

    def _tidy(self) -> None:
        now = time.monotonic()
        if now - self._tidied >= TIDY_SECONDS:
            self._tidied = now
            try:
                removed = tidy(self._settings, self._jobs.live(), kept=self._sessions.datasets())
            except OSError as error:
                self._say(f"warning: what nobody needs any more could not be removed: {error}")
                return
            if removed:
                self._say(f"removed {removed} folders that nobody has asked for of late")

    def _idle(self, bell: Bell) -> None:
        try:
            if self._child.pipe in wait([self._child.pipe, bell.fileno()], IDLE_SECONDS):
                self._hear()
        except (EOFError, OSError):
            self._renew_child()

    def _do(self, job: Job, stop: threading.Event) -> None:
        self._say(f"job {job.id}: {job.kind} {' '.join(str(value) for value in job.arguments.values())}")
        try:
            begun = self._progress = Advanced(job.what, job.done, job.total)
            ended = self._ended(job, stop)
            if ended is not None and ended.result is not None:
                last = dataclasses.asdict(self._progress)
                self._jobs.finish(job.id, self.name, ended.result, **last)
                return
            if self._progress != begun:
                self._report(job)  # the last of it
            if ended is None:
                self._jobs.give_back(job, self.name)
            elif ended.problem is not None:
                self._say(f"job {job.id}: {ended.problem}")
                self._jobs.fail(job.id, self.name, ended.problem, ended.status)
            else:
                self._jobs.stop(job.id, self.name)
        except GoneError as error:
            self._renew_child()
            self._say(str(error))

    def _ended(self, job: Job, stop: threading.Event) -> Ended | None:
        """How a job ended; None if this worker is to stop before it does."""
        if job.kind not in LIMITS:
            return Ended(None, f"{job.kind}: this worker is too old for it. Update Icefloe there.")
        self._child.stop.clear()
        reported = time.monotonic()
        began: float | None = None  # a new process loads its libraries first
        stopping: float | None = None
        try:
            self._child.pipe.send((job.kind, job.arguments))
            while not stop.is_set():
                now = time.monotonic()
                if now - reported >= BEAT_SECONDS:
                    reported = now
                    self._beat()
                    if self._report(job) and stopping is None:
                        stopping = now
                        self._child.stop.set()
                refusal = self._refusal(job, 0.0 if began is None else now - began)
                if refusal or (stopping is not None and now - stopping > STOP_SECONDS):
                    self._renew_child()
                    return Ended(None, refusal)
                if not self._child.pipe.poll(IDLE_SECONDS):
                    continue
                heard = self._hear()
                if isinstance(heard, Ended):
                    return heard
                if isinstance(heard, Advanced):
                    began, self._progress = began or now, heard
        except (EOFError, OSError):
            code = self._renew_child()
            how = signal.Signals(-code).name if code is not None and code < 0 else f"status {code}"
            return Ended(None, f"The process that did it died ({how}). See the log; try smaller images.")
        return None

    def _report(self, job: Job) -> bool:
        """Tell how far a job is; whether it is to stop."""
        now = self._progress
        return self._jobs.report(job.id, self.name, now.what, now.done, now.total)

    def _refusal(self, job: Job, seconds: float) -> str | None:
        """Why a job may not go on."""
        limit = LIMITS[job.kind]
        if seconds > limit:
            return f"It took longer than the {limit:.0f} s allowed. Try it with fewer or smaller images."
        if self._child.memory() > self._limits.memory:
            gib = self._limits.memory / 2**30
            return f"It took more than the {gib:.1f} GiB of memory allowed. Try it with smaller images."
        return None

    def _hear(self) -> Message:
        """The child's next message; what it has loaded is noted here."""
        message: Message = self._child.pipe.recv()
        if isinstance(message, Loaded):
            self._champion, self._problem = message.champion, message.problem
            self._beaten = -float("inf")
            self._say(f"champion: {message.champion or 'none yet'}")
            if message.problem:
                self._say(f"warning: {message.problem}")
        return message

    def _renew_child(self) -> int | None:
        """End the child and start another; its exit status."""
        self._child.end()
        code = self._child.process.exitcode
        self._champion = None
        self._child = Child(self._settings, self._limits)
        return code

    def _beat(self) -> None:
        now = time.monotonic()
        if now - self._beaten >= BEAT_SECONDS:
            self._beaten = now
            self._workers.beat(WorkerState(name=self.name, champion=self._champion, problem=self._problem))


def run_worker(settings: Settings, n_workers: int, say: Callable[[str], None]) -> None:
    """Do jobs until interrupted, or until the process that started this one is gone.

    Parameters
    ----------
    settings
        Settings of the workspace.
    n_workers
        Workers that share this machine.
    say
        Told what it does, a line at a time.

    Raises
    ------
    IcefloeError
        If the database cannot be opened.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    Worker(settings, Limits.shared_by(n_workers), say).run(stop)
