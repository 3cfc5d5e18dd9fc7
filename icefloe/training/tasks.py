"""Trainings as tasks of Ray: each is retried if its worker dies, and resumed from its checkpoint."""

import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import ray
from ray.exceptions import RayError, RayTaskError

from icefloe.errors import IcefloeError, explain_system_error
from icefloe.models.spec import MemberSpec
from icefloe.progress import Progress, tracked
from icefloe.settings import MemberShare
from icefloe.training.config import TrainingConfig
from icefloe.training.data import PreparedImages, TrainingData
from icefloe.training.gpu_share import gpu_share
from icefloe.training.job import Job
from icefloe.training.node_end import GRACE_SECONDS, MEMBER
from icefloe.training.ray_session import has_gpus, member_resources, members_at_once, threads
from icefloe.training.simulated import N_PARTS, joined, simulated_part
from icefloe.typing import Place, WeightsMirror

WORKER_RETRIES = 3


class RayTasks:
    """A task per training on the Ray that this process is connected to.

    Attributes
    ----------
    n_at_once
        Number of trainings that run side by side.
    """

    def __init__(self, tasks: dict[Any, Job], n_at_once: int) -> None:
        self._tasks, self.n_at_once = tasks, n_at_once

    def wait(self, seconds: float) -> bool:
        """Wait until a training ends, or so long; whether all are done.

        Raises
        ------
        IcefloeError
            If one failed, or its worker died too often.
        """
        done, _ = ray.wait(list(self._tasks), num_returns=1, timeout=seconds)
        for task in done:
            _raise_failure(task, self._tasks.pop(task))
        return not self._tasks


@contextmanager
def started(
    jobs: Sequence[Job],
    n_members: int,
    share: MemberShare | None,
    weights_dir: WeightsMirror | None,
    per_gpu: int | None,
    progress: Progress,
) -> Iterator[RayTasks]:
    """Trainings started; when the block is left by an error, they save their last epochs and end.

    Parameters
    ----------
    jobs
        The trainings.
    n_members
        Number of all trainings of the call, finished ones too: a resumed run then computes with as many
        threads as the one that was interrupted.
    share
        What each is given; None: such a part of the CPUs and GPUs there are that none is idle.
    weights_dir
        Mirror of pre-trained weights.
    per_gpu
        Number of trainings that share a GPU; None: as many as its memory has room for.
    progress
        Told of the simulation of images.
    """
    on_gpus = share.gpu if share else has_gpus()
    part = 1 / per_gpu if per_gpu else (_measured_share(jobs, weights_dir) if on_gpus else 1.0)
    if share:
        resources = {"num_cpus": share.cpus} | ({"num_gpus": part} if on_gpus else {})
    else:
        resources = member_resources(n_members, part)
    tasks = _submit(jobs, _simulate(jobs, progress), weights_dir, resources)
    try:
        yield RayTasks(tasks, members_at_once(resources))
    except BaseException:
        for task in tasks:
            ray.cancel(task)
        if tasks:
            ray.wait(list(tasks), num_returns=len(tasks), timeout=GRACE_SECONDS)
        for task in tasks:
            ray.cancel(task, force=True)
        raise


def _measured_share(jobs: Sequence[Job], weights_dir: WeightsMirror | None) -> float:
    """The part of a GPU that the largest training needs, found by a step of each kind on a whole one."""
    kinds = {
        (job.spec.model_copy(update={"seed": 0}).model_dump_json(), job.config.batch_size): job
        for job in jobs
    }
    few = [(job.spec, _few(job.data, job.config.batch_size), job.config) for job in kinds.values()]
    # A worker for this call only, which frees the GPU's memory when it ends.
    measure = ray.remote(num_gpus=1, max_calls=1, max_retries=WORKER_RETRIES)(_measure_in_worker)
    task = measure.remote(few, weights_dir)
    _raise_failure(task, jobs[0])
    return max(gpu_share(peak, total) for peak, total in ray.get(task))


def _measure_in_worker(
    trainings: Sequence[tuple[MemberSpec, TrainingData, TrainingConfig]], weights_dir: WeightsMirror | None
) -> list[tuple[int, int]]:
    from icefloe.training.fit import measure_memory

    return [measure_memory(*training, weights_dir) for training in trainings]


def _few(data: TrainingData, n_images: int) -> TrainingData:
    """As many images as a batch holds."""
    train, validation = (part.take(part.keys[:n_images]) for part in (data.train, data.validation))
    return replace(data, train=train, validation=validation, is_new=data.is_new[: len(train)])


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
    jobs: Sequence[Job],
    simulated: Mapping[str, Any],
    weights_dir: WeightsMirror | None,
    resources: dict[str, Any],
) -> dict[Any, Job]:
    """Start one task per job, the longest first; shared data goes to the object store once."""
    train = ray.remote(**resources, max_retries=WORKER_RETRIES)(_train_in_worker)
    shared = {id(part): part for job in jobs for part in (job.data, job.initial)}
    stored: dict[int, Any] = {identity: ray.put(part) for identity, part in shared.items()}
    return {
        train.options(name=MEMBER + job.name).remote(
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
    directory: Place,
    initial: Mapping[str, np.ndarray] | None,
    started_from: str | None,
    simulated: PreparedImages | None,
    threads: int,
    weights_dir: WeightsMirror | None,
) -> None:
    from icefloe.training.fit import fit_member  # torch: in the workers only

    # Ray cancels by it, and what a shell runs in the background inherits that it is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    fit_member(
        *(spec, data, config, directory),
        initial=initial,
        started_from=started_from,
        simulated=simulated,
        threads=threads,
        weights_dir=weights_dir,
    )


def _raise_failure(task: Any, job: Job) -> None:
    try:
        ray.get(task)
    except RayTaskError as error:
        if isinstance(error.cause, IcefloeError):
            raise IcefloeError(str(error.cause)) from error
        if (explained := explain_system_error(error.cause)) is not None:
            raise IcefloeError(f"{job.name}: {explained}") from error
        raise
    except RayError as error:
        reason = " ".join(str(error).split())[:200]
        raise IcefloeError(
            f"{job.name}: its worker died {WORKER_RETRIES + 1} times ({reason}). "
            "If memory ran out, lower batch_size; run again to go on from its checkpoint."
        ) from error
