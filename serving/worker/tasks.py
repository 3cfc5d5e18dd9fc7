"""What workers can do: kind of a job -> the function that does it."""

import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from icefloe.datasets.dataset import Dataset, Sample
from icefloe.progress import tracked
from serving.jobs.kinds import Kind
from serving.prepared import (
    MEASURED,
    Prepared,
    arriving,
    figure_file,
    find_dataset,
    find_sample,
    read_maps,
    read_planes,
    read_series,
    tiff_file,
    uploads_of,
)
from serving.worker import fewshot
from serving.worker.champion import promote, rollback
from serving.worker.context import Arguments, Context, Task
from serving.worker.data import audit, collect, withdraw
from serving.worker.inference import infer
from serving.worker.maps import draw_pictures, prepare_maps, write_tiff
from serving.worker.measured import measure
from serving.worker.planes import prepare_planes
from serving.worker.series import draw_figure, prepare_series
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


def pictures(context: Context, arguments: Arguments) -> Mapping[str, Any]:
    """Draw the maps of an image."""
    sample = _sample(context, arguments)
    draw_pictures(sample, _segment(context, sample, arguments["version"]))
    return {}


def segment(context: Context, arguments: Arguments) -> Mapping[str, Any]:
    """Segment images of a dataset, and measure them if asked to; what was done before is not done again."""
    dataset = find_dataset(context.settings, arguments["dataset"], arguments["person"])
    wanted = arguments["stems"]
    samples = [sample for sample in dataset.samples if wanted is None or sample.stem in wanted]
    context.models.get(arguments["version"])  # a job ends on the version it began with
    for sample in tracked(samples, context.progress, "Segmenting"):
        _segment(context, sample, arguments["version"], measured=arguments.get("measure", False))
    return {"n_images": len(samples)}


def tiff(context: Context, arguments: Arguments) -> Mapping[str, Any]:
    """Write a map of an image as TIFF."""
    sample, name = _sample(context, arguments), arguments["name"]
    folder = _segment(context, sample, arguments["version"])
    if not (folder / tiff_file(name)).is_file():
        write_tiff(folder, name, sample.pixel_size_nm)
    return {}


def series(context: Context, arguments: Arguments) -> Mapping[str, Any]:
    """Gather what was measured on a dataset's images."""
    dataset, version, prepared = _series(context, arguments)
    folder = prepared.series(dataset, version)
    if read_series(folder) is None:
        prepare_series(dataset, version, prepared, folder)
        _remove_older(folder.parent)
    return {}


def figure(context: Context, arguments: Arguments) -> Mapping[str, Any]:
    """Draw what was measured on a dataset's images."""
    series(context, arguments)
    dataset, version, prepared = _series(context, arguments)
    name, kind = arguments["name"], arguments["format"]
    path = prepared.series(dataset, version) / figure_file(name, kind)
    if not path.is_file():
        draw_figure(dataset, version, prepared, name, kind, path)
    return {}


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
    "pictures": pictures,
    "tiff": tiff,
    "segment": segment,
    "series": series,
    "figure": figure,
    "unpack": unpack,
    "promote": promote,
    "rollback": rollback,
    "collect": collect,
    "withdraw": withdraw,
    "audit": audit,
    "infer": infer,
    "picture": fewshot.picture,
    "unpack-picture": fewshot.unpack_picture,
    "chip-edge": fewshot.chip_edge,
    "embed": fewshot.embed,
    "classify": fewshot.classify,
    "fewshot-export": fewshot.export,
    "fewshot-series": fewshot.series,
    "fewshot-figure": fewshot.figure,
}


def _sample(context: Context, arguments: Arguments) -> Sample:
    return find_sample(context.settings, arguments["dataset"], arguments["stem"], arguments.get("person"))


def _series(context: Context, arguments: Arguments) -> tuple[Dataset, str, Prepared]:
    dataset = find_dataset(context.settings, arguments["dataset"], arguments.get("person"))
    return dataset, arguments["version"], Prepared(context.settings)


def _segment(context: Context, sample: Sample, version: str, *, measured: bool = False) -> Path:
    """Folder of an image's maps, and of its measurement if that is wanted, made where it is missing."""
    folder = Prepared(context.settings).maps(sample, version)
    has_maps = read_maps(folder) is not None
    measures = measured and not (folder / MEASURED).is_file()
    if has_maps and not measures:
        return folder
    segmenter = context.models.get(version)
    ((_, prediction),) = segmenter.predict([sample], keep_members=measures)
    if not has_maps:
        prepare_maps(version, segmenter.classes, prediction, folder)
        _remove_older(folder.parent)
        context.later.put_off(partial(draw_pictures, sample, folder))
    if measures:
        measure(sample, prediction, segmenter.threshold, folder)
    return folder


def _remove_older(folder: Path) -> None:
    """Remove what was prepared of the same image before it was replaced."""
    for other in folder.parent.iterdir():
        if other != folder and not other.name.startswith("."):
            shutil.rmtree(other, ignore_errors=True)
