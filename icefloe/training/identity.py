"""Identity of a checkpoint: data, spec, configuration and first weights of the training."""

import hashlib
import json
from collections.abc import Iterable

from icefloe.models.spec import MemberSpec
from icefloe.training.config import TrainingConfig
from icefloe.training.store import below
from icefloe.typing import Place

FORMAT = 1
"""Raise it when the same inputs come to mean another training."""

_KEY_LENGTH = 16


def checkpoint_directory(
    root: Place, spec: MemberSpec, config: TrainingConfig, data_sha256: str, init_sha256: str | None
) -> Place:
    """Folder of the checkpoints of one member's training with one configuration on one set of images.

    Parameters
    ----------
    root
        The place of all checkpoints, a folder or on S3.
    spec
        Specification of the member.
    config
        The other members it lists have no part in the name, nor how many share a GPU.
    data_sha256
        SHA-256 of images, masks and keys (`TrainingData.sha256`).
    init_sha256
        SHA-256 of the file of first weights: the previous version's or a pre-trained one. None for random
        weights and for published ones, which their name identifies.
    """
    identity = {
        "format": FORMAT,
        "spec": spec.model_dump(mode="json"),
        "config": config.model_dump(mode="json", exclude={"members", "members_per_gpu"}),
        "data": data_sha256,
        "init": init_sha256,
    }
    return below(root, f"{spec.name}-{_digest(identity)}")


def joint_identity(directories: Iterable[Place]) -> str:
    """What names several trainings together: the same for the same ones, in whatever order."""
    return _digest(sorted(str(directory).rpartition("/")[2] for directory in directories))


def _digest(identity: object) -> str:
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:_KEY_LENGTH]
