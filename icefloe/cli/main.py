"""Entry point: commands, `-C`, and how errors end."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from icefloe.cli import context, data, labels, models, pipelines, results
from icefloe.errors import IcefloeError

app = typer.Typer(
    help="From electron-microscope images to trusted segmentations, kept trusted as experiments change.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(data.app, name="data")
app.add_typer(pipelines.app, name="pipeline")
app.add_typer(models.app, name="models")
app.add_typer(labels.app, name="queue")
app.command()(results.predict)
app.command()(results.report)
app.command()(results.runs)


@app.callback()
def _options(
    workspace: Annotated[
        Path | None,
        typer.Option(
            "-C",
            "--workspace",
            metavar="DIR",
            help="Work in this workspace instead of the current folder's.",
            show_default=False,
        ),
    ] = None,
) -> None:
    context.use_workspace(workspace)


@app.command()
def init(
    directory: Annotated[Path, typer.Argument(help="Folder to make; an existing empty one will do.")],
) -> None:
    """Make a workspace: a folder with git, DVC, settings and parameters, for your own data."""
    from icefloe.datasets.versions import init_workspace
    from icefloe.params import DEFAULT_PARAMS

    init_workspace(directory, params_text=DEFAULT_PARAMS.read_text(encoding="utf-8"))
    context.say(f"Workspace ready: {directory}")
    context.say(f"Next: [bold]icefloe -C {directory} data simulate[/bold] or [bold]data import[/bold].")


def main() -> None:
    """Run the command line; what a user can mend is one line and exit code 2."""
    # MLflow would tell of every table it makes, where a person waits for one answer.
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    try:
        app()
    except IcefloeError as error:
        context.refuse(str(error))
        sys.exit(2)
    except KeyboardInterrupt:
        context.errors.print("Stopped. Run the same command again to go on.")
        sys.exit(130)
