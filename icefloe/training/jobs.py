"""Parallel trainings on Ray: each is retried if its worker dies, and resumed from its checkpoint."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import ray
from ray.exceptions import RayError, RayTaskError

from icefloe.errors import IcefloeError
from icefloe.models.spec import MemberSpec
from icefloe.progress import SILENT, Progress, tracked
from icefloe.training.config import TrainingConfig
from icefloe.training.data import PreparedImages, TrainingData
from icefloe.training.members import TrainedMember
from icefloe.training.outcome import is_finished, read_outcome, read_progress
from icefloe.training.progress import Listener, epoch_progress
from icefloe.training.ray_session import connected, member_resources, members_at_once, threads
from icefloe.training.simulated import N_PARTS, joined, simulated_part
from icefloe.typing import WeightsMirror

logger = logging.getLogger(__name__)

WORKER_RETRIES = 3
POLL_SECONDS = 0.25


@dataclass(frozen=True, eq=False)
class Job:
    """One training.

    Attributes
    ----------
    name
        Name in progress and errors; unique among the jobs of one call.
    spec, data, config
        Architecture, images and options; the members that `config` lists are ignored.
    directory
        Folder of its checkpoints; see `identity.checkpoint_directory`.
    initial
        Weights and buffers by name to start from instead of the spec's own.
    started_from
        Name of the version that `initial` comes from, for the receipt.
    """

    name: str
    spec: MemberSpec
    data: TrainingData
    config: TrainingConfig
    directory: Path
    initial: Mapping[str, np.ndarray] | None = None
    started_from: str | None = None


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
    per_gpu: int = 1,
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
        Ray cluster to train on. If not given: the Ray that this process is connected to, else that of
        `RAY_ADDRESS`, else one started here and stopped at the end.
    worker_niceness
        By how much the workers of a Ray started here are nicer than this process.
    weights_dir
        Mirror of pre-trained weights: a folder that every worker sees, or `s3://bucket/prefix`.
    per_gpu
        Number of jobs that share a GPU.

    Returns
    -------
    list of TrainedMember
        Trained members in the order of the jobs.

    Raises
    ------
    IcefloeError
        If weights cannot be loaded or do not fit, or a worker died too often.
    """
    with ExitStack() as stack:
        n_at_once = 1
        unfinished = [job for job in jobs if not is_finished(job.directory)]
        tasks: dict[Any, Job] = {}
        if unfinished:
            stack.enter_context(connected(ray_address, worker_niceness))
            resources = member_resources(len(jobs), per_gpu)
            n_at_once = members_at_once(resources)
            simulated = _simulate(unfinished, progress)
            tasks = _submit(unfinished, simulated, weights_dir, resources)
            stack.enter_context(_cancelled_on_error(tasks))
        listeners = epoch_progress(progress, {job.name: job.config.epochs for job in jobs}, n_at_once)
        if tracking is not None:
            # MLflow takes seconds to import; meanwhile the workers start.
            from icefloe.training.tracking import member_runs

            configs = {job.name: job.config for job in jobs}
            runs = member_runs(tracking.uri, tracking.experiment, configs, tracking.artifact_uri)
            listeners.append(stack.enter_context(runs))
        watch = _ProgressReader(jobs, listeners)
        watch.report_new()
        while tasks:
            done, _ = ray.wait(list(tasks), num_returns=1, timeout=POLL_SECONDS)
            for task in done:
                _raise_failure(task, tasks.pop(task))
            watch.report_new()
    return [read_outcome(job.directory) for job in jobs]


class _ProgressReader:
    """Reads the jobs' progress files, and reports each entry once."""

    def __init__(self, jobs: Iterable[Job], listeners: list[Listener]) -> None:
        self._listeners = listeners
        self._pending = {job.name: job.directory for job in jobs}
        self._n_seen = dict.fromkeys(self._pending, 0)

    def report_new(self) -> None:
        """Report to the listeners what is new since the last call."""
        for name, directory in list(self._pending.items()):
            finished = is_finished(directory)  # asked first: afterwards no epoch is added
            for record in read_progress(directory)[1][self._n_seen[name] :]:
                self._n_seen[name] = record.epoch
                for listener in self._listeners:
                    listener.on_epoch(name, record)
            if finished:
                del self._pending[name]
                for listener in self._listeners:
                    listener.on_finished(name, read_outcome(directory).receipt)


def _simulate(jobs: Sequence[Job], progress: Progress) -> dict[str, Any]:
    """The simulated images that jobs mix in, made once on all CPUs: job -> their object."""
    mixing = [job for job in jobs if job.config.simulated_per_batch]
    wanted = {job.name: (job.config.preprocessing, job.config.seed) for job in mixing}
    simulate = ray.remote(num_cpus=1)(simulated_part)
    stored = {}
    for how, seed in dict.fromkeys(wanted.values()):
        parts = [simulate.remote(how, seed, number) for number in range(N_PARTS)]
        made = tracked((ray.get(part) for part in parts), progress, "Simulating micrographs", N_PARTS)
        stored[how, seed] = ray.put(joined(made))
    return {name: stored[which] for name, which in wanted.items()}


def _submit(
    jobs: list[Job],
    simulated: Mapping[str, Any],
    weights_dir: WeightsMirror | None,
    resources: dict[str, Any],
) -> dict[Any, Job]:
    """Start one task per job, the longest first; shared data goes to the object store once."""
    train = ray.remote(**resources, max_retries=WORKER_RETRIES)(_train_in_worker)
    shared = {id(part): part for job in jobs for part in (job.data, job.initial)}
    stored: dict[int, Any] = {identity: ray.put(part) for identity, part in shared.items()}
    return {
        train.options(name=job.name).remote(
            *(job.spec, stored[id(job.data)], job.config, job.directory),
            *(stored[id(job.initial)], job.started_from, simulated.get(job.name)),
            *(threads(resources), weights_dir),
        ): job
        for job in sorted(jobs, key=lambda job: -job.config.epochs)
    }


def _train_in_worker(
    spec: MemberSpec,
    data: TrainingData,
    config: TrainingConfig,
    directory: Path,
    initial: Mapping[str, np.ndarray] | None,
    started_from: str | None,
    simulated: PreparedImages | None,
    threads: int,
    weights_dir: WeightsMirror | None,
) -> None:
    from icefloe.training.fit import fit_member  # torch: in the workers only

    fit_member(
        *(spec, data, config, directory),
        initial=initial,
        started_from=started_from,
        simulated=simulated,
        threads=threads,
        weights_dir=weights_dir,
    )


@contextmanager
def _cancelled_on_error(tasks: Mapping[Any, Job]) -> Iterator[None]:
    """Stop the jobs' workers when the driver is interrupted or one job fails; checkpoints stay."""
    try:
        yield
    except BaseException:
        for task in tasks:
            ray.cancel(task, force=True)
        raise


def _raise_failure(task: Any, job: Job) -> None:
    try:
        ray.get(task)
    except RayTaskError as error:
        if isinstance(error.cause, IcefloeError):
            raise IcefloeError(str(error.cause)) from error
        raise
    except RayError as error:
        reason = " ".join(str(error).split())[:200]
        raise IcefloeError(
            f"{job.name}: its worker died {WORKER_RETRIES + 1} times ({reason}). "
            "If memory ran out, lower batch_size; run again to go on from its checkpoint."
        ) from error
