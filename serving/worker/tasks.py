"""What workers can do: kind of a job -> the function that does it."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from icefloe.datasets.dataset import Sample
from icefloe.progress import tracked
from serving.jobs.kinds import Kind
from serving.prepared import (
    Prepared,
    arriving,
    find_dataset,
    find_sample,
    read_maps,
    read_planes,
    uploads_of,
)
from serving.worker.champion import promote, rollback
from serving.worker.context import Arguments, Context, Task
from serving.worker.data import audit, collect
from serving.worker.inference import infer
from serving.worker.maps import prepare_maps
from serving.worker.planes import prepare_planes
from serving.worker.uploads import unpack as unpack_file


def planes(context: Context, arguments: Arguments) -> Mapping[str, Any]:
    """Prepare an image's pixels for browsers."""
    sample = _sample(context, arguments)
    folder = Prepared(context.settings).planes(sample)
    if read_planes(folder) is None:
        prepare_planes(sample, folder)
        _remove_older(folder)
    return {}


def maps(context: Context, arguments: Arguments) -> Mapping[str, Any]:
    """Segment an image for browsers."""
    _segment(context, _sample(context, arguments), arguments["version"])
    return {}


def segment(context: Context, arguments: Arguments) -> Mapping[str, Any]:
    """Segment images of a dataset; those that were done before are not done again."""
    dataset = find_dataset(context.settings, arguments["dataset"], arguments["person"])
    wanted = arguments["stems"]
    samples = [sample for sample in dataset.samples if wanted is None or sample.stem in wanted]
    context.models.get(arguments["version"])  # a job ends on the version it began with
    for sample in tracked(samples, context.progress, "Segmenting"):
        _segment(context, sample, arguments["version"])
    return {"n_images": len(samples)}


def unpack(context: Context, arguments: Arguments) -> Mapping[str, Any]:
    """Make a dataset of a file that somebody has sent."""
    person, upload = arguments["person"], arguments["upload"]
    folder = uploads_of(context.settings, person) / upload
    file = arriving(context.settings, person, upload) / arguments["name"]
    if not folder.is_dir():
        unpack_file(file, folder)
    return {"dataset": upload}


TASKS: dict[Kind, Task] = {
    "planes": planes,
    "maps": maps,
    "segment": segment,
    "unpack": unpack,
    "promote": promote,
    "rollback": rollback,
    "collect": collect,
    "audit": audit,
    "infer": infer,
}


def _sample(context: Context, arguments: Arguments) -> Sample:
    return find_sample(context.settings, arguments["dataset"], arguments["stem"], arguments.get("person"))


def _segment(context: Context, sample: Sample, version: str) -> None:
    folder = Prepared(context.settings).maps(sample, version)
    if read_maps(folder) is None:
        prepare_maps(sample, version, context.models.get(version), folder)
        _remove_older(folder.parent)


def _remove_older(folder: Path) -> None:
    """Remove what was prepared of the same image before it was replaced."""
    for other in folder.parent.iterdir():
        if other != folder and not other.name.startswith("."):
            shutil.rmtree(other, ignore_errors=True)
