"""`icefloe study`: the papers' tables and figures, and ours, on the datasets of the workspace."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from icefloe.cli.context import progress, say, settings

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
def gate(
    ensemble: Annotated[
        Path | None, typer.Option(help="A saved ensemble; without it the workspace's champion.")
    ] = None,
    standard: Annotated[int, typer.Option(min=11, help="Standard experiments, for false alarms.")] = 200,
    repeats: Annotated[int, typer.Option(min=2, help="Experiments of each cause and strength.")] = 12,
    per_day: Annotated[float, typer.Option(min=0, help="Experiments the gate sees in a day.")] = 4.0,
    processes: Annotated[int, typer.Option(min=1, help="Experiments simulated at once.")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="Of the experiments.")] = 0,
    output: Output = STUDIES,
) -> None:
    """The drift gate: false alarms a month, smallest shifts detected, and whether it says what moved."""
    import tempfile

    from icefloe.registry.registry import Registry
    from icefloe.studies.gate.study import run_gate

    began, where = time.monotonic(), settings()
    with tempfile.TemporaryDirectory() as scratch, progress() as bar:
        if ensemble is None:
            registry = Registry(where)
            directory, name = (
                registry.download("champion", Path(scratch) / "champion"),
                registry.get("champion").name,
            )
        else:
            directory, name = ensemble, ensemble.resolve().name
        task = bar.add_task("Simulated experiments", total=None)
        study = run_gate(
            directory,
            where.data,
            where.state / "gate",
            name=name,
            n_standard=standard,
            repeats=repeats,
            per_day=per_day,
            processes=processes,
            seed=seed,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    _finish(study, output, began)
