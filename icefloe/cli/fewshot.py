"""`icefloe fewshot`: classify the chips of images by a few examples."""

from __future__ import annotations

import shlex
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from icefloe.cli import fewshot_sessions
from icefloe.cli.context import bold, console, progress, say, settings, table, warn

app = typer.Typer(
    help="Classify the chips of an image by a few examples of each class.", no_args_is_help=True
)

Offset = Annotated[
    tuple[int, int] | None,
    typer.Option(
        help="Top and left of the first chip, in px. Default: the image's corner.", show_default=False
    ),
]
Frame = Annotated[int | None, typer.Option(help="Which frame of a stack, from 0.", show_default=False)]


class Way(StrEnum):
    """How chips become vectors."""

    dense = "dense"
    chips = "chips"


@app.command()
def grid(
    image: Annotated[Path, typer.Argument(help="The image, in any format Icefloe reads.")],
    output: Annotated[Path, typer.Option(help="Folder for the picture of the numbered chips.")],
    edge: Annotated[
        int | None,
        typer.Option(help="Chip edge in px. Default: suggested from the image.", show_default=False),
    ] = None,
    offset: Offset = None,
    frame: Frame = None,
) -> None:
    """Propose a grid, and draw the image with its numbered chips to choose supports from."""
    from icefloe.workflow.fewshot_grid import propose_grid

    proposed = propose_grid(image, output, edge, offset or (0, 0), frame)
    for note in proposed.notes:
        warn(note)
    say(proposed.advice.sentence())
    made = proposed.grid
    say(
        f"{made.n_chips} chips of {made.edge} px, in {made.rows} rows of {made.columns}: ",
        bold(proposed.picture),
    )
    say("Write their numbers into a table with the columns ", bold("chip,set"), ", then run")
    name = shlex.quote(str(image))
    say(bold(f"icefloe fewshot classify {name} --supports TABLE.csv --edge {made.edge} --output DIR"))


@app.command()
def classify(
    images: Annotated[list[Path], typer.Argument(help="One image, or several in the order of a series.")],
    supports: Annotated[
        Path,
        typer.Option(
            help="Examples: a session (.json); or of the first image a table (.csv) with chip,set or "
            "row,column,set, or a folder of folders of chips."
        ),
    ],
    output: Annotated[Path, typer.Option(help="Folder for maps, charts, tables and the session.")],
    edge: Annotated[
        int | None,
        typer.Option(
            help="Chip edge in px. Default: the supports' own, or suggested from the image.",
            show_default=False,
        ),
    ] = None,
    offset: Offset = None,
    encoder: Annotated[
        str | None,
        typer.Option(help="An encoder of the zoo. Default: efficientnet-lite0.", show_default=False),
    ] = None,
    weights: Annotated[
        str | None, typer.Option(help="Its weights. Default: imagenet.", show_default=False)
    ] = None,
    way: Annotated[
        Way | None,
        typer.Option(
            help="One pass over the image, or each chip by itself. Default: dense.", show_default=False
        ),
    ] = None,
    surroundings: Annotated[
        bool | None,
        typer.Option(
            "--surroundings/--no-surroundings", help="Look at what is around a chip, too.", show_default=False
        ),
    ] = None,
    max_risk: Annotated[
        float | None,
        typer.Option(help="Risk above which a chip is unsure, 0 to 1. Default: 0.2.", show_default=False),
    ] = None,
    frame: Frame = None,
    seconds_per_image: fewshot_sessions.SecondsPerImage = None,
) -> None:
    """Classify the chips of images: maps, counts with intervals, tables."""
    from icefloe.workflow.fewshot import FewShotOptions, classify_images

    options = FewShotOptions(
        edge, offset, encoder, weights, way.value if way else None, surroundings, max_risk, frame
    )
    with progress() as bars:
        done = classify_images(
            settings(), images, supports, output, options, bars, seconds_per_image=seconds_per_image
        )
    for note in done.series.notes:
        warn(note)
    shown = done.last if len(images) == 1 else done.series
    say(shown.sentence())
    found = shown.table()
    listing = table("Chips, with 95 % intervals", *found.columns)
    for row in found.rows:
        listing.add_row(*row)
    console.print(listing)
    say("Maps, charts and tables are in ", bold(output), ".")


app.command()(fewshot_sessions.watch)
app.command("to-dataset")(fewshot_sessions.to_dataset)
app.command()(fewshot_sessions.register)
