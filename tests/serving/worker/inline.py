"""A worker in the test's own process: its jobs are real, the process around them is tested elsewhere."""

import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from serving.jobs.job import Job
from serving.jobs.table import Jobs
from serving.worker.child import explained, status_of
from serving.worker.context import Context
from serving.worker.fewshot_vectors import Vectors
from serving.worker.later import Later
from serving.worker.tasks import TASKS

NAME = "inline"


class Told:
    """Progress that goes to the table of jobs at once."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self.job: Job | None = None

    def advance(self, what: str, done: int, total: int | None = None, detail: str = "") -> None:
        assert self.job is not None
        self._jobs.report(self.job.id, NAME, what, done, total)

    def tell(self, line: str) -> None: ...

    def warn(self, line: str) -> None: ...


@contextmanager
def working(app: Any) -> Iterator[None]:
    """Do an application's jobs, one after the other, but for those that need a registry."""
    jobs: Jobs = app.state.jobs
    told = Told(jobs)
    settings = app.state.settings
    nothing: Any = None
    context = Context(settings, nothing, nothing, told, Later(), Vectors(settings))
    stop = threading.Event()

    def work() -> None:
        with jobs.bells.heard("asked") as bell:
            while not stop.is_set():
                bell.hush()
                told.job = jobs.take(NAME)
                if told.job is None:
                    select.select([bell], [], [], 0.1)
                else:
                    _do(context, jobs, told.job)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _do(context: Context, jobs: Jobs, job: Job) -> None:
    try:
        jobs.finish(job.id, NAME, TASKS[job.kind](context, job.arguments))
    except Exception as error:
        jobs.fail(job.id, NAME, explained(job.kind, error), status_of(error))
