"""`icefloe study`: the papers' tables and figures, and ours, on the datasets of the workspace."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from icefloe.cli.context import say, settings

if TYPE_CHECKING:
    from icefloe.studies.writing import Study

app = typer.Typer(
    help="Studies: tables and figures with intervals, on the workspace's datasets.", no_args_is_help=True
)

Output = Annotated[Path, typer.Option(help="Folder for the page, its figures and its numbers.")]
STUDIES = Path("studies")


def _finish(study: Study, output: Path, began: float) -> None:
    """Write a study down; `began` is what `time.monotonic` said at its start."""
    from icefloe.datasets.versions import current_version, is_clean
    from icefloe.studies.writing import Circumstances, write_study

    workspace = settings().workspace
    version = current_version(workspace).md5[:8]
    data = version if is_clean(workspace) else f"{version} with uncommitted changes"
    command = shlex.join(["icefloe", *sys.argv[1:]])
    page = write_study(study, output, Circumstances(command, data, time.monotonic() - began))
    say(f"Page with figures: [bold]{page}[/bold]")
