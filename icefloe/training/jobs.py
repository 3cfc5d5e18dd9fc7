"""Several trainings side by side, on this machine or a cluster, followed by their progress files."""

import os
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from icefloe.progress import SILENT, Progress
from icefloe.s3.address import is_on_s3
from icefloe.settings import MemberShare
from icefloe.training.job import Job
from icefloe.training.members import TrainedMember
from icefloe.training.outcome import is_finished, read_outcome, read_progress
from icefloe.training.progress import Listener, epoch_progress
from icefloe.training.ray_api import is_dashboard
from icefloe.training.ray_session import ADDRESS_VARIABLE, connected
from icefloe.training.submission import SubmittedJob
from icefloe.training.tasks import started
from icefloe.typing import WeightsMirror

POLL_SECONDS = 0.25
POLL_SECONDS_S3 = 2.0
"""Each look at a training's progress is a request there."""


@dataclass(frozen=True)
class Tracking:
    """Settings of members' runs in MLflow; `MLFLOW_RUN_ID`, if set, is the run they are nested in."""

    uri: str
    experiment: str = "icefloe"
    artifact_uri: str | None = None


def run_jobs(
    jobs: Sequence[Job],
    *,
    progress: Progress = SILENT,
    tracking: Tracking | None = None,
    ray_address: str | None = None,
    worker_niceness: int = 0,
    weights_dir: WeightsMirror | None = None,
    per_gpu: int | None = None,
    share: MemberShare | None = None,
) -> list[TrainedMember]:
    """Run trainings, as many at once as CPUs and GPUs allow; finished ones are not run again.

    Parameters
    ----------
    jobs
        Longest first is not needed: they are started in the order of their epochs.
    progress
        Told of every epoch of every job.
    tracking
        Where runs go in MLflow; None: nowhere.
    ray_address
        Ray cluster to train on: `http://HOST:8265` of its dashboard, which gets the trainings as a job, or
        `HOST:6379`, which this process then is a part of. If not given: the Ray that this process is
        connected to, else that of `RAY_ADDRESS`, else one started here and stopped at the end.
    worker_niceness
        By how much the workers of a Ray started here are nicer than this process.
    weights_dir
        Mirror of pre-trained weights: a folder that every worker sees, or `s3://bucket/prefix`.
    per_gpu
        Number of jobs that share a GPU; None: as many as its memory has room for.
    share
        What each job is given on a cluster that gets them by its dashboard: its workers may come only then,
        so that nothing can be counted. Elsewhere it is such a part of the CPUs and GPUs that none is idle.

    Returns
    -------
    list of TrainedMember
        Trained members in the order of the jobs.

    Raises
    ------
    IcefloeError
        If weights cannot be loaded or do not fit, a worker died too often, or the cluster or the store of
        checkpoints can't be used.
    """
    with ExitStack() as stack:
        unfinished = [job for job in jobs if not is_finished(job.store)]
        address = ray_address or os.environ.get(ADDRESS_VARIABLE)
        if not unfinished:
            follow(jobs, lambda _: True, 1, progress, tracking)
        elif is_dashboard(address):
            submitted = SubmittedJob(
                str(address), jobs, share or MemberShare(), weights_dir, per_gpu, progress
            )
            follow(jobs, submitted.wait, len(jobs), progress, tracking)
        else:
            stack.enter_context(connected(address, worker_niceness))
            tasks = stack.enter_context(started(unfinished, len(jobs), None, weights_dir, per_gpu, progress))
            follow(jobs, tasks.wait, tasks.n_at_once, progress, tracking)
    return [read_outcome(job.store) for job in jobs]


def follow(
    jobs: Sequence[Job],
    wait: Callable[[float], bool],
    n_at_once: int,
    progress: Progress,
    tracking: Tracking | None = None,
) -> None:
    """Report the epochs of trainings until they are done.

    Parameters
    ----------
    jobs
        The trainings.
    wait
        Waits for about so many seconds, and says whether all are done; raises what one of them failed of.
    n_at_once
        Number of trainings that run side by side.
    progress
        Told of every epoch of every job.
    tracking
        Where runs go in MLflow; None: nowhere.
    """
    with ExitStack() as stack:
        listeners = epoch_progress(progress, {job.name: job.config.epochs for job in jobs}, n_at_once)
        if tracking is not None:
            # MLflow takes seconds to import; meanwhile the workers start.
            from icefloe.training.tracking import member_runs

            configs = {job.name: job.config for job in jobs}
            runs = member_runs(tracking.uri, tracking.experiment, configs, tracking.artifact_uri)
            listeners.append(stack.enter_context(runs))
        pause = POLL_SECONDS_S3 if any(is_on_s3(job.directory) for job in jobs) else POLL_SECONDS
        watch = _ProgressReader(jobs, listeners, pause)
        watch.report_new()
        while not wait(pause):
            watch.report_due()
        watch.report_new()


class _ProgressReader:
    """Reads the jobs' progress files, and reports each entry once."""

    def __init__(self, jobs: Iterable[Job], listeners: Iterable[Listener], pause: float) -> None:
        self._listeners, self._pause = list(listeners), pause
        self._pending = {job.name: job.store for job in jobs}
        self._n_seen = dict.fromkeys(self._pending, 0)
        self._looked_at = 0.0

    def report_due(self) -> None:
        """Report what is new, if the last look is long enough ago."""
        if time.monotonic() - self._looked_at >= self._pause:
            self.report_new()

    def report_new(self) -> None:
        """Report to the listeners what is new since the last call."""
        for name, store in list(self._pending.items()):
            finished = is_finished(store)  # asked first: afterwards no epoch is added
            for record in read_progress(store)[1][self._n_seen[name] :]:
                self._n_seen[name] = record.epoch
                for listener in self._listeners:
                    listener.on_epoch(name, record)
            if finished:
                del self._pending[name]
                for listener in self._listeners:
                    listener.on_finished(name, read_outcome(store).receipt)
        self._looked_at = time.monotonic()
