"""`icefloe pipeline`: run on this machine, or on Kubeflow, once or on a schedule."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from icefloe.cli.context import bold, console, progress, say, settings, table
from pipelines.names import PipelineName

if TYPE_CHECKING:
    from icefloe.drift.report import GateReport, Outcome

app = typer.Typer(help="Pipelines: run here, or on Kubeflow, once or on a schedule.", no_args_is_help=True)

EXIT_CODES: dict[Outcome, int] = {"accept": 0, "shifted": 3, "noisy": 4, "inconclusive": 5}
"""Of `drift_check`, so that a schedule can act on the outcome; 1 and 2 are failures of any command."""

Preset = Annotated[
    str,
    typer.Option(
        help="auto: a first version is planned from data, machine and --minutes, later ones have their "
        "champion's settings. Or a preset of params.yaml, such as demo or paper."
    ),
]

GivenPreset = Annotated[
    str,
    typer.Option("--preset", help="A preset of params.yaml, such as demo or paper: the package's defaults."),
]

Datasets = Annotated[
    list[str] | None,
    typer.Option(
        "--dataset",
        "-d",
        help="train: datasets to train on; default: all labelled ones. "
        "drift_check, retrain: the new dataset. fewshot: the dataset to classify. "
        "loop: datasets of the first version; default: all labelled ones.",
    ),
]

Arriving = Annotated[
    list[str] | None,
    typer.Option(help="loop: datasets that arrive, in order. Default: all with labels held back."),
]

Version = Annotated[
    str | None,
    typer.Option(help="fewshot: a version such as FS-T1. Default: the newest.", show_default=False),
]


@app.command()
def run(
    name: Annotated[PipelineName, typer.Argument(help="Which pipeline.")],
    preset: Preset = "auto",
    dataset: Datasets = None,
    arriving: Arriving = None,
    minutes: Annotated[
        float | None,
        typer.Option(min=1, help="auto: time that the training of a first version may take.  [default: 12]"),
    ] = None,
    version: Version = None,
) -> None:
    """Run a pipeline on this machine, step by step. Run again, it does not repeat finished training.

    The exit code of drift_check is its outcome: 0 accept, 3 shifted, 4 noisy, 5 inconclusive.
    """
    from pipelines.run import run_pipeline

    with progress() as bars:
        ran = run_pipeline(settings(), name, preset, dataset or (), arriving or (), bars, minutes, version)
    say(f"Done in {ran.seconds:.0f} s. Log: {ran.log}")
    say("Report, to open in a browser: ", bold(ran.report))
    _end(ran.champion, ran.gate)


@app.command("compile")
def compile_(
    output: Annotated[Path, typer.Option(help="Folder for the YAML files, one per pipeline.")] = Path(
        "build/pipelines"
    ),
    preset: Annotated[str, typer.Option(help="A preset of params.yaml, such as demo or paper.")] = "paper",
) -> None:
    """Compile every pipeline to a package for Kubeflow Pipelines, with a preset as its defaults."""
    from pipelines.run import compile_pipelines

    for package in compile_pipelines(settings(), preset, output):
        say(str(package))


@app.command()
def submit(
    name: Annotated[PipelineName, typer.Argument(help="Which pipeline.")],
    preset: GivenPreset = "paper",
    dataset: Datasets = None,
    arriving: Arriving = None,
    version: Version = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the end, and end as `run` does.")] = False,
    logs: Annotated[
        bool, typer.Option("--logs", help="Wait, and show what each step has printed once it has ended.")
    ] = False,
) -> None:
    """Run a pipeline on Kubeflow. A package that Kubeflow has already is not sent again.

    With --wait the exit code of drift_check is its outcome: 0 accept, 3 shifted, 4 noisy, 5 inconclusive.
    """
    from pipelines.kubeflow import Kubeflow
    from pipelines.submit import submit_pipeline, wait_for_run

    found = settings()
    kubeflow = Kubeflow(found)
    with progress() as bars:
        submitted = submit_pipeline(
            found, kubeflow, name, preset, dataset or (), arriving or (), bars, version
        )
        say("Run: ", bold(submitted.page))
        if found.tracking_uri.startswith("http"):
            say("Records: ", bold(f"{found.tracking_uri.rstrip('/')}/#/experiments"))
        if not wait and not logs:
            return
        ended = wait_for_run(found, kubeflow, name, submitted, next(iter(dataset or ()), ""), bars, logs=logs)
    if ended.record:
        say("Record: ", bold(ended.record))
    _end(ended.champion, ended.gate)


@app.command()
def schedule(
    name: Annotated[PipelineName, typer.Argument(help="Which pipeline.")],
    cron: Annotated[
        str,
        typer.Option(
            help='Minute, hour, day, month and weekday, such as "0 5 * * *": every day at 5, in the time '
            "zone of Kubeflow, mostly UTC."
        ),
    ],
    preset: GivenPreset = "paper",
    dataset: Datasets = None,
    version: Version = None,
) -> None:
    """Let Kubeflow run a pipeline again and again. Given again, it changes the schedule where it differs."""
    from pipelines.cron import Cron
    from pipelines.kubeflow import Kubeflow
    from pipelines.schedule import schedule_pipeline

    times, found = Cron.parse(cron), settings()
    made = schedule_pipeline(found, Kubeflow(found), name, times, preset, dataset or (), version)
    change = {"new": "scheduled", "changed": "changed"}.get(made.change, "as before")
    say(f"{made.name}: {change}, {made.cron}.")


@app.command()
def schedules() -> None:
    """List what Kubeflow runs again and again."""
    from pipelines.kubeflow import Kubeflow
    from pipelines.schedule import list_schedules

    found = settings()
    rows = table("Schedules", "name", "cron", "parameters")
    for one in list_schedules(found, Kubeflow(found)):
        rows.add_row(one.name, one.cron, ", ".join(f"{key} {value}" for key, value in one.arguments.items()))
    console.print(rows)


@app.command()
def unschedule(
    name: Annotated[PipelineName, typer.Argument(help="Which pipeline.")], dataset: Datasets = None
) -> None:
    """Stop a schedule; a run that goes on is let end."""
    from pipelines.kubeflow import Kubeflow
    from pipelines.schedule import unschedule_pipeline

    found = settings()
    say(f"{unschedule_pipeline(found, Kubeflow(found), name, dataset or ())}: no longer scheduled.")


def _end(champion: str, gate: GateReport | None) -> None:
    """Say what came of a run; one that judged a dataset ends the command with its outcome."""
    if champion:
        say(champion)
    if gate is not None:
        if gate.predicted is not None:
            say(gate.predicted.sentence())
        say(gate.sentence())  # last: what a run of the pages is summed up by
        raise typer.Exit(EXIT_CODES[gate.outcome])
