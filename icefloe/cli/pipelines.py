"""`icefloe pipeline`: run on this machine, or compile for Kubeflow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from icefloe.cli.context import bold, progress, say, settings
from pipelines.names import PipelineName

if TYPE_CHECKING:
    from icefloe.drift.report import Outcome

app = typer.Typer(help="Pipelines: run here, or compile for Kubeflow.", no_args_is_help=True)

EXIT_CODES: dict[Outcome, int] = {"accept": 0, "shifted": 3, "noisy": 4, "inconclusive": 5}
"""Of `drift_check`, so that a schedule can act on the outcome; 1 and 2 are failures of any command."""

Preset = Annotated[
    str,
    typer.Option(
        help="auto: a first version is planned from data, machine and --minutes, later ones have their "
        "champion's settings. Or a preset of params.yaml, such as demo or paper."
    ),
]


@app.command()
def run(
    name: Annotated[PipelineName, typer.Argument(help="Which pipeline.")],
    preset: Preset = "auto",
    dataset: Annotated[
        list[str] | None,
        typer.Option(
            "--dataset",
            "-d",
            help="train: datasets to train on; default: all labelled ones. "
            "drift_check, retrain: the new dataset. fewshot: the dataset to classify. "
            "loop: datasets of the first version; default: all labelled ones.",
        ),
    ] = None,
    arriving: Annotated[
        list[str] | None,
        typer.Option(help="loop: datasets that arrive, in order. Default: all with labels held back."),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(min=1, help="auto: time that the training of a first version may take.  [default: 12]"),
    ] = None,
    version: Annotated[
        str | None,
        typer.Option(help="fewshot: a version such as FS-T1. Default: the newest.", show_default=False),
    ] = None,
) -> None:
    """Run a pipeline on this machine, step by step. Run again, it does not repeat finished training.

    The exit code of drift_check is its outcome: 0 accept, 3 shifted, 4 noisy, 5 inconclusive.
    """
    from pipelines.run import run_pipeline

    with progress() as bars:
        ran = run_pipeline(settings(), name, preset, dataset or (), arriving or (), bars, minutes, version)
    say(f"Done in {ran.seconds:.0f} s. Log: {ran.log}")
    say("Report, to open in a browser: ", bold(ran.report))
    if ran.champion:
        say(ran.champion)
    if ran.gate is not None:
        say(ran.gate.sentence())
        raise typer.Exit(EXIT_CODES[ran.gate.outcome])


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
