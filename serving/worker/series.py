"""A whole series as a version measured it: curves, a table, figures."""

import io
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from icefloe.datasets.dataset import Dataset
from icefloe.files import atomic_directory, write_bytes_atomic, write_text_atomic
from icefloe.physics.experiment import ExperimentPhysics
from icefloe.physics.export import write_csv
from icefloe.physics.quantity import Quantity
from icefloe.workflow.physics import Scale, gather
from serving.prepared import ABOUT, TABLE, Curve, FigureFormat, FigureName, Prepared, Series
from serving.worker.measured import read_measured

DPI = 150


def prepare_series(dataset: Dataset, version: str, prepared: Prepared, folder: Path) -> None:
    """Gather what was measured on a dataset's images, and write curves and a table.

    Parameters
    ----------
    dataset, version
        The dataset, all of whose images that version has measured.
    prepared
        Where the images' measurements are.
    folder
        New folder for both.

    Raises
    ------
    IcefloeError
        If an image could not be measured; the message names it.
    """
    experiment, sentences = _gathered(dataset, version, prepared)
    with atomic_directory(folder) as beside:
        write_csv(experiment, beside / TABLE)
        series = Series(
            version=version,
            stems=tuple(image.name for image in experiment.images),
            times_s=tuple(experiment.times_s.tolist()),
            curves={name: _curve(quantity) for name, quantity in experiment.quantities.items()},
            sentences=tuple(sentences),
            notes=experiment.notes,
        )
        write_text_atomic(beside / ABOUT, series.model_dump_json())


def draw_figure(
    dataset: Dataset, version: str, prepared: Prepared, name: FigureName, kind: FigureFormat, path: Path
) -> None:
    """Write a figure of a series, as the experiment draws itself.

    Parameters
    ----------
    dataset, version, prepared
        As of `prepare_series`.
    name, kind
        Which figure, and whether as PNG or SVG.
    path
        The file.

    Raises
    ------
    IcefloeError
        If an image could not be measured; the message names it.
    """
    experiment, _ = _gathered(dataset, version, prepared)
    figure: Figure
    if name == "outlines":
        figure = experiment.plot_outlines(dataset.samples[0].image())
    else:
        figure = {"series": experiment.plot_series, "fronts": experiment.plot_fronts}[name]()
    drawn = io.BytesIO()
    figure.savefig(drawn, format=kind, dpi=DPI)
    write_bytes_atomic(path, drawn.getvalue())


def _gathered(dataset: Dataset, version: str, prepared: Prepared) -> tuple[ExperimentPhysics, Iterable[str]]:
    scale = Scale.of(dataset)
    images = (read_measured(prepared.maps(sample, version)) for sample in dataset.samples)
    measured = [
        replace(one, image=replace(one.image, time_s=time_s))
        for one, time_s in zip(images, scale.times_s, strict=True)
    ]
    provenance = {"ensemble": version, "source": dataset.name}
    experiment, agreements = gather(dataset, measured, scale, provenance=provenance)
    return experiment, [*experiment.sentences(), *(one.sentence() for one in agreements[:1])]


def _curve(quantity: Quantity) -> Curve:
    low, high = quantity.interval()
    known = (
        tuple(float(number) if np.isfinite(number) else None for number in numbers)
        for numbers in (quantity.values, quantity.std, low, high)
    )
    values, std, low_ends, high_ends = known
    return Curve(unit=quantity.unit, values=values, std=std, low=low_ends, high=high_ends)
