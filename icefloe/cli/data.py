"""`icefloe data`: simulate, import, look at, audit and version datasets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from icefloe.cli.context import bold, console, progress, say, settings, table

app = typer.Typer(help="Datasets: simulate, import, audit, version.", no_args_is_help=True)

Names = Annotated[list[str] | None, typer.Argument(help="Names of datasets. Default: all.")]


@app.command()
def simulate(
    names: Names = None,
    seed: Annotated[int, typer.Option(help="Seed of the simulator; the same seed gives the same files.")] = 0,
) -> None:
    """Simulate D1-D5 and a noisy experiment: melting ice in water, with exact masks."""
    from icefloe.workflow import data

    with progress() as bars:
        data.simulate(settings(), names or (), seed, bars)
    list_()


@app.command("import")
def import_(
    source: Annotated[Path, typer.Argument(help="Folder with the images, and masks or polygons if any.")],
    name: Annotated[str, typer.Option(help="Name of the new dataset, such as D1.")],
    experiment: Annotated[
        str | None, typer.Option(help="Experiment the images are of; the dataset's name when left out.")
    ] = None,
    author: Annotated[
        str | None, typer.Option(help="Who made the labels; the lineage of versions names them.")
    ] = None,
    licence: Annotated[str, typer.Option(help="Licence of the images.")] = "",
    pixel_size: Annotated[float | None, typer.Option(help="Pixel edge in nm.")] = None,
    metadata: Annotated[
        Path | None,
        typer.Option(
            help="CSV table with a row an image: dose, pixel size, material, diameter, session, ..."
        ),
    ] = None,
    classes: Annotated[
        str, typer.Option(help="Class names by mask value, separated by commas.")
    ] = "background,ice",
    hold_labels: Annotated[
        bool,
        typer.Option(help="Hold the labels back, to replay the loop as if the images were unlabelled."),
    ] = False,
    region_done: Annotated[
        bool, typer.Option(help="The two-phase region is cut out of these images already.")
    ] = False,
    strict: Annotated[
        bool, typer.Option(help="Refuse the folder if a file in it is not taken, or can't be read.")
    ] = False,
) -> None:
    """Import images with PNG masks, COCO or labelme polygons, or no labels at all."""
    from icefloe.workflow import data

    result = data.import_images(
        settings(),
        source,
        name,
        experiment=experiment,
        author=author,
        licence=licence,
        pixel_size_nm=pixel_size,
        metadata=metadata,
        classes=[part.strip() for part in classes.split(",")],
        hold_labels=hold_labels,
        region_done=region_done,
        strict=strict,
    )
    for sentence in result.sentences():
        say(sentence)
    say("Next: ", bold("icefloe data audit"), ", then ", bold("icefloe data commit -m ..."))


@app.command("list")
def list_() -> None:
    """List the workspace's datasets."""
    from icefloe.datasets.dataset import load_datasets

    listing = table("Datasets", "name", "images>", "labels>", "truth kept>", "experiment", "departs by")
    for dataset in load_datasets(settings().data).values():
        listing.add_row(
            dataset.name,
            str(len(dataset.samples)),
            str(len(dataset.labelled)),
            str(dataset.n_truths),
            dataset.info.experiment,
            ", ".join(dataset.info.shifts) or "-",
        )
    console.print(listing)


@app.command()
def audit(names: Names = None) -> None:
    """Check datasets: duplicates, masks, leaks between splits, trivial baselines, annotator ceiling."""
    from rich.markdown import Markdown

    from icefloe.workflow import data

    console.print(Markdown(data.audit_data(settings(), names or None).to_markdown()))


@app.command()
def commit(
    message: Annotated[str, typer.Option("-m", "--message", help="What changed in the data.")],
) -> None:
    """Record the data as they are now as a new version (DVC and git)."""
    from icefloe.workflow import data

    version = data.commit_data(settings(), message)
    say(f"Data version {version.md5} at git {version.rev[:10]}")
