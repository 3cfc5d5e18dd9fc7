"""An experiment measured with an ensemble: its numbers as files, its figures, and a page of both."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, select_autoescape

from icefloe.files import write_bytes_atomic, write_text_atomic
from icefloe.physics.agreement import Agreement
from icefloe.physics.experiment import RATED, ExperimentPhysics
from icefloe.physics.export import write_csv, write_hdf5
from icefloe.physics.figures import unit_words
from icefloe.physics.quantity import significant
from icefloe.report.figures import data_uri, png
from icefloe.typing import FloatArray

if TYPE_CHECKING:
    pass


def write_physics(
    experiment: ExperimentPhysics, agreements: Sequence[Agreement], background: FloatArray, output: Path
) -> Path:
    """Write `physics.csv`, `.json`, `.h5`, `.html` and the figures' PNG files; return the page.

    Parameters
    ----------
    experiment
        Measurements to write.
    agreements
        Agreement with labels; empty where there are none.
    background : float32, shape (H, W)
        Image that outlines are drawn over.
    output
        Folder, made if need be; files of earlier runs are replaced.
    """
    figures = {
        "series": experiment.plot_series(),
        "fronts": experiment.plot_fronts(),
        "outlines": experiment.plot_outlines(background),
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
