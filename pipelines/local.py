"""Running a pipeline on this machine: `kfp.local`, Ray started once, the steps' log kept in a file."""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kfp import dsl, local

from icefloe.errors import IcefloeError
from icefloe.progress import Progress
from icefloe.settings import RUN_VARIABLE, Settings
from pipelines.step_log import StepLog
from pipelines.steps import forked_steps

if TYPE_CHECKING:
    from icefloe.registry.runs import RunRecord


@dataclass(frozen=True)
class LocalRun:
    """Folder, log and artifacts of a local run."""

    directory: Path
    log: Path
    seconds: float

    def artifacts(self, name: str) -> list[Path]:
        """Paths of the artifacts called `name`, oldest first."""
        return sorted(self.directory.glob(f"steps/**/{name}"), key=lambda path: path.stat().st_mtime)

    def record(self, settings: Settings) -> RunRecord:
        """The run's record; the first step of every pipeline opens it."""
        (record,) = _records(self.directory, settings)
        return record


def run_locally(
    pipeline: dsl.base_component.BaseComponent,
    arguments: Mapping[str, Any],
    settings: Settings,
    progress: Progress,
    process: socket.socket,
    *,
    trains: bool = True,
) -> LocalRun:
    """Run a compiled pipeline step by step on this machine.

    Parameters
    ----------
    pipeline
        A pipeline, decorated with `dsl.pipeline`.
    arguments
        Values of the pipeline's parameters.
    settings
        The workspace that the steps work in.
    progress
        Receives each step's start, end and messages.
    process
        Fork server of `step_process` that steps are started from.
    trains
        Whether the pipeline needs Ray; it is started here once, for all its steps.

    Returns
    -------
    LocalRun
        Folder, log and duration of the run.

    Raises
    ------
    IcefloeError
        If a step fails: with the step's own words when it was the user's to fix, else with the log's path.
    """
    directory = settings.state / "runs" / f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{pipeline.name}"
    directory.mkdir(parents=True)
    log = StepLog(directory / "log.txt", progress)
    began = time.monotonic()
    local.init(
        runner=local.SubprocessRunner(use_venv=False),
        pipeline_root=str(directory / "steps"),
        raise_on_error=True,
    )
    with (
        _environment(settings, directory.name),
        forked_steps(process),
        _ray(settings, progress) if trains else _nothing(),
    ):
        try:
            with redirect_stdout(log), warnings.catch_warnings():
                # The image is for clusters; local steps run in the present environment.
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
    """Mark the record of a failed run as failed, with the reason."""
    for record in _records(directory, settings):
        record.finish(succeeded=False, problem=problem)


def _records(directory: Path, settings: Settings) -> Iterator[RunRecord]:
    """The record of the run, if a step has opened it."""
    from icefloe.registry.runs import RunRecord

    for path in directory.glob("steps/*/start-run/executor_output.json"):
        yield RunRecord(settings, json.loads(path.read_text(encoding="utf-8"))["parameterValues"]["Output"])


def forget_old_runs(settings: Settings, keep: int = 5) -> None:
    """Remove the intermediate artifacts of all local runs but the newest `keep`; logs stay."""
    runs = sorted((settings.state / "runs").glob("*"))
    for run in runs[:-keep]:
        shutil.rmtree(run / "steps", ignore_errors=True)


@contextmanager
def _environment(settings: Settings, run: str) -> Iterator[None]:
    """Pass the workspace and the run to the steps, which are child processes, in the environment."""
    before = dict(os.environ)
    os.environ["ICEFLOE_WORKSPACE"] = str(settings.workspace)
    os.environ[RUN_VARIABLE] = run
    os.environ["PYTHONUNBUFFERED"] = "1"  # progress lines appear when they are printed
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _ray(settings: Settings, progress: Progress) -> Iterator[None]:
    """Ray for all steps: the settings' cluster, or one started here and stopped at the end."""
    if settings.ray_address:
        os.environ["RAY_ADDRESS"] = settings.ray_address
        yield
        return
    from icefloe.training.ray_session import ADDRESS_VARIABLE, start_ray, stop_ray

    began = time.monotonic()
    os.environ[ADDRESS_VARIABLE] = start_ray(worker_niceness=settings.worker_niceness)
    progress.tell(f"Ray started in {time.monotonic() - began:.0f} s")
    try:
        yield
    finally:
        stop_ray()


@contextmanager
def _nothing() -> Iterator[None]:
    yield
