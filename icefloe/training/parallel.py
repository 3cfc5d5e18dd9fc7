"""Parallel training of all members of a version."""

import logging
from collections.abc import Iterable
from pathlib import Path

from icefloe.datasets.dataset import Dataset
from icefloe.datasets.splits import Split
from icefloe.errors import IcefloeError
from icefloe.files import sha256_file
from icefloe.models.mirror import local_file
from icefloe.models.spec import MemberSpec
from icefloe.progress import SILENT, Progress
from icefloe.training.config import TrainingConfig
from icefloe.training.data import TrainingData, prepare
from icefloe.training.identity import checkpoint_directory
from icefloe.training.jobs import Job, Tracking, run_jobs
from icefloe.training.members import MembersDir, save_members
from icefloe.training.previous import PreviousVersion
from icefloe.typing import WeightsMirror

logger = logging.getLogger(__name__)


def train_members(
    datasets: Iterable[Dataset],
    split: Split,
    config: TrainingConfig,
    *,
    output: Path,
    checkpoints: Path,
    start_from: Path | None = None,
    new_keys: Iterable[str] = (),
    progress: Progress = SILENT,
    tracking: Tracking | None = None,
    ray_address: str | None = None,
    worker_niceness: int = 0,
    weights_dir: WeightsMirror | None = None,
) -> MembersDir:
    """Train every member of a configuration, as many at once as CPUs and GPUs allow.

    Run again after a kill, it finds its own checkpoints: finished members are not trained again, others go on
    where they stood. Checkpoints stay until `checkpoint.remove_checkpoints` is called.

    Parameters
    ----------
    datasets
        Datasets whose samples the split names.
    split
        Training and validation samples.
    config
        Members and settings. With `start_from`, its `retraining` settings are in force for members that start
        from there.
    output
        The members' directory, made whole or not at all.
    checkpoints
        Folder on a disk that every Ray worker sees.
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
        Ray cluster to train on. If not given: the Ray that this process is connected to, else that of
        `RAY_ADDRESS`, else one started here and stopped at the end.
    worker_niceness
        By how much the workers of a Ray started here are nicer than this process.
    weights_dir
        Mirror of pre-trained weights: a folder that every worker sees, or `s3://bucket/prefix`.

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
    data = prepare(datasets, split, config.preprocessing, new_keys)
    data_sha256 = data.sha256
    previous = None if start_from is None else PreviousVersion.load(start_from)
    jobs = member_jobs(config, data, data_sha256, checkpoints, previous, weights_dir)
    trained = run_jobs(
        jobs,
        progress=progress,
        tracking=tracking,
        ray_address=ray_address,
        worker_niceness=worker_niceness,
        weights_dir=weights_dir,
        per_gpu=config.members_per_gpu,
    )
    return save_members(
        output,
        trained,
        {
            "classes": list(data.classes),
            "preprocessing": config.preprocessing.model_dump(mode="json"),
            "views": config.views,
            "data_sha256": data_sha256,
            "train": list(data.train.keys),
            "validation": list(data.validation.keys),
        },
        data.validation.masks,
    )


def member_jobs(
    config: TrainingConfig,
    data: TrainingData,
    data_sha256: str,
    checkpoints: Path,
    previous: PreviousVersion | None,
    weights_dir: WeightsMirror | None,
) -> list[Job]:
    """A job per member; the same inputs, files of first weights included, give the same checkpoints' folder.

    Parameters
    ----------
    config
        Members and settings; for members of `previous` its `retraining` settings are in force.
    data
        Training and validation images.
    data_sha256
        SHA-256 of the training data; it decides where checkpoints lie.
    checkpoints
        Folder of all checkpoints.
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
        how, initial, init_sha256, started_from = config, None, _pretrained(spec, weights_dir), None
        if previous is not None and spec.name in previous.names:
            how, started_from = retraining, previous.name
            initial, init_sha256 = previous.weights(spec.name)
        elif previous is not None:
            logger.info("%s: %s has no such member; it is trained from scratch.", spec.name, previous.name)
        directory = checkpoint_directory(checkpoints, spec, how, data_sha256, init_sha256)
        jobs.append(Job(spec.name, spec, data, how, directory.absolute(), initial, started_from))
    return jobs


def _pretrained(spec: MemberSpec, weights_dir: WeightsMirror | None) -> str | None:
    """Hash of a local weights file, which may change; published weights do not."""
    if spec.weights == "none":
        return None
    path = local_file(spec.encoder, spec.weights, weights_dir)
    return None if path is None else sha256_file(path)
