"""Running a pipeline on this machine: `kfp.local`, Ray started once, the steps' log kept in a file."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kfp import dsl, local

from icefloe.errors import IcefloeError
from icefloe.settings import Settings
from pipelines.steps import forked_steps

if TYPE_CHECKING:
    from icefloe.registry.runs import RunRecord

STEP_LINE = "icefloe: "
"""A step's line that starts so is meant for the person who waits; the rest is for the log."""

_STARTED = re.compile(r"Executing task \S*?'([\w-]+)'")
_FINISHED = re.compile(r"Task \S*?'([\w-]+)'\S* finished with status \S*?(SUCCESS|FAILURE)")
_COLOUR = re.compile(r"\x1b\[\d+m")
# Training tells every epoch to the log; every fifth, and the end, is enough for a person.
_TRAINING = re.compile(r"\]: (\S+: (?:epoch \d*[05] of|done after) .*)")
_USER_ERROR = re.compile(r"icefloe\.errors\.IcefloeError: (.*)")


@dataclass(frozen=True)
class LocalRun:
    """Where a local run left what it made."""

    directory: Path
    log: Path
    seconds: float

    def artifacts(self, name: str) -> list[Path]:
        """Paths of the artifacts called `name`, oldest first."""
        return sorted(self.directory.glob(f"steps/**/{name}"), key=lambda path: path.stat().st_mtime)

    def record(self, settings: Settings) -> RunRecord:
        """What its steps found; each of our pipelines starts by opening it."""
        (record,) = _records(self.directory, settings)
        return record


class _StepLog(io.TextIOBase):
    """Keeps everything the local runner prints, and tells `say` what a person wants to see.

    `error` is what the first step that failed said to its user; None if it left no such words. The runner
    goes on with steps that do not need the failed one, and what those say afterwards is seldom the reason.
    """

    def __init__(self, path: Path, say: Callable[[str], None]) -> None:
        self._file = path.open("w", encoding="utf-8")
        self._say = say
        self._terminal = sys.stdout
        self._rest = ""
        self._since: dict[str, float] = {}
        self._told: list[str] = []
        self._in_message = False
        self._failed = False
        self.error: str | None = None

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._file.write(text)
        self._file.flush()
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            with redirect_stdout(self._terminal):  # what is said goes to the person, not to the log
                self._read(_COLOUR.sub("", line).strip())
        return len(text)

    def close(self) -> None:
        self._file.close()
        super().close()

    def _read(self, line: str) -> None:
        if self._in_message and line:  # such as the table of members that did not pass
            self._told.append(line)
            return
        self._in_message = False
        if started := _STARTED.search(line):
            self._told = []
            self._since[started[1]] = time.monotonic()
            self._say(f"[bold]{_readable(started[1])}[/bold]")
        elif finished := _FINISHED.search(line):
            seconds = time.monotonic() - self._since.get(finished[1], time.monotonic())
            if finished[2] == "SUCCESS":
                self._say(f"  [dim]done in {seconds:.0f} s[/dim]")
            else:
                self._say(f"  [red]failed after {seconds:.0f} s[/red]")
                if not self._failed:
                    self._failed, self.error = True, "\n".join(self._told) or None
        elif line.startswith(STEP_LINE):
            self._say(f"  {line.removeprefix(STEP_LINE)}")
        elif training := _TRAINING.search(line):
            self._say(f"  [dim]{training[1]}[/dim]")
        elif error := _USER_ERROR.search(line):
            self._told, self._in_message = [error[1]], True  # the last of chained errors is the outermost


def _readable(task: str) -> str:
    return re.sub(r"(-\d+)+$", "", task).replace("-", " ")


def run_locally(
    pipeline: dsl.base_component.BaseComponent,
    arguments: Mapping[str, Any],
    settings: Settings,
    say: Callable[[str], None],
    *,
    trains: bool = True,
) -> LocalRun:
    """Run a compiled pipeline step by step on this machine.

    Parameters
    ----------
    pipeline
        A `dsl.pipeline`.
    arguments
        Its parameters.
    settings
        The workspace that the steps work in.
    say
        Is given one line (rich markup) whenever there is something to tell.
    trains
        Whether the pipeline needs Ray; it is started here once, for all its steps.

    Returns
    -------
    LocalRun

    Raises
    ------
    IcefloeError
        If a step fails: with the step's own words when it was the user's to fix, else with the log's path.
    """
    directory = settings.state / "runs" / f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{pipeline.name}"
    directory.mkdir(parents=True)
    log = _StepLog(directory / "log.txt", say)
    began = time.monotonic()
    local.init(
        runner=local.SubprocessRunner(use_venv=False),
        pipeline_root=str(directory / "steps"),
        raise_on_error=True,
    )
    with _environment(settings), forked_steps(), _ray(settings, say) if trains else _nothing():
        try:
            with redirect_stdout(log), warnings.catch_warnings():
                # The image is for clusters; here this very environment stands in for it.
                warnings.filterwarnings("ignore", message=".*custom or non-Python base image")
                pipeline(**arguments)
        except RuntimeError as error:
            problem = (
                log.error
                or f"pipeline {pipeline.name}: a step failed. Read why in {directory / 'log.txt'}, "
                "then run it again: finished training is not repeated."
            )
            _close_record(directory, settings, problem)
            raise IcefloeError(problem) from error
        finally:
            log.close()
    return LocalRun(directory, directory / "log.txt", time.monotonic() - began)


def _close_record(directory: Path, settings: Settings, problem: str) -> None:
    """Mark the record of a run whose steps can't go on as failed, and say why."""
    for record in _records(directory, settings):
        record.finish(succeeded=False, problem=problem)


def _records(directory: Path, settings: Settings) -> Iterator[RunRecord]:
    """The record that the run's steps share, if they came to open it."""
    from icefloe.registry.runs import RunRecord

    for path in directory.glob("steps/*/start-run/executor_output.json"):
        yield RunRecord(settings, json.loads(path.read_text(encoding="utf-8"))["parameterValues"]["Output"])


def forget_old_runs(settings: Settings, keep: int = 5) -> None:
    """Remove the intermediate artifacts of all local runs but the newest `keep`; logs stay."""
    runs = sorted((settings.state / "runs").glob("*"))
    for run in runs[:-keep]:
        shutil.rmtree(run / "steps", ignore_errors=True)


@contextmanager
def _environment(settings: Settings) -> Iterator[None]:
    """Steps are child processes: what they must know of the workspace travels in the environment."""
    before = dict(os.environ)
    os.environ["ICEFLOE_WORKSPACE"] = str(settings.workspace)
    os.environ["PYTHONUNBUFFERED"] = "1"  # progress lines appear when they are printed
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _ray(settings: Settings, say: Callable[[str], None]) -> Iterator[None]:
    """A Ray for all steps: the settings' cluster, or one started here and stopped at the end."""
    if settings.ray_address:
        os.environ["RAY_ADDRESS"] = settings.ray_address
        yield
        return
    from icefloe.training.ray_session import ADDRESS_VARIABLE, start_ray, stop_ray

    began = time.monotonic()
    os.environ[ADDRESS_VARIABLE] = start_ray()
    say(f"[dim]Ray started in {time.monotonic() - began:.0f} s[/dim]")
    try:
        yield
    finally:
        stop_ray()


@contextmanager
def _nothing() -> Iterator[None]:
    yield
