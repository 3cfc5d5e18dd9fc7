"""Few-shot classification, measured. Every command prints tables in Markdown; figures go to docs/figures."""

import shlex
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.fewshot import figures
from benchmarks.fewshot.draws import DRAWS, draws, predicted
from benchmarks.fewshot.reference import read_reference
from benchmarks.fewshot.scenes import Scene, flakes, joined
from benchmarks.fewshot.vectors import SPECS, embedded
from benchmarks.service.page import machine
from icefloe.errors import IcefloeError
from icefloe.fewshot.cache import Cache
from icefloe.tables import Table
from icefloe.typing import FloatArray

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
    from benchmarks.fewshot.accuracy import accuracy_table, difference_table, measure_accuracy, recall_table
    from benchmarks.fewshot.next_labels import choice_table, measure_choices
    from benchmarks.fewshot.published import published_table

    scene, kept, reference = flakes(data), Cache(cache), read_reference("fig2_c")
    vectors = embedded(scene, SPECS[0], kept)
    counts = np.bincount(scene.classes)
    named = ", ".join(f"{count} {name}" for count, name in zip(counts, scene.names, strict=True))
    _head()
    print(f"Chips: {named}. Passes agree on {reference.agreement:.1%}, kappa {reference.kappa:.2f}.\n")
    found = measure_accuracy(scene, kept, n_draws)
    print(f"Supports: {found.taken}\n")
    _tell("Accuracy", accuracy_table(found, "accuracy"))
    _tell("Balanced accuracy", accuracy_table(found, "balanced"))
    for n in (2, 5):
        _tell(f"Less that of the default, {n} supports a class", difference_table(found, n))
    _tell("Chips of each class that the default finds", recall_table(found, scene.names))
    figures.save(figures.accuracy_figure(found), "accuracy", to)
    for one, suffix in ((scene, ""), (joined(scene, ("edge", "flat"), "particle"), "-joined")):
        curves = measure_choices(one, vectors, n_draws)
        _tell(f"Label next: {', '.join(one.names)}", choice_table(curves))
        figures.save(figures.next_figure(curves), f"next{suffix}", to)
        _tell_confidence(one, vectors, n_draws, f"reliability{suffix}", to)
    _tell("Agreement with the published classes of fig2_A", published_table(data, kept))


def _tell_confidence(scene: Scene, vectors: FloatArray, n_draws: int, name: str, to: Path) -> None:
    from benchmarks.fewshot.calibration import calibration_table, measure_calibration
    from benchmarks.fewshot.coverage import coverage_table, error_table, measure_coverage
    from benchmarks.fewshot.missing import missing_table

    classes = ", ".join(scene.names)
    calibration = measure_calibration(scene, vectors, n_draws)
    _tell(f"Calibration: {classes}", calibration_table(calibration))
    figures.save(figures.reliability_figure(calibration), name, to)
    coverage = measure_coverage(scene, vectors, n_draws)
    _tell(f"Intervals: {classes}", coverage_table(coverage))
    _tell("Fractions, 5 supports a class", error_table(coverage, 5))
    if len(scene.names) > 2:
        _tell("A class without supports", missing_table([(scene, vectors)], scene.names, n_draws))


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


@app.command()
def times(
    chips: int = 1000,
    edge: int = 64,
    repeats: int = 3,
    series: Annotated[list[int] | None, typer.Option(help="Images of a series; several times.")] = None,
) -> None:
    """Embedding, what follows it, and series of images; needs no data."""
    from benchmarks.fewshot.series import EDGE, SIDE, series_table
    from benchmarks.fewshot.times import embedding_table, noise, step_table

    image, grid = noise(chips, edge)
    _head()
    _tell(f"Embedding, {grid.n_chips} chips of {edge} px", embedding_table(image, grid, repeats))
    _tell("After it, three sets of five", step_table(image, grid, repeats))
    title = f"A series of images of {SIDE} x {SIDE} px, chips of {EDGE} px"
    _tell(title, series_table(series or (10, 30, 100)))


@app.command()
def service(changes: int = 10) -> None:
    """A session over HTTP: the first result, and the one after a changed support; needs no data."""
    from benchmarks.fewshot.service import measure_service

    _head()
    _tell("A session over HTTP", measure_service(changes).table())


@app.command()
def labels(
    seeds: Annotated[int, typer.Option(help="Repetitions, each with images of its own.")] = 1,
    epochs: Annotated[int | None, typer.Option(help="Of the training.")] = None,
    work: Annotated[Path | None, typer.Option(help="New folder for workspaces; none: a scratch one.")] = None,
) -> None:
    """Weak labels and outlines of the same minutes, each to an ensemble; needs no data."""
    from benchmarks.fewshot.labels import EPOCHS, labels_table, measure_labels

    _head()
    with tempfile.TemporaryDirectory(prefix="icefloe-labels-") as scratch:
        rows: list[dict[str, object]] = []
        for seed in range(seeds):
            folder = (work or Path(scratch)).absolute() / f"seed-{seed}"
            rows += [{"seed": seed, **row} for row in measure_labels(folder, seed, epochs or EPOCHS)]
    _tell("Weak labels, outlines, and the ensembles of them", labels_table(rows))


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
