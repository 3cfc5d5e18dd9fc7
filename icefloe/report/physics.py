"""An experiment measured with an ensemble: its numbers as files, its figures, and a page of both."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jinja2 import Environment, PackageLoader, select_autoescape
from numpy.typing import NDArray

from icefloe.datasets.dataset import COMPOSITES_FILE
from icefloe.errors import IcefloeError
from icefloe.files import write_bytes_atomic, write_text_atomic
from icefloe.imaging.region import two_phase_region
from icefloe.physics.agreement import Agreement, compare
from icefloe.physics.crystal import Crystal, measure
from icefloe.physics.experiment import RATED, ExperimentPhysics
from icefloe.physics.export import write_csv, write_hdf5
from icefloe.physics.figures import unit_words
from icefloe.physics.image import ImagePhysics, measure_image
from icefloe.physics.quantity import significant
from icefloe.report.figures import data_uri, png
from icefloe.typing import FloatArray

if TYPE_CHECKING:
    from icefloe.datasets.dataset import Dataset, Sample
    from icefloe.ensemble.ensemble import Ensemble
    from icefloe.ensemble.prediction import Prediction

ICE = 1
"""The class that is measured, in masks and among several classes' probabilities."""


@dataclass(frozen=True)
class Scale:
    """What pixels and images are in nm and s, and what had to be assumed.

    Attributes
    ----------
    pixel_size_nm
        None where it is not known; results are then in px.
    times_s
        When each image was begun.
    notes
        What was assumed.
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
            if times := _composite_starts(dataset):
                return cls(size, times)
            seconds_per_image = 1.0
            if info.frame_rate_hz is None:
                notes.append("No frame rate is known: a second an image is assumed, as for composites.")
            elif "stacked" not in info.preprocessing:
                seconds_per_image = 1.0 / info.frame_rate_hz
        numbers = [re.findall(r"\d+", sample.stem)[-1:] for sample in dataset.samples]
        if len({int(later[0]) - int(one[0]) for one, later in pairwise(numbers) if one and later}) > 1:
            notes.append(
                "Numbers in the images' names have gaps: time counts images as if none were missing."
            )
        return cls(size, tuple(sample.index * seconds_per_image for sample in dataset.samples), tuple(notes))


def _composite_starts(dataset: Dataset) -> tuple[float, ...]:
    """Seconds at which the composites begin; empty where not all are known, or not one after another."""
    table = dataset.path / COMPOSITES_FILE
    if not table.is_file():
        return ()
    with table.open(newline="", encoding="utf-8") as file:
        starts = {Path(row["image"]).stem: row["start_s"] for row in csv.DictReader(file)}
    found = [starts.get(sample.stem) for sample in dataset.samples]
    times = tuple(float(start) for start in found if start)
    in_order = all(one < later for one, later in pairwise(times))
    return times if in_order and len(times) == len(found) else ()


@dataclass(frozen=True)
class Measured:
    """One image's measurement, and that of its label where it has one."""

    image: ImagePhysics
    label: Crystal | None


def measure_dataset(ensemble: Ensemble, dataset: Dataset, scale: Scale) -> Iterator[Measured]:
    """Predict a dataset's images one by one, and measure each on the ensemble's map and every member's.

    Parameters
    ----------
    ensemble
        Predicts with all members' maps.
    dataset
        Its images in time order.
    scale
        Its pixel size and times.

    Yields
    ------
    Measured
        Of every image as it is done.

    Raises
    ------
    IcefloeError
        If an image can't be used; the message names it.
    """
    pixel_size = scale.pixel_size_nm or 1.0
    for sample, time_s in zip(dataset.samples, scale.times_s, strict=True):
        pixels = sample.image()
        try:
            prediction = ensemble.predict_image(pixels, sample.steps_done, keep_members=True)
            region = two_phase_region(pixels)[1]
        except IcefloeError as error:
            raise IcefloeError(f"{sample.key}: {error}") from error
        mean, members, threshold = ice_maps(prediction, ensemble.manifest.threshold)
        image = measure_image(
            sample.stem,
            time_s,
            mean,
            members,
            threshold,
            pixel_size,
            region=region,
        )
        yield Measured(image, _measured_label(sample, pixel_size, image.ensemble.centre_nm))


def ice_maps(prediction: Prediction, threshold: float) -> tuple[NDArray, NDArray, float]:
    """Maps whose crossing of one level is the ice's outline, the ensemble's and the members', and the level.

    With several classes it is where ice is as probable as the most probable of the others.
    """
    mean, members = prediction.mean, prediction.member_probabilities
    if members is None:
        raise ValueError("predicted without keep_members")
    if mean.ndim == 2:
        return mean, members, threshold
    return _lead(mean), np.stack([_lead(member) for member in members]), 0.0


def _lead(probabilities: NDArray) -> NDArray:
    others = np.delete(probabilities, ICE, axis=0)
    return np.asarray(probabilities[ICE] - others.max(axis=0))


def _measured_label(sample: Sample, pixel_size: float, origin: tuple[float, float]) -> Crystal | None:
    if not sample.has_reference:
        return None
    return measure(sample.reference() == ICE, 0.5, pixel_size, origin_nm=origin)


def gather(
    dataset: Dataset,
    measured: Sequence[Measured],
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
        As they were measured.
    measured
        Every image.
    window_s, widening, provenance
        See `ExperimentPhysics.from_images`.
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


def write_physics(
    experiment: ExperimentPhysics, agreements: Sequence[Agreement], backdrop: FloatArray, output: Path
) -> Path:
    """Write `physics.csv`, `.json`, `.h5`, `.html` and the figures' PNG files; return the page.

    Parameters
    ----------
    experiment
        To be written.
    agreements
        With labels; empty where there are none.
    backdrop : float32, shape (H, W)
        Image that outlines are drawn over.
    output
        Folder, made if need be; files of earlier runs are replaced.
    """
    figures = {
        "series": experiment.plot_series(),
        "fronts": experiment.plot_fronts(),
        "outlines": experiment.plot_outlines(backdrop),
    }
    pictures = {name: png(figure) for name, figure in figures.items()}
    write_csv(experiment, output / "physics.csv")
    write_hdf5(experiment, output / "physics.h5")
    content = {**experiment.to_dict(), "labels": [agreement.to_dict() for agreement in agreements]}
    write_text_atomic(output / "physics.json", json.dumps(content, indent=1, allow_nan=False) + "\n")
    for name, picture in pictures.items():
        write_bytes_atomic(output / f"physics-{name}.png", picture)
    environment = Environment(loader=PackageLoader("icefloe", "report"), autoescape=select_autoescape())
    page = output / "physics.html"
    text = environment.get_template("physics.html").render(
        experiment=experiment,
        rates={name: experiment.overall_rate(name) for name in RATED},
        ends=_ends(experiment),
        agreements=agreements,
        words=unit_words,
        significant=significant,
        pictures={name: data_uri(picture) for name, picture in pictures.items()},
    )
    write_text_atomic(page, text)
    return page


def _ends(experiment: ExperimentPhysics) -> list[tuple[str, str, list[tuple[float, float, float]]]]:
    """Name, unit, and value with interval in the first and the last image of every quantity."""
    rows = []
    for quantity in experiment.quantities.values():
        low, high = quantity.interval()
        ends = [(float(quantity.values[i]), float(low[i]), float(high[i])) for i in (0, -1)]
        rows.append((quantity.name.replace("_", " "), unit_words(quantity.unit), ends))
    return rows
