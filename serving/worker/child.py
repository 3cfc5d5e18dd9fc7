"""The process that does a worker's jobs: it holds the models, and may die of a job without its worker."""

import logging
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.synchronize import Event
from pathlib import Path

from icefloe.errors import IcefloeError, TooLargeError, explain_system_error, is_disk_full
from icefloe.settings import load_settings
from serving.worker.messages import Advanced, Ended, Message
from serving.worker.niceness import step_back

logger = logging.getLogger(__name__)


class StoppedError(Exception):
    """The job was told to stop."""


class Reported:
    """Progress that goes to the worker, and ends a job that is to stop."""

    def __init__(self, send: Callable[[Message], None], stop: Event) -> None:
        self._send, self._stop = send, stop

    def advance(self, what: str, done: int, total: int | None = None, detail: str = "") -> None:
        """Tell the worker; raise if the job is to stop."""
        if self._stop.is_set():
            raise StoppedError
        self._send(Advanced(what, done, total))

    def tell(self, line: str) -> None:
        """Into the log."""
        logger.info(line)

    def warn(self, line: str) -> None:
        """Into the log."""
        logger.warning(line)


def work(pipe: Connection, stop: Event, workspace: Path, threads: int) -> None:
    """Do the jobs that come through a pipe until it closes; `threads` are for the networks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the worker, which ends this process
    _end_with_parent()
    # OpenMP reads it when torch loads it; torch's own setting holds for the thread that calls it only.
    os.environ["OMP_NUM_THREADS"] = str(threads)
    from icefloe.stopwatch import timed
    from serving.worker.context import Context
    from serving.worker.fewshot_vectors import Vectors
    from serving.worker.later import Later
    from serving.worker.models import Models, follow
    from serving.worker.snapshot import SnapshotWriter
    from serving.worker.tasks import TASKS

    step_back()  # from here on: a first job should not wait longer for the imports
    settings = load_settings(workspace)
    sending = threading.Lock()

    def send(message: Message) -> None:
        with sending:
            pipe.send(message)

    models, snapshots = Models(settings, send), SnapshotWriter(settings)
    threading.Thread(target=follow, args=(models, snapshots), daemon=True).start()
    context = Context(settings, models, snapshots, Reported(send, stop), Later(), Vectors(settings))
    while True:
        try:
            kind, arguments = pipe.recv()
        except EOFError:
            return
        send(Advanced("", 0, None))
        try:
            with timed() as parts:
                result = TASKS[kind](context, arguments)
            outcome = Ended({**result, "seconds": parts}, None)
        except StoppedError:
            outcome = Ended(None, None)
        except Exception as error:
            outcome = Ended(None, explained(kind, error), status_of(error))
        send(outcome)
        context.later.catch_up()


def status_of(error: Exception) -> int:
    """What HTTP calls an error that a job ended by."""
    if is_disk_full(error):
        return 507
    return 413 if isinstance(error, TooLargeError) else 422


def explained(kind: str, error: Exception) -> str:
    """Why a job came to nothing, in one line; the log has what nobody foresaw."""
    if isinstance(error, IcefloeError):
        return str(error)
    explained = explain_system_error(error, "the workspace")
    if explained is None:
        logger.error("A job failed: %s", kind, exc_info=error)
    return explained or "The worker failed. Tell its operator; the log has it."


def _end_with_parent() -> None:
    """End this process when its worker dies, however that dies: another worker takes the job up."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
