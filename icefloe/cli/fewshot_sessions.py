"""`icefloe fewshot watch`, `to-dataset` and `register`: what a session is good for beyond its own image."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from icefloe.cli.context import bold, progress, say, settings, warn

INTERRUPTED = 130

Image = Annotated[
    Path | None,
    typer.Option(help="The session's image. Default: the file of its name beside it.", show_default=False),
]
SecondsPerImage = Annotated[
    float | None,
    typer.Option(
        min=1e-6,
        help="Time between two images of a series in s. Default: shown from image to image.",
        show_default=False,
    ),
]
Author = Annotated[
    str | None, typer.Option(help="Who chose the supports. Default: this user.", show_default=False)
]


def watch(
    folder: Annotated[Path, typer.Argument(help="Folder that images arrive in.")],
    supports: Annotated[Path, typer.Option(help="A session (.json).")],
    output: Annotated[Path, typer.Option(help="Folder for maps, charts, tables and fractions.")],
    image: Annotated[
        Path | None,
        typer.Option(
            help="The session's image. Default: the file of its name in the folder, or beside the session.",
            show_default=False,
        ),
    ] = None,
    idle: Annotated[
        float | None,
        typer.Option(
            metavar="S",
            min=0.1,
            help="End after this many seconds without a new image. Default: at Ctrl-C.",
            show_default=False,
        ),
    ] = None,
    seconds_per_image: SecondsPerImage = None,
) -> None:
    """Classify images as they arrive in a folder, each once, also when the command is run again."""
    from icefloe.workflow.fewshot_watch import watch_images

    with progress() as bars:
        watched = watch_images(
            settings(),
            folder,
            supports,
            output,
            image,
            idle_s=idle,
            seconds_per_image=seconds_per_image,
            progress=bars,
        )
    if watched.series is None:
        say("No image was classified.")
    else:
        say(watched.series.sentence())
    if watched.broken:
        warn(f"Left out: {', '.join(watched.broken)}.")
    say("Maps, charts and fractions: ", bold(output))
    if watched.interrupted:
        raise typer.Exit(INTERRUPTED)


def to_dataset(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="A session (.json), its image if that does not lie beside it, and further images of the "
            "series; or several sessions with sets of the same names.",
        ),
    ],
    name: Annotated[str, typer.Option(help="Name of the new dataset, such as D7.")],
    background: Annotated[
        str | None,
        typer.Option(
            help="Set that becomes class 0. Default: the one called background, else the first.",
            show_default=False,
        ),
    ] = None,
    author: Author = None,
    licence: Annotated[str, typer.Option(help="Licence of the images.")] = "",
) -> None:
    """Make a dataset of classified images, with the chips' classes as weak labels to train an ensemble on."""
    from icefloe.workflow.fewshot_dataset import label_weakly

    with progress() as bars:
        made = label_weakly(
            settings(),
            [file for file in files if file.suffix.lower() == ".json"],
            name,
            [file for file in files if file.suffix.lower() != ".json"],
            background=background,
            author=author,
            licence=licence,
            progress=bars,
        )
    for note in made.notes:
        warn(note)
    say(made.sentence())
    say(
        "Next: ", bold("icefloe data commit -m ..."), ", then ", bold(f"icefloe pipeline run train -d {name}")
    )


def register(
    session: Annotated[Path, typer.Argument(help="A session (.json).")],
    image: Image = None,
    data: Annotated[
        list[str] | None,
        typer.Option(
            "-d",
            "--data",
            help="Dataset with labels to score it on; its classes must be called as the sets, in order.",
            show_default=False,
        ),
    ] = None,
    author: Author = None,
) -> None:
    """Register a session as the next version FS-Tn, which predicts and measures as other versions do."""
    from icefloe.workflow.fewshot_registration import register_session

    with progress() as bars:
        registered = register_session(settings(), session, image, data or (), author, bars)
    for note in registered.notes:
        warn(note)
    say(registered.sentence())
    say("Next: ", bold(f"icefloe predict IMAGE --version {registered.version.name} --output DIR"))
