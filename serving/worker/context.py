"""What the functions that do jobs work with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from icefloe.progress import Progress
from icefloe.settings import Settings
from serving.worker.fewshot_vectors import Vectors
from serving.worker.later import Later
from serving.worker.models import Models
from serving.worker.snapshot import SnapshotWriter


@dataclass(frozen=True)
class Context:
    """What a task works with."""

    settings: Settings
    models: Models
    snapshots: SnapshotWriter
    progress: Progress
    later: Later
    vectors: Vectors


Arguments = Mapping[str, Any]
Task = Callable[[Context, Arguments], Mapping[str, Any]]
