"""All members side by side: one Ray task each, retried when its worker dies, resumed from its checkpoint."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import ray
from ray.exceptions import RayError, RayTaskError

from icefloe.datasets.dataset import Dataset
from icefloe.datasets.splits import Split
from icefloe.errors import IcefloeError
from icefloe.models.spec import MemberSpec
from icefloe.training.config import TrainingConfig
from icefloe.training.data import TrainingData, prepare
from icefloe.training.identity import checkpoint_directory
from icefloe.training.members import MembersDir, save_members
from icefloe.training.outcome import is_finished, read_outcome, read_progress
from icefloe.training.previous import PreviousVersion
from icefloe.training.progress import Listener, display
from icefloe.training.ray_session import connected, member_resources
from icefloe.training.records import EpochRecord

logger = logging.getLogger(__name__)

WORKER_RETRIES = 3
POLL_SECONDS = 0.25


@dataclass(frozen=True)
class Tracking:
    """Where members' runs go in MLflow; `MLFLOW_RUN_ID`, when set, names the run they are nested in."""

    uri: str
    experiment: str = "icefloe"
    artifact_uri: str | None = None


@dataclass(frozen=True)
class _Job:
    """One member to train: how, where its checkpoints go, and from whose weights, if not from scratch."""

    spec: MemberSpec
    config: TrainingConfig
    directory: Path
    initial: Mapping[str, np.ndarray] | None
    started_from: str | None


def train_members(
    datasets: Iterable[Dataset],
    split: Split,
    config: TrainingConfig,
    *,
    output: Path,
    checkpoints: Path,
    start_from: Path | None = None,
    new_keys: Iterable[str] = (),
    on_epoch: Callable[[str, EpochRecord], None] | None = None,
    tracking: Tracking | None = None,
    ray_address: str | None = None,
    weights_dir: Path | None = None,
) -> MembersDir:
    """Train every member of a configuration, as many at once as CPUs and GPUs allow.

    Run again after a kill, it finds its own checkpoints: finished members are not trained again, others go on
    where they stood. Checkpoints stay until `checkpoint.remove_checkpoints` is called.

    Parameters
    ----------
    datasets
        Those whose samples the split names.
    split
        Training and validation samples.
    config
        Members and settings. With `start_from`, its `retraining` settings are in force for members that start
        from there.
    output
        The members' directory, made whole or not at all.
    checkpoints
        On a disk that every Ray worker sees.
    start_from
        Directory of the previous version's ensemble. Members start from its weights, matched by name; those
        it does not have, such as one that was pruned then, are trained from scratch on the same data, so that
        an ensemble can grow again.
    new_keys
        Samples labelled since that version: they are drawn `retraining.new_data_weight` times as often.
    on_epoch
        Called with a member's name and the record of each epoch, in this process.
    tracking
        MLflow; none by default.
    ray_address
        Ray cluster to train on. If not given: the Ray that this process is connected to, else that of
        `RAY_ADDRESS`, else one started here and stopped at the end.
    weights_dir
        Local mirror of published encoder weights, on a disk that every worker sees.

    Returns
    -------
    MembersDir

    Raises
    ------
    IcefloeError
        If the split is empty, data or weights can't be used, or a worker died too often.
    """
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise IcefloeError(f"{output}: something is here already. Name a new directory for the members.")
    data = prepare(datasets, split, config.preprocessing, new_keys)
    data_sha256 = data.sha256
    previous = None if start_from is None else PreviousVersion.load(start_from)
    jobs = _jobs(config, data_sha256, checkpoints, previous)
    with ExitStack() as stack:
        listeners: list[Listener] = [
            stack.enter_context(display({job.spec.name: job.config.epochs for job in jobs}))
        ]
        watch = _Watch(jobs, listeners, on_epoch)
        unfinished = [job for job in jobs if not is_finished(job.directory)]
        tasks: dict[Any, _Job] = {}
        if unfinished:
            stack.enter_context(connected(ray_address))
            resources = member_resources(len(jobs), config.members_per_gpu)
            tasks = _submit(unfinished, data, weights_dir, resources)
            stack.enter_context(_cancelled_on_error(tasks))
        if tracking is not None:
            # MLflow takes seconds to import; meanwhile the workers start.
            from icefloe.training.tracking import member_runs

            configs = {job.spec.name: job.config for job in jobs}
            runs = member_runs(tracking.uri, tracking.experiment, configs, tracking.artifact_uri)
            listeners.append(stack.enter_context(runs))
        watch.look()
        while tasks:
            done, _ = ray.wait(list(tasks), num_returns=1, timeout=POLL_SECONDS)
            for task in done:
                _raise_failure(task, tasks.pop(task))
            watch.look()
    return save_members(
        output,
        [read_outcome(job.directory) for job in jobs],
        {
            "classes": list(data.classes),
            "preprocessing": config.preprocessing.model_dump(mode="json"),
            "data_sha256": data_sha256,
            "train": list(data.train.keys),
            "validation": list(data.validation.keys),
        },
        data.validation.masks,
    )


class _Watch:
    """Reads what the members write down, and tells it once."""

    def __init__(
        self,
        jobs: Iterable[_Job],
        listeners: list[Listener],
        on_epoch: Callable[[str, EpochRecord], None] | None,
    ) -> None:
        self._listeners, self._on_epoch = listeners, on_epoch
        self._pending = {job.spec.name: job.directory for job in jobs}
        self._n_seen = dict.fromkeys(self._pending, 0)

    def look(self) -> None:
        """Tell the listeners what is new since the last look."""
        for name, directory in list(self._pending.items()):
            finished = is_finished(directory)  # asked first: afterwards no epoch is added
            for record in read_progress(directory)[1][self._n_seen[name] :]:
                self._n_seen[name] = record.epoch
                for listener in self._listeners:
                    listener.on_epoch(name, record)
                if self._on_epoch is not None:
                    self._on_epoch(name, record)
            if finished:
                del self._pending[name]
                for listener in self._listeners:
                    listener.on_finished(read_outcome(directory).receipt)


def _jobs(
    config: TrainingConfig, data_sha256: str, checkpoints: Path, previous: PreviousVersion | None
) -> list[_Job]:
    if previous is not None and not any(spec.name in previous.names for spec in config.members):
        names = ", ".join(spec.name for spec in config.members)
        raise IcefloeError(
            f"{previous.path}: has none of the members {names}. "
            "Name them as that version did, or train from scratch."
        )
    retraining = config.for_retraining()
    jobs = []
    for spec in config.members:
        how, initial, init_sha256, started_from = config, None, None, None
        if previous is not None and spec.name in previous.names:
            how, started_from = retraining, previous.name
            initial, init_sha256 = previous.weights(spec.name)
        elif previous is not None:
            logger.info("%s: %s has no such member; it is trained from scratch.", spec.name, previous.name)
        directory = checkpoint_directory(checkpoints, spec, how, data_sha256, init_sha256)
        jobs.append(_Job(spec, how, directory.absolute(), initial, started_from))
    return jobs


def _submit(
    jobs: list[_Job], data: TrainingData, weights_dir: Path | None, resources: dict[str, Any]
) -> dict[Any, _Job]:
    """Start a task a member, the longest first; large arrays go to the object store once."""
    train = ray.remote(**resources, max_retries=WORKER_RETRIES)(_train_in_worker)
    shared = ray.put(data)
    return {
        train.options(name=job.spec.name).remote(
            *(job.spec, shared, job.config, job.directory),
            *(ray.put(job.initial), job.started_from, resources["num_cpus"], weights_dir),
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
    threads: int,
    weights_dir: Path | None,
) -> None:
    from icefloe.training.fit import fit_member  # torch: in the workers only

    fit_member(
        *(spec, data, config, directory),
        initial=initial,
        started_from=started_from,
        threads=threads,
        weights_dir=weights_dir,
    )


@contextmanager
def _cancelled_on_error(tasks: Mapping[Any, _Job]) -> Iterator[None]:
    """Stop the members' workers when the driver is interrupted or one member fails; checkpoints stay."""
    try:
        yield
    except BaseException:
        for task in tasks:
            ray.cancel(task, force=True)
        raise


def _raise_failure(task: Any, job: _Job) -> None:
    try:
        ray.get(task)
    except RayTaskError as error:
        if isinstance(error.cause, IcefloeError):
            raise IcefloeError(str(error.cause)) from error
        raise
    except RayError as error:
        reason = " ".join(str(error).split())[:200]
        raise IcefloeError(
            f"{job.spec.name}: its worker died {WORKER_RETRIES + 1} times ({reason}). "
            "If memory ran out, lower batch_size; run again to go on from its checkpoint."
        ) from error
