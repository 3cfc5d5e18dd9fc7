"""Runs of pipelines, beside a worker's other jobs: each is the command line's, in processes of its own."""

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from icefloe.settings import Settings
from serving.jobs.job import Job
from serving.jobs.kinds import LIMITS
from serving.jobs.table import LEASE_SECONDS, GoneError, Jobs

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
BEAT_SECONDS = LEASE_SECONDS / 5
PIPELINES = {"drift": "drift_check", "train": "train", "retrain": "retrain"}

JUDGED = (0, 3, 4, 5)
"""Exit codes of a run that came to its end; `icefloe pipeline run` says the drift gate's outcome so."""

LONGEST_LINE = 300
KEPT_LINES = 40


def pipeline_command(settings: Settings, job: Job) -> list[str]:
    """The command line that runs the pipeline which a job asks for."""
    wanted = job.arguments
    command = [sys.executable, "-m", "icefloe.cli", "-C", str(settings.workspace)]
    command += ["pipeline", "run", PIPELINES[job.kind], f"--preset={wanted['preset']}"]
    command += [f"--dataset={name}" for name in wanted["datasets"]]
    if wanted["minutes"] is not None:
        command.append(f"--minutes={wanted['minutes']}")
    return command


class Said:
    """What a run prints: the step that it is in, how many are done, and its last words.

    Parameters
    ----------
    lines
        What it prints, as it comes.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self.what, self.done = "Starting", 0
        self._step = self.what
        self._last: list[str] = []
        self._reading = threading.Thread(target=self._read, args=(lines,), daemon=True)
        self._reading.start()

    def finish(self) -> str:
        """The last line of a run that succeeded."""
        self._reading.join()
        return self._last[-1] if self._last else ""

    def problem(self) -> str:
        """Why a run failed: the error's own words, or where they are."""
        self._reading.join()
        for position, line in enumerate(self._last):
            if line.startswith("error: "):
                return "\n".join(self._last[position:]).removeprefix("error: ")
        return "The run failed without a word. Read its log in .icefloe/runs, then try again."

    def _read(self, lines: Iterable[str]) -> None:
        for text in lines:
            line = text.rstrip()
            if not line:
                continue
            self._last = [*self._last[1 - KEPT_LINES :], line]
            # A step's name stands at the margin, what it tells is indented.
            if line.startswith("  done in "):
                self.done += 1
            elif line.startswith("  "):
                self.what = f"{self._step}: {line.strip()}"[:LONGEST_LINE]
            else:
                self._step = self.what = line[:LONGEST_LINE]


class Runs:
    """Does the runs that are asked for, one at a time.

    Parameters
    ----------
    settings
        Settings of the workspace.
    jobs
        The workspace's jobs.
    name
        Name of the worker.
    say
        Told what it does, a line at a time.
    command
        Makes the command that does a job.
    """

    def __init__(
        self,
        settings: Settings,
        jobs: Jobs,
        name: str,
        say: Callable[[str], None],
        command: Callable[[Settings, Job], Sequence[str]] = pipeline_command,
    ) -> None:
        self._settings, self._jobs, self._name, self._say = settings, jobs, name, say
        self._command = command

    def follow(self, stop: threading.Event) -> None:
        """Do runs until `stop` is set; one at hand is left to other workers then."""
        while not stop.wait(LOOK_SECONDS):
            try:
                job = self._jobs.take(self._name, runs=True)
                if job is not None:
                    self._say(f"job {job.id}: {job.kind} {' '.join(map(str, job.arguments.values()))}")
                    self._do(job, stop)
            except GoneError as error:
                self._say(str(error))
            except Exception:  # such as a database that is busy for long: the job is taken up again
                logger.warning("A run could not be followed.", exc_info=True)

    def _do(self, job: Job, stop: threading.Event) -> None:
        began, reported = time.monotonic(), -float("inf")
        with _leashed(self._command(self._settings, job)) as process:
            said = Said(_output(process))
            while process.poll() is None:
                now = time.monotonic()
                if now - began > LIMITS[job.kind]:
                    self._jobs.fail(job.id, self._name, f"It took longer than {LIMITS[job.kind]:.0f} s.")
                    return
                if now - reported >= BEAT_SECONDS:
                    reported = now
                    if self._jobs.report(job.id, self._name, said.what, said.done, None):
                        self._jobs.stop(job.id, self._name)
                        return
                if stop.wait(LOOK_SECONDS):
                    self._jobs.give_back(job, self._name)
                    return
            if process.returncode in JUDGED:
                self._jobs.finish(job.id, self._name, {"sentence": said.finish()})
            else:
                self._jobs.fail(job.id, self._name, said.problem())


@contextmanager
def _leashed(command: Sequence[str]) -> Iterator["subprocess.Popen[str]"]:
    """A process that ends with the block, or with this process, however either ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "serving.worker.leash", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="backslashreplace",
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    try:
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait()


def _output(process: "subprocess.Popen[str]") -> IO[str]:
    assert process.stdout is not None
    return process.stdout
