"""Entry point: commands, global options, and what an error prints."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from icefloe.cli import (
    context,
    data,
    database,
    fewshot,
    label_studio,
    labels,
    models,
    physics,
    pipelines,
    recordings,
    results,
    studies,
    weights,
    withdrawal,
)
from icefloe.cli.pretrain import pretrain
from icefloe.cli.serving import serve, worker
from icefloe.errors import IcefloeError, explain_system_error

REFUSED, INTERRUPTED = 2, 130

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
label_studio.app.command()(withdrawal.withdraw)
label_studio.app.command()(withdrawal.withdrawn)
app.add_typer(label_studio.app, name="labels")
app.add_typer(fewshot.app, name="fewshot")
app.add_typer(database.app, name="db")
app.add_typer(studies.app, name="study")
app.add_typer(weights.app, name="weights")
app.command()(recordings.stack)
app.command()(recordings.watch)
app.command()(results.predict)
app.command()(physics.physics)
app.command()(results.report)
app.command()(results.runs)
app.command()(pretrain)
app.command()(serve)
app.command()(worker)


def _print_version(requested: bool) -> None:
    if requested:
        from importlib.metadata import version

        context.say(f"icefloe {version('icefloe')}")
        raise typer.Exit


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
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    context.use_workspace(workspace)


@app.command()
def init(
    directory: Annotated[Path, typer.Argument(help="New folder, or an existing empty one.")],
) -> None:
    """Make a workspace: a folder with git, DVC, settings and parameters, for your own data."""
    from icefloe.datasets.versions import init_workspace
    from icefloe.params import DEFAULT_PARAMS

    init_workspace(directory, params_text=DEFAULT_PARAMS.read_text(encoding="utf-8"))
    context.say(f"Workspace ready: {directory}")
    command = f"icefloe -C {shlex.quote(str(directory))} data simulate"
    context.say("Next: ", context.bold(command), " or ", context.bold("data import"), ".")


def main() -> None:
    """Run the command line; an error that the user can fix prints one line and exits with 2."""
    # MLflow logs every table that it makes.
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    context.print_any_character()
    try:
        # In standalone mode typer prints its errors in a box of five lines.
        code = app(prog_name="icefloe", standalone_mode=False)
    except IcefloeError as error:
        context.refuse(str(error))
        code = REFUSED
    except typer.TyperException as error:
        if message := error.format_message():  # none where the command's help was shown
            context.refuse(f"{' '.join(message.split()).rstrip('.')}. See `{_command(error)} --help`.")
        code = REFUSED
    except KeyboardInterrupt:
        code = INTERRUPTED
    except Exception as error:
        explanation = explain_system_error(error, context.place())
        if explanation is None:
            raise
        context.refuse(explanation)
        code = REFUSED
    if code == INTERRUPTED:  # typer's own words for an interrupt are this code
        context.errors.print("Stopped. Run the same command again to go on.")
    sys.exit(code)


def _command(error: typer.TyperException) -> str:
    """The command that was used wrongly, such as `icefloe data import`."""
    command = getattr(error, "ctx", None)
    return command.command_path if command else "icefloe"
