"""Few-shot classification, measured. Every command prints tables in Markdown; figures go to docs/figures."""

import shlex
import sys
from datetime import date
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.fewshot import figures
from benchmarks.fewshot.draws import DRAWS, draws, predicted
from benchmarks.fewshot.reference import read_reference
from benchmarks.fewshot.scenes import flakes
from benchmarks.fewshot.vectors import SPECS, embedded
from benchmarks.service.page import machine
from icefloe.errors import IcefloeError
from icefloe.fewshot.cache import Cache
from icefloe.tables import Table

app = typer.Typer(help=__doc__, no_args_is_help=True)

Data = Annotated[
    Path, typer.Option(envvar="ICEFLOE_REAL_DATA", help="Folder of fewshot-chips, superalloy and so on.")
]
CacheFolder = Annotated[Path, typer.Option(help="Where vectors are kept.")]
Figures = Annotated[Path, typer.Option(help="Where figures are written.")]

DATA, CACHE = Path("../shared/data"), Path(".icefloe/fewshot-benchmark")


@app.callback()
def choose() -> None:
    """What to measure."""


@app.command()
def accuracy(
    data: Data = DATA,
    cache: CacheFolder = CACHE,
    to: Figures = figures.FOLDER,
    n_draws: Annotated[int, typer.Option("--draws")] = DRAWS,
) -> None:
    """Accuracy, calibration, intervals and the choice of labels, on fig2_c; agreement on fig2_A."""
    from benchmarks.fewshot.accuracy import (
        accuracy_table,
        difference_table,
        measure_accuracy,
        recall_table,
    )
    from benchmarks.fewshot.calibration import calibration_table, measure_calibration
    from benchmarks.fewshot.coverage import coverage_table, measure_coverage
    from benchmarks.fewshot.missing import missing_table
    from benchmarks.fewshot.next_labels import choice_table, measure_choices
    from benchmarks.fewshot.published import published_table

    scene, kept, reference = flakes(data), Cache(cache), read_reference("fig2_c")
    counts = np.bincount(scene.classes)
    _head()
    print(
        f"{scene.grid.n_chips} chips: "
        + ", ".join(f"{count} {name}" for count, name in zip(counts, scene.names, strict=True))
        + f". Passes agree on {reference.agreement:.1%}, Cohen's kappa {reference.kappa:.2f}.\n"
    )
    found = measure_accuracy(scene, kept, n_draws)
    print(f"Supports: {found.taken}\n")
    _tell("Accuracy", accuracy_table(found, "accuracy"))
    _tell("Balanced accuracy", accuracy_table(found, "balanced"))
    for n in (2, 5):
        _tell(f"Less that of the default, {n} supports a class", difference_table(found, n))
    _tell("Chips of each class that the default finds", recall_table(found, scene.names))
    figures.save(figures.accuracy_figure(found), "accuracy", to)
    vectors = embedded(scene, SPECS[0], kept)
    calibration = measure_calibration(scene, vectors, n_draws)
    _tell("Calibration", calibration_table(calibration))
    figures.save(figures.reliability_figure(calibration), "reliability", to)
    _tell("Intervals", coverage_table(measure_coverage(scene, vectors, n_draws)))
    curves = measure_choices(scene, vectors, n_draws)
    _tell("Label next", choice_table(curves))
    figures.save(figures.next_figure(curves), "next", to)
    _tell("A class without supports", missing_table([(scene, vectors)], scene.names, n_draws))
    _tell("Agreement with the published classes of fig2_A", published_table(data, kept))


@app.command()
def limits(
    data: Data = DATA,
    cache: CacheFolder = CACHE,
    to: Figures = figures.FOLDER,
    n_draws: Annotated[int, typer.Option("--draws")] = 10,
    images: Annotated[int, typer.Option(help="How many; 0: all.")] = 0,
) -> None:
    """Where few-shot loses: chips of half and twice the suggested edge, on superalloys."""
    from benchmarks.fewshot.limits import (
        RARE,
        SUPPORTS_A_CLASS,
        edge_at,
        edge_table,
        measure_edges,
        rare_table,
        read_alloys,
    )

    alloys, kept = read_alloys(data, images), Cache(cache)
    _head()
    outcomes = measure_edges(alloys, kept, n_draws)
    _tell(f"Chip edge, {len(alloys)} images", edge_table(outcomes))
    table, n_images = rare_table(alloys, kept, n_draws)
    _tell(f"A class without supports, {n_images} images", table)
    first = alloys[0]
    examples = [("mask", first.cut(edge_at(first, 1)), first.mask)]
    for factor in (1.0, 0.25):
        scene = first.cut(edge_at(first, factor))
        sets = draws(scene, SUPPORTS_A_CLASS, 1, (RARE,))[0]
        found = predicted(scene, embedded(scene, SPECS[0], kept), sets)
        examples.append((f"chips of {scene.grid.edge} px", scene, found))
    figures.save(figures.limits_figure(outcomes, examples), "limits", to)


def _head() -> None:
    command = shlex.join(["python", "-m", "benchmarks.fewshot", *sys.argv[1:]])
    print(f"{date.today()}, `{command}`, {machine()}\n")


def _tell(title: str, table: Table) -> None:
    print(f"**{title}**\n\n{table.markdown()}", flush=True)


if __name__ == "__main__":
    try:
        app()
    except IcefloeError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
