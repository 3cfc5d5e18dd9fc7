"""One training among several."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from icefloe.models.spec import MemberSpec
from icefloe.training.config import TrainingConfig
from icefloe.training.data import TrainingData
from icefloe.training.store import Store, open_store
from icefloe.typing import Place


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
        Folder of its checkpoints, or their prefix on S3; see `identity.checkpoint_directory`.
    initial
        Weights and buffers by name to start from instead of the spec's own.
    started_from
        Name of the version that `initial` comes from, for the receipt.
    """

    name: str
    spec: MemberSpec
    data: TrainingData
    config: TrainingConfig
    directory: Place
    initial: Mapping[str, np.ndarray] | None = None
    started_from: str | None = None

    @cached_property
    def store(self) -> Store:
        """Its checkpoints; opened once, since a client for S3 takes half a second to make."""
        return open_store(self.directory)
