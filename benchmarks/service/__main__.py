"""The service's speed, measured: `python -m benchmarks.service labelers`, and so on."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help=__doc__, no_args_is_help=True)


@app.callback()
def choose() -> None:
    """What to measure; each writes its page in docs/speed."""


@app.command()
def labelers(seconds: Annotated[float, typer.Option(help="Time of each row.")] = 60.0) -> None:
    """Fifty labelers at once, on SQLite and PostgreSQL, with one and two web processes."""
    from benchmarks.service.labelers_page import measure_labelers

    _tell(measure_labelers(seconds))


@app.command()
def editor() -> None:
    """The mask editor on a large image: frames, input to paint, opening, handing in."""
    from benchmarks.service.editor_page import measure_editor

    _tell(measure_editor())


@app.command()
def correction(
    images: Annotated[int, typer.Option(help="How many.")] = 20,
    label_studio: Annotated[
        bool, typer.Option("--label-studio", help="Also in Label Studio (first: make .venv-label-studio).")
    ] = False,
) -> None:
    """Pre-segmentations with errors, corrected with the editor's tools: actions and seconds an image."""
    from benchmarks.service.correction_page import measure_corrections

    _tell(measure_corrections(images, label_studio))


def _tell(page: Path) -> None:
    typer.echo(f"Written: {page}")


if __name__ == "__main__":
    app()
