"""Measure what an experiment shows of the ice: areas, fronts, curvature and melting rate, in nm and s."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from icefloe.datasets.dataset import INFO_FILE, Dataset, Sample, load_datasets
from icefloe.datasets.importer import import_folder
from icefloe.datasets.times import composite_starts
from icefloe.datasets.versions import current_version, is_clean
from icefloe.ensemble.prediction import Prediction
from icefloe.ensemble.segmenter import Segmenter
from icefloe.errors import IcefloeError
from icefloe.imaging.region import two_phase_region
from icefloe.physics.agreement import Agreement, compare
from icefloe.physics.crystal import Crystal, measure
from icefloe.physics.experiment import ExperimentPhysics
from icefloe.physics.image import ImagePhysics, measure_image
from icefloe.progress import SILENT, Progress, tracked
from icefloe.registry.loading import load_version
from icefloe.registry.registry import Registry
from icefloe.report.physics import write_physics
from icefloe.settings import Settings
from icefloe.typing import FloatArray
from icefloe.workflow.data import steps_done
from icefloe.workflow.versions import warn_if_provisional

ICE = 1
"""The class that is measured, in masks and among several classes' probabilities."""


@dataclass(frozen=True)
class Scale:
    """Pixel size and times of images in nm and s, and the assumptions made.

    Attributes
    ----------
    pixel_size_nm
        None where it is not known; results are then in px.
    times_s
        Time at which each image began, in s.
    notes
        Sentences on what was assumed.
    """

    pixel_size_nm: float | None
    times_s: tuple[float, ...]
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, dataset: Dataset, pixel_size_nm: float | None = None, seconds_per_image: float | None = None
    ) -> Scale:
        """Of a dataset, unless given.

        Composites begin when the table of `icefloe stack` says, else a second apart; frames follow at the
        frame rate.
        """
        info = dataset.info
        size = pixel_size_nm or info.pixel_size_nm
        notes = []
        if seconds_per_image is None:
            if times := composite_starts(dataset):
                return cls(size, times)
            seconds_per_image = 1.0
            if info.frame_rate_hz is None:
                notes.append("No frame rate is known: a second per image is assumed, as for composites.")
            elif "stacked" not in info.preprocessing:
                seconds_per_image = 1.0 / info.frame_rate_hz
        numbers = [re.findall(r"\d+", sample.stem)[-1:] for sample in dataset.samples]
        if len({int(later[0]) - int(one[0]) for one, later in pairwise(numbers) if one and later}) > 1:
            notes.append(
                "Numbers in the images' names have gaps: time counts images as if none were missing."
            )
        return cls(size, tuple(sample.index * seconds_per_image for sample in dataset.samples), tuple(notes))


@dataclass(frozen=True)
class MeasuredImage:
    """One image's measurement, and that of its label where it has one."""

    image: ImagePhysics
    label: Crystal | None


def measure_dataset(segmenter: Segmenter, dataset: Dataset, scale: Scale) -> Iterator[MeasuredImage]:
    """Predict a dataset's images, and measure each on the ensemble's map and every member's.

    Parameters
    ----------
    segmenter
        An ensemble, whose members' maps show how far it can be trusted.
    dataset
        Dataset whose images are measured, in time order.
    scale
        Pixel size and times of the dataset.

    Yields
    ------
    MeasuredImage
        Of every image as it is done.

    Raises
    ------
    IcefloeError
        If an image cannot be used; the message names it.
    """
    pixel_size = scale.pixel_size_nm or 1.0
    predicted = segmenter.predict(dataset.samples, keep_members=True)
    for (sample, prediction), time_s in zip(predicted, scale.times_s, strict=True):
        yield measure_prediction(sample, prediction, segmenter.threshold, pixel_size, time_s)


def measure_prediction(
    sample: Sample, prediction: Prediction, threshold: float, pixel_size: float, time_s: float
) -> MeasuredImage:
    """Measure one image, and its label where it has one.

    Parameters
    ----------
    sample
        The image.
    prediction
        Its segmentation, with the members' maps.
    threshold
        The ensemble's.
    pixel_size
        Edge of a pixel in nm; 1 leaves every result in pixels.
    time_s
        When it was taken, in s.

    Raises
    ------
    IcefloeError
        If the image cannot be used; the message names it.
    """
    try:
        region = two_phase_region(sample.image())[1]
    except IcefloeError as error:
        raise IcefloeError(f"{sample.key}: {error}") from error
    mean, members, level = ice_maps(prediction, threshold)
    image = measure_image(sample.stem, time_s, mean, members, level, pixel_size, region=region)
    return MeasuredImage(image, _measured_label(sample, pixel_size, image.ensemble.centre_nm))


def ice_maps(prediction: Prediction, threshold: float) -> tuple[FloatArray, FloatArray, float]:
    """Maps whose crossing of one level is the ice's outline, the ensemble's and the members', and the level.

    With several classes it is where ice is as probable as the most probable of the others.
    """
    mean, members = prediction.mean, prediction.member_probabilities
    if members is None:
        raise ValueError("predicted without keep_members")
    if mean.ndim == 2:
        return mean, members, threshold
    return _lead_over_others(mean), np.stack([_lead_over_others(member) for member in members]), 0.0


def _lead_over_others(probabilities: FloatArray) -> FloatArray:
    others = np.delete(probabilities, ICE, axis=0)
    return np.asarray(probabilities[ICE] - others.max(axis=0))


def _measured_label(sample: Sample, pixel_size: float, origin: tuple[float, float]) -> Crystal | None:
    if not sample.has_reference:
        return None
    return measure(sample.reference() == ICE, 0.5, pixel_size, origin_nm=origin)


def gather(
    dataset: Dataset,
    measured: Sequence[MeasuredImage],
    scale: Scale,
    *,
    window_s: float | None = None,
    widening: float = 1.0,
    provenance: Mapping[str, str],
) -> tuple[ExperimentPhysics, tuple[Agreement, ...]]:
    """The experiment, and how its intervals agree with the labels there are.

    Parameters
    ----------
    dataset, scale
        The dataset, and its pixel size and times.
    measured
        Measurements of every image.
    window_s, widening, provenance
        Options of `ExperimentPhysics.from_images`.
    """
    experiment = ExperimentPhysics.from_images(
        dataset.name,
        [one.image for one in measured],
        pixel_size_nm=scale.pixel_size_nm,
        window_s=window_s,
        widening=widening,
        notes=scale.notes,
        provenance=provenance,
    )
    labels = {one.image.name: one.label for one in measured if one.label is not None}
    return experiment, compare(experiment, labels)


@dataclass(frozen=True)
class PhysicsOptions:
    """Options of the measurement of an experiment.

    Attributes
    ----------
    version
        Name of the version that segments it, or an alias.
    pixel_size_nm
        Pixel edge in nm; None: the dataset's, or the files'.
    seconds_per_image
        Time between images; None: 1 s for composites, the frame rate's for frames.
    window_s
        Seconds that a local rate is fitted over; None: a third of the experiment.
    widening
        Factor on the members' spread, as labels ask for (`Agreement`).
    region_done
        The two-phase region has been cut out of a folder's images already.
    """

    version: str = "champion"
    pixel_size_nm: float | None = None
    seconds_per_image: float | None = None
    window_s: float | None = None
    widening: float = 1.0
    region_done: bool = False

    def __post_init__(self) -> None:
        for name, number in (
            ("pixel size", self.pixel_size_nm),
            ("time between images", self.seconds_per_image),
            ("window", self.window_s),
            ("widening", self.widening),
        ):
            if number is not None and not number > 0:
                raise IcefloeError(f"A {name} of {number:g} is not positive. Give a number above 0.")


@dataclass(frozen=True)
class MeasuredPhysics:
    """An experiment's physics, its agreement with labels, and the page that shows both."""

    experiment: ExperimentPhysics
    agreements: tuple[Agreement, ...]
    page: Path

    def sentences(self) -> list[str]:
        """The measurements, and the agreement of labels with the first quantity."""
        agreement = [one.sentence() for one in self.agreements[:1]]
        return [*self.experiment.sentences(), *agreement]


def measure_physics(
    settings: Settings, source: str, options: PhysicsOptions, output: Path | None, progress: Progress = SILENT
) -> MeasuredPhysics:
    """Segment a whole experiment, measure it, and write tables, figures and a page.

    Parameters
    ----------
    settings
        Settings of the workspace.
    source
        A dataset of the workspace, or a folder of images in time order.
    options
        Options of the measurement.
    output
        Folder; None: `physics/<name>` here.
    progress
        Receives the number of images done.

    Raises
    ------
    IcefloeError
        If there is no such dataset, folder or version, or an image cannot be used.
    """
    with tempfile.TemporaryDirectory() as scratch:
        dataset, data_version = _experiment(settings, source, Path(scratch), options.region_done)
        scale = Scale.of(dataset, options.pixel_size_nm, options.seconds_per_image)
        segmenter = load_version(settings, options.version)
        images = measure_dataset(segmenter, dataset, scale)
        measured = list(tracked(images, progress, "Measuring", len(dataset.samples)))
        background = dataset.samples[0].image()
    version = Registry(settings).get(options.version)
    warn_if_provisional(settings, options.version, progress)
    provenance = {
        "ensemble": version.label,
        "ensemble_data_version": version.data_md5,
        "threshold": f"{segmenter.threshold:g}",
        "source": source,
        "data_version": data_version,
    }
    experiment, agreements = gather(
        dataset,
        measured,
        scale,
        window_s=options.window_s,
        widening=options.widening,
        provenance=provenance,
    )
    page = write_physics(experiment, agreements, background, output or Path("physics") / dataset.name)
    return MeasuredPhysics(experiment, agreements, page)


def _experiment(settings: Settings, source: str, scratch: Path, region_done: bool) -> tuple[Dataset, str]:
    """The dataset of that name and its data version, or a folder's images as a dataset, which has none."""
    if Path(source).name == source and (settings.data / source / INFO_FILE).is_file():
        version = "not committed"
        with suppress(IcefloeError):
            version = current_version(settings.workspace).md5
            version += "" if is_clean(settings.workspace) else " with uncommitted changes"
        return load_datasets(settings.data, [source])[source], version
    folder = Path(source)
    if not folder.is_dir():
        raise IcefloeError(
            f"{source}: neither a dataset of {settings.workspace} nor a folder. "
            "`icefloe data list` lists the datasets."
        )
    name = folder.resolve().name
    imported = import_folder(folder, name, scratch / "data", preprocessing=steps_done(region_done))
    for reason, names in imported.unreadable.items():  # a series without one of its images has other times
        raise IcefloeError(f"{folder / names[0]}: {reason}")
    return imported.dataset, "none"
