"""`icefloe physics`: what an experiment shows of the ice, in nm and s."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from icefloe.cli.context import progress, say, settings, warn
from icefloe.errors import IcefloeError

if TYPE_CHECKING:
    from icefloe.datasets.dataset import Dataset


def physics(
    source: Annotated[
        str, typer.Argument(help="A dataset of the workspace, or a folder of images in time order.")
    ],
    output: Annotated[
        Path | None, typer.Option(help="Folder for tables, figures and page; physics/NAME.")
    ] = None,
    version: Annotated[str, typer.Option(help="EA-T2, or an alias.")] = "champion",
    pixel_size: Annotated[
        float | None, typer.Option(help="Pixel edge in nm; the dataset's, or the files'.")
    ] = None,
    seconds_per_image: Annotated[
        float | None, typer.Option(help="Between images; 1 for composites, the frame rate's for frames.")
    ] = None,
    window: Annotated[
        float | None, typer.Option(help="Seconds a local rate is fitted over; a third of the experiment.")
    ] = None,
    widen: Annotated[float, typer.Option(help="Factor on the members' spread, as labels ask for.")] = 1.0,
    region_done: Annotated[
        bool, typer.Option(help="The two-phase region has been cut out of the folder's images already.")
    ] = False,
) -> None:
    """Measure area, fronts, curvature and melting rate with uncertainty, over a whole experiment."""
    import tempfile

    from icefloe.ensemble.ensemble import Ensemble
    from icefloe.registry.registry import Registry
    from icefloe.report.physics import Scale, gather, measure_dataset, write_physics

    for option, number in (
        ("--pixel-size", pixel_size),
        ("--seconds-per-image", seconds_per_image),
        ("--window", window),
        ("--widen", widen),
    ):
        if number is not None and not number > 0:
            raise IcefloeError(f"{option} {number:g}: not positive. Give a number above 0.")
    registry = Registry(settings())
    with tempfile.TemporaryDirectory() as scratch:
        dataset, data_version = _source(source, Path(scratch), region_done)
        scale = Scale.of(dataset, pixel_size, seconds_per_image)
        ensemble = Ensemble.load(registry.download(version, Path(scratch) / "ensemble"))
        images = measure_dataset(ensemble, dataset, scale)
        with progress() as bar:
            measured = list(bar.track(images, total=len(dataset.samples), description="Measuring"))
        backdrop = dataset.samples[0].image()
    described = registry.get(version)
    provenance = {
        "ensemble": described.name,
        "ensemble_data_version": described.data_md5,
        "threshold": f"{ensemble.manifest.threshold:g}",
        "source": source,
        "data_version": data_version,
    }
    experiment, agreements = gather(
        dataset, measured, scale, window_s=window, widening=widen, provenance=provenance
    )
    page = write_physics(experiment, agreements, backdrop, output or Path("physics") / dataset.name)
    for sentence in experiment.sentences():
        say(escape(sentence))
    for note in experiment.notes:
        warn(note)
    for agreement in agreements[:1]:
        say(escape(agreement.sentence()))
    say(f"Tables are beside the page with the figures: [bold]{page}[/bold]")


def _source(source: str, scratch: Path, region_done: bool) -> tuple[Dataset, str]:
    """The dataset of that name and its data version, or a folder's images as a dataset, which has none."""
    from icefloe.datasets.dataset import INFO_FILE, load_datasets
    from icefloe.datasets.importer import import_folder
    from icefloe.datasets.versions import current_version, is_clean

    where = settings()
    if Path(source).name == source and (where.data / source / INFO_FILE).is_file():
        version = "not committed"
        with suppress(IcefloeError):
            version = current_version(where.workspace).md5
            version += "" if is_clean(where.workspace) else " with uncommitted changes"
        return load_datasets(where.data, [source])[source], version
    folder = Path(source)
    if not folder.is_dir():
        raise IcefloeError(
            f"{source}: neither a dataset of {where.workspace} nor a folder. "
            "`icefloe data list` lists the datasets."
        )
    done = ["region"] if region_done else []
    return import_folder(folder, folder.resolve().name, scratch / "data", preprocessing=done), "none"
