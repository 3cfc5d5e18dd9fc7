"""`icefloe predict`, `report` and `runs`: predictions, reports, past runs."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from icefloe.cli.context import bold, console, progress, say, settings, table


def predict(
    images: Annotated[list[Path], typer.Argument(help="Images, in any format Icefloe reads.")],
    output: Annotated[Path, typer.Option(help="Folder for masks, pictures and scores.csv.")],
    version: Annotated[str, typer.Option(help="A version such as EA-T2, or an alias.")] = "champion",
    region_done: Annotated[
        bool, typer.Option(help="The two-phase region is cut out of these images already.")
    ] = False,
    level: Annotated[
        float,
        typer.Option(help="Confidence level of the intervals for areas: 0.5, 0.68, 0.8, 0.9, 0.95 or 0.99."),
    ] = 0.9,
) -> None:
    """Segment images: a mask, a picture with its uncertainty, and a row of scores for each."""
    from icefloe.workflow.prediction import predict_files

    with progress() as bars:
        segmented = predict_files(
            settings(), images, output, version, region_done=region_done, level=level, progress=bars
        )
    say("Masks, pictures and ", bold(segmented.table), " are ready.")
    if segmented.provisional:
        say(segmented.provisional)
    for sentence in segmented.promises:
        say(sentence)
    if not segmented.promises:
        say(f"No intervals for areas: {version} is not calibrated (", bold("icefloe models calibrate"), ").")


def report(
    run: Annotated[
        str | None, typer.Argument(help="Id of a run, from `icefloe runs`. Default: the latest.")
    ] = None,
    output: Annotated[Path, typer.Option(help="The page to write.")] = Path("report.html"),
) -> None:
    """Write a run's report: one self-contained HTML page."""
    from icefloe.workflow.runs import write_report

    write_report(settings(), output, run)
    say("Report, to open in a browser: ", bold(output))


def runs() -> None:
    """List the pipeline runs of this workspace, newest first."""
    from icefloe.registry.runs import list_runs

    listing = table("Runs", "id", "pipeline", "status", "started")
    for run in list_runs(settings()):
        started = datetime.fromtimestamp(run["started"] / 1000).astimezone()
        listing.add_row(run["id"], run["pipeline"], run["status"].lower(), f"{started:%Y-%m-%d %H:%M}")
    console.print(listing)
