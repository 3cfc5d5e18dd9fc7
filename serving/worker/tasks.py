"""What workers can do: kind of a job -> the function that does it."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from icefloe.progress import Progress
from icefloe.settings import Settings
from serving.jobs.kinds import Kind
from serving.prepared import Prepared, find_sample, read_maps, read_planes
from serving.worker.maps import prepare_maps
from serving.worker.models import Models
from serving.worker.planes import prepare_planes


@dataclass(frozen=True)
class Context:
    """What a task works with."""

    settings: Settings
    models: Models
    progress: Progress


Arguments = Mapping[str, Any]
Task = Callable[[Context, Arguments], Mapping[str, Any]]


def planes(context: Context, arguments: Arguments) -> Mapping[str, Any]:
    """Prepare an image's pixels for browsers."""
    sample = find_sample(context.settings, arguments["dataset"], arguments["stem"])
    folder = Prepared(context.settings).planes(sample)
    if read_planes(folder) is None:
        prepare_planes(sample, folder)
        _remove_older(folder)
    return {}


def maps(context: Context, arguments: Arguments) -> Mapping[str, Any]:
    """Segment an image for browsers."""
    sample = find_sample(context.settings, arguments["dataset"], arguments["stem"])
    folder = Prepared(context.settings).maps(sample, arguments["version"])
    if read_maps(folder) is None:
        prepare_maps(sample, context.models.get(arguments["version"]), folder)
        _remove_older(folder.parent)
    return {}


TASKS: dict[Kind, Task] = {"planes": planes, "maps": maps}


def _remove_older(folder: Path) -> None:
    """Remove what was prepared of the same image before it was replaced."""
    for other in folder.parent.iterdir():
        if other != folder and not other.name.startswith("."):
            shutil.rmtree(other, ignore_errors=True)
