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


@app.command()
def transfer(
    real: Annotated[str, typer.Option(help="Real datasets, by commas.")] = "D1,D2",
    simulated: Annotated[str, typer.Option(help="Simulated ones, by commas.")] = "D3,D4,D5",
    encoders: Annotated[str, typer.Option(help="Of the zoo, by commas.")] = "mobilenet_v2",
    preset: Annotated[str, typer.Option(help="How to train: a preset of params.yaml.")] = "small",
    seeds: Annotated[int, typer.Option(min=1, help="Repetitions.")] = 4,
    output: Output = STUDIES,
) -> None:
    """First weights: scratch, sim and imagenet, frozen or not, at 2, 5, 10 and 20 labels (figure 6)."""
    from icefloe.params import load_params
    from icefloe.studies.transfer import Panel, run_transfer

    where, began = settings(), time.monotonic()
    both, shifted = tuple(real.split(",")), tuple(simulated.split(","))
    panels = [
        Panel("real", both, both, (2, 5, 10), 192),
        Panel("new-experiment", both[:1], both[1:], (2, 5, 10), 192),
        Panel("simulated", shifted, shifted, (2, 5, 10, 20), 128),
    ]
    study = run_transfer(
        where.data,
        load_params(where.workspace / "params.yaml", preset).training,
        panels,
        encoders.split(","),
        seeds=range(seeds),
        checkpoints=where.checkpoints,
        weights_dir=where.weights_dir,
        ray_address=where.ray_address,
    )
    _finish(study, output, began)
