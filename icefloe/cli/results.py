"""What a person looks at: predictions, reports, past runs."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from icefloe.cli.context import console, progress, say, settings, table


def predict(
    images: Annotated[list[Path], typer.Argument(help="Images, in any format Icefloe reads.")],
    output: Annotated[Path, typer.Option(help="Folder for masks, pictures and scores.csv.")],
    version: Annotated[str, typer.Option(help="EA-T2, or an alias.")] = "champion",
    region_done: Annotated[
        bool, typer.Option(help="The two-phase region has been cut out of these images already.")
    ] = False,
    level: Annotated[
        float, typer.Option(help="Coverage of the intervals for areas: 0.5, 0.68, 0.8, 0.9, 0.95 or 0.99.")
    ] = 0.9,
) -> None:
    """Segment images: a mask, a picture with its uncertainty, and a row of scores for each."""
    from icefloe.registry.loading import load_ensemble
    from icefloe.report.files import segment_files

    ensemble = load_ensemble(settings(), version)
    guarantees = ensemble.manifest.guarantees
    results = segment_files(ensemble, images, output, ["region"] if region_done else [], level)
    with progress() as bar:
        for _ in bar.track(results, total=len(images), description="Segmenting"):
            pass
    say(f"Masks, pictures and [bold]{output / 'scores.csv'}[/bold] are ready.")
    if guarantees is None:
        say(f"No intervals for areas: {version} is not calibrated ([bold]icefloe models calibrate[/bold]).")
    else:
        for sentence in guarantees.sentences(level):
            say(sentence)


def report(
    run: Annotated[str | None, typer.Argument(help="Id of a run, from `icefloe runs`; the latest.")] = None,
    output: Annotated[Path, typer.Option(help="The page to write.")] = Path("report.html"),
) -> None:
    """Write a run's report: one self-contained HTML page."""
    from icefloe.errors import IcefloeError
    from icefloe.registry.registry import Registry
    from icefloe.registry.runs import RunRecord, list_runs
    from icefloe.report.page import write_page

    where = settings()
    if run is None:
        known = list_runs(where)
        if not known:
            raise IcefloeError(
                f"{where.workspace}: no pipeline has run here. Run one with `icefloe pipeline run`."
            )
        run = known[0]["id"]
    write_page(RunRecord(where, run), Registry(where), output)
    say(f"Report, to open in a browser: [bold]{output}[/bold]")


def runs() -> None:
    """List the pipeline runs of this workspace, newest first."""
    from icefloe.registry.runs import list_runs

    listing = table("Runs", "id", "pipeline", "status", "started")
    for run in list_runs(settings()):
        started = datetime.fromtimestamp(run["started"] / 1000).astimezone()
        listing.add_row(run["id"], run["pipeline"], run["status"].lower(), f"{started:%Y-%m-%d %H:%M}")
    console.print(listing)
