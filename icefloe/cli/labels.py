"""`icefloe queue`: images waiting for a label, out to labelling tools and back."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from icefloe.cli.context import bold, console, say, settings, table

app = typer.Typer(
    help="Labelling queue: look, export to labelling tools, import labels.", no_args_is_help=True
)

FormatName = Annotated[
    str, typer.Argument(help="label-studio, label-studio-polygons, coco, coco-rle, labelme, ome-tiff or png.")
]


@app.command("list")
def list_() -> None:
    """List the queued images: state, why each was chosen, who has it."""
    from icefloe.active.queue import open_queue

    queue = open_queue(settings())
    listing = table(
        "Labelling queue",
        "item>",
        "image",
        "state",
        "chosen by",
        "rank>",
        "why",
        "with",
        "labelled by",
        "Dice>",
    )
    for item in queue.items():
        listing.add_row(
            str(item.id),
            item.key,
            item.state,
            item.purpose.strategy,
            str(item.purpose.rank),
            item.purpose.reason,
            item.leased_to or "",
            " and ".join(item.labelers),
            "" if item.agreement is None else f"{item.agreement:.3f}",
        )
    console.print(listing)
    say(queue.status().sentence())


@app.command("export")
def export_(
    format_name: FormatName,
    folder: Annotated[str, typer.Argument(help="New folder to write to, or s3://bucket/prefix.")],
    dataset: Annotated[
        str | None, typer.Option("-d", "--dataset", help="Only this dataset's images.")
    ] = None,
) -> None:
    """Write the waiting images with their predicted masks, for a labelling tool."""
    from icefloe.workflow import labels

    number = labels.export_labels(settings(), format_name, folder, dataset)
    say(f"{number} images written to ", bold(folder), ".")


@app.command("import")
def import_(
    format_name: FormatName,
    source: Annotated[Path, typer.Argument(help="File, folder or ZIP that the labelling tool exported.")],
    author: Annotated[str | None, typer.Option(help="Who labelled, where the format does not say.")] = None,
    accept_unchanged: Annotated[
        bool, typer.Option(help="Take masks that came back as they went out as approved.")
    ] = False,
    strict: Annotated[bool, typer.Option(help="Refuse if anything in it would not be taken.")] = False,
) -> None:
    """Take labels back: all of them, or none if any does not fit. Then: `icefloe pipeline run retrain`."""
    from icefloe.workflow import labels

    result = labels.import_labels(settings(), format_name, source, author, accept_unchanged, strict)
    for sentence in result.sentences():
        say(sentence)


@app.command()
def collect(
    message: Annotated[
        str | None, typer.Option("-m", "--message", help="Commit message of the new data version.")
    ] = None,
) -> None:
    """Bring submitted labels into the data as a new version, without retraining."""
    from icefloe.workflow import labels

    say(labels.collect_labels(settings(), message).sentence())


@app.command()
def agreement() -> None:
    """Compare two people's labels of one image, and labels made with and without the pre-segmentation."""
    from icefloe.active.consistency import label_consistency
    from icefloe.active.queue import open_queue

    found = label_consistency(open_queue(settings()))
    if found.is_empty:
        say(
            "Nothing to compare: no image went to two people, or was shown without the pre-segmentation. "
            "Set shares of them in params.yaml: sampling.labelling."
        )
        return
    if found.pairs:
        content = found.table()
        listing = table("Two labelers", *content.columns)
        for row in content.rows:
            listing.add_row(*row)
        console.print(listing)
    say(found.sentence())


@app.command()
def history(
    item: Annotated[int | None, typer.Argument(help="Number of an item; all.")] = None,
) -> None:
    """Show everything that ever happened in the queue, oldest first."""
    from icefloe.active.queue import open_queue

    listing = table("History", "when", "item>", "who", "what", "detail")
    for event in open_queue(settings()).history(item):
        when = datetime.fromtimestamp(event.time).astimezone()
        detail = ", ".join(f"{name} {value}" for name, value in event.detail.items())
        listing.add_row(f"{when:%Y-%m-%d %H:%M:%S}", str(event.item_id), event.actor, event.what, detail)
    console.print(listing)
