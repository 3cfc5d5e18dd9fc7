"""What workers can do: kind of a job -> the function that does it."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from serving.jobs.kinds import Kind
from serving.prepared import Prepared, find_sample, read_maps, read_planes
from serving.worker.champion import promote, rollback
from serving.worker.context import Arguments, Context, Task
from serving.worker.data import audit, collect
from serving.worker.maps import prepare_maps
from serving.worker.planes import prepare_planes


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
    version = arguments["version"]
    folder = Prepared(context.settings).maps(sample, version)
    if read_maps(folder) is None:
        prepare_maps(sample, version, context.models.get(version), folder)
        _remove_older(folder.parent)
    return {}


TASKS: dict[Kind, Task] = {
    "planes": planes,
    "maps": maps,
    "promote": promote,
    "rollback": rollback,
    "collect": collect,
    "audit": audit,
}


def _remove_older(folder: Path) -> None:
    """Remove what was prepared of the same image before it was replaced."""
    for other in folder.parent.iterdir():
        if other != folder and not other.name.startswith("."):
            shutil.rmtree(other, ignore_errors=True)
