"""Parallel training of all members of a version."""

import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from icefloe.datasets.dataset import Dataset
from icefloe.datasets.splits import Split
from icefloe.errors import IcefloeError
from icefloe.files import sha256_file
from icefloe.models.mirror import local_file
from icefloe.models.spec import MemberSpec
from icefloe.progress import SILENT, Progress
from icefloe.settings import MemberShare
from icefloe.training.config import TrainingConfig
from icefloe.training.data import TrainingData, prepare
from icefloe.training.identity import checkpoint_directory
from icefloe.training.job import Job
from icefloe.training.jobs import Tracking, run_jobs
from icefloe.training.members import MembersDir, save_members
from icefloe.training.previous import PreviousVersion
from icefloe.typing import Place, WeightsMirror

logger = logging.getLogger(__name__)


def train_members(
    datasets: Iterable[Dataset],
    split: Split,
    config: TrainingConfig,
    *,
    output: Path,
    checkpoints: Place,
    start_from: Path | None = None,
    new_keys: Iterable[str] = (),
    progress: Progress = SILENT,
    tracking: Tracking | None = None,
    ray_address: str | None = None,
    worker_niceness: int = 0,
    weights_dir: WeightsMirror | None = None,
    share: MemberShare | None = None,
) -> MembersDir:
    """Train every member of a configuration, as many at once as CPUs and GPUs allow.

    Run again after a kill, it finds its own checkpoints: finished members are not trained again, others go on
    where they stood. Checkpoints stay until `checkpoint.remove_checkpoints` is called.

    Parameters
    ----------
    datasets
        Datasets whose samples the split names.
    split
        Training and validation samples, or folds: then each member validates on one of them, by its place in
        the configuration, or on that of the member of its name in the version that it starts from.
    config
        Members and settings. With `start_from`, its `retraining` settings are in force for members that start
        from there.
    output
        The members' directory, made whole or not at all.
    checkpoints
        Folder on a disk that every Ray worker sees, or `s3://bucket/prefix`.
    start_from
        Directory of the previous version's ensemble. Members start from its weights, matched by name; those
        it does not have, such as one that was pruned then, are trained from scratch on the same data, so that
        an ensemble can grow again.
    new_keys
        Samples labelled since that version: they are drawn `retraining.new_data_weight` times as often.
    progress
        Told of every candidate's epochs.
    tracking
        Where runs go in MLflow; None: nowhere.
    ray_address
        Ray cluster to train on, as of `run_jobs`.
    worker_niceness
        By how much the workers of a Ray started here are nicer than this process.
    weights_dir
        Mirror of pre-trained weights: a folder that every worker sees, or `s3://bucket/prefix`.
    share
        What each member is given on a cluster, as of `run_jobs`.

    Returns
    -------
    MembersDir
        The directory of all trained members.

    Raises
    ------
    IcefloeError
        If the split is empty, data or weights cannot be used, or a worker died too often.
    """
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise IcefloeError(f"{output}: the folder exists already. Name a new directory for the members.")
    new_keys = set(new_keys)
    data = prepare(datasets, split, config.preprocessing, new_keys)
    if config.simulated_per_batch and len(data[0].classes) > 2:
        raise IcefloeError(
            f"simulated_share mixes in images of one kind of object, but the classes are "
            f"{', '.join(data[0].classes)}. Set simulated_share: 0."
        )
    hashes = [part.sha256 for part in data]
    previous = None if start_from is None else PreviousVersion.load(start_from)
    folds = member_folds(config.members, split, previous)
    jobs = member_jobs(config, data, hashes, folds, checkpoints, previous, weights_dir)
    seen = _trained_on(jobs, {} if previous is None else previous.trained_on(set(split.train) - new_keys))
    trained = run_jobs(
        jobs,
        progress=progress,
        tracking=tracking,
        ray_address=ray_address,
        worker_niceness=worker_niceness,
        weights_dir=weights_dir,
        per_gpu=config.members_per_gpu,
        share=share,
    )
    return save_members(
        output,
        [
            replace(member, receipt=replace(member.receipt, fold=folds[job.name], trained_on=seen[job.name]))
            for job, member in zip(jobs, trained, strict=True)
        ],
        {
            "classes": list(data[0].classes),
            "preprocessing": config.preprocessing.model_dump(mode="json"),
            "views": config.views,
            "data_sha256": _hash_of(hashes),
            "train": list(split.train),
            "validation": [key for part in data for key in part.validation.keys],
            "folds": [list(fold) for fold in split.folds],
        },
        [part.validation.judged_masks for part in data],
    )


def member_folds(
    members: Iterable[MemberSpec], split: Split, previous: PreviousVersion | None
) -> dict[str, int | None]:
    """Member -> the fold that it validates on; None for all where the split has no folds.

    A member that starts from a previous version's keeps its fold, wherever it now stands in the
    configuration: on the images of another one it has been trained already.
    """
    if not split.folds:
        return {spec.name: None for spec in members}
    kept = {} if previous is None else {name: member.fold for name, member in previous.members.items()}
    folds: dict[str, int | None] = {}
    for position, spec in enumerate(members):
        fold = kept.get(spec.name)
        folds[spec.name] = (position if fold is None else fold) % len(split.folds)
    return folds


def member_jobs(
    config: TrainingConfig,
    data: Sequence[TrainingData],
    hashes: Sequence[str],
    folds: Mapping[str, int | None],
    checkpoints: Place,
    previous: PreviousVersion | None,
    weights_dir: WeightsMirror | None,
) -> list[Job]:
    """A job per member; the same inputs, files of first weights included, give the same checkpoints' folder.

    Parameters
    ----------
    config
        Members and settings; for members of `previous` its `retraining` settings are in force.
    data
        Training and validation images, by fold.
    hashes
        SHA-256 of each fold's training data; it decides where checkpoints lie.
    folds
        Member -> the fold that it validates on; None: there are no folds.
    checkpoints
        Place of all checkpoints.
    previous
        The version that the training starts from; None: from scratch.
    weights_dir
        Folder with a mirror of the pre-trained weights.

    Raises
    ------
    IcefloeError
        If `previous` has none of the members.
    """
    if previous is not None and not any(spec.name in previous.names for spec in config.members):
        names = ", ".join(spec.name for spec in config.members)
        raise IcefloeError(
            f"{previous.path}: has none of the members {names}. "
            "Name them as that version did, or train from scratch."
        )
    retraining = config.for_retraining()
    jobs = []
    for spec in config.members:
        part = folds[spec.name] or 0
        how, initial, init_sha256, started_from = config, None, _pretrained(spec, weights_dir), None
        if previous is not None and spec.name in previous.names:
            how, started_from = retraining, previous.name
            initial, init_sha256 = previous.weights(spec.name)
        elif previous is not None:
            logger.info("%s: %s has no such member; it is trained from scratch.", spec.name, previous.name)
        directory = checkpoint_directory(checkpoints, spec, how, hashes[part], init_sha256)
        jobs.append(Job(spec.name, spec, data[part], how, directory, initial, started_from))
    return jobs


def _trained_on(jobs: Sequence[Job], known: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Member -> keys of the images that move its weights, now and in earlier trainings (`known`)."""
    seen = {}
    n_new = 0
    for job in jobs:
        before = known[job.name] if job.started_from else ()
        seen[job.name] = tuple(dict.fromkeys((*before, *job.data.train.keys)))
        validation = job.data.validation.keys
        n_seen = len(set(before) & set(validation))
        n_new += len(validation) - n_seen
        if n_seen:
            logger.warning(
                "%s: %s trained it on %d of its %d validation images, so its validation scores flatter it. "
                "Keep split.folds as it was there.",
                *(job.name, job.started_from, n_seen, len(validation)),
            )
    if not n_new:
        raise IcefloeError(
            f"{jobs[0].started_from}: its members were trained on all images that would now judge them. "
            "Set split.folds as it was there, label more images, or train from scratch."
        )
    return seen


def _hash_of(hashes: Sequence[str]) -> str:
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


def _pretrained(spec: MemberSpec, weights_dir: WeightsMirror | None) -> str | None:
    """Hash of a local weights file, which may change; published weights do not."""
    if spec.weights == "none":
        return None
    path = local_file(spec.encoder, spec.weights, weights_dir)
    return None if path is None else sha256_file(path)
