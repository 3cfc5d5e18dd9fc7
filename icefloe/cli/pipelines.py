"""`icefloe pipeline`: run on this machine, or compile for Kubeflow."""

from __future__ import annotations

import shutil
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from icefloe.cli.context import say, settings, warn
from icefloe.errors import IcefloeError

if TYPE_CHECKING:
    from icefloe.drift.report import Outcome
    from icefloe.registry.runs import RunRecord
    from icefloe.settings import Settings

app = typer.Typer(help="Pipelines: run here, or compile for Kubeflow.", no_args_is_help=True)


class PipelineName(StrEnum):
    """The pipelines; `pipelines.catalogue` holds the same names."""

    TRAIN = "train"
    DRIFT_CHECK = "drift_check"
    RETRAIN = "retrain"
    LOOP = "loop"


EXIT_CODES: dict[Outcome, int] = {"accept": 0, "shifted": 3, "noisy": 4, "inconclusive": 5}
"""Of `drift_check`, so that a schedule can act on the outcome; 1 and 2 are failures of any command."""

Preset = Annotated[str, typer.Option(help="A preset of params.yaml, such as demo or paper.")]


@app.command()
def run(
    name: Annotated[PipelineName, typer.Argument(help="Which pipeline.")],
    preset: Preset = "demo",
    dataset: Annotated[
        list[str] | None,
        typer.Option(
            "--dataset",
            "-d",
            help="train: datasets to train on (all labelled ones). drift_check, retrain: the new dataset. "
            "loop: datasets of the first version (all labelled ones).",
        ),
    ] = None,
    arriving: Annotated[
        list[str] | None,
        typer.Option(help="loop: datasets that arrive, in order (all whose labels are held back)."),
    ] = None,
) -> None:
    """Run a pipeline here, step by step; finished training is not repeated when it is run again.

    The exit code of drift_check is its outcome: 0 accept, 3 shifted, 4 noisy, 5 inconclusive.
    """
    from icefloe.params import load_params
    from pipelines.catalogue import PIPELINES
    from pipelines.local import forget_old_runs, run_locally

    where = settings()
    pipeline = PIPELINES[name.value]
    sections = load_params(where.workspace / "params.yaml", preset).sections()
    arguments: dict[str, Any] = {key: sections[key] for key in sections if key in pipeline_inputs(pipeline)}
    arguments |= _datasets(name, dataset, arriving, where.data)
    _check_ready(name, where)
    result = run_locally(pipeline, arguments, where, say, trains=name is not PipelineName.DRIFT_CHECK)
    report = where.workspace / "reports" / f"{result.directory.name}.html"
    report.parent.mkdir(exist_ok=True)
    shutil.copyfile(result.artifacts("report")[-1], report)
    forget_old_runs(where)
    say(f"Done in {result.seconds:.0f} s. Log: {result.log}")
    say(f"Report, to open in a browser: [bold]{report}[/bold]")
    if name is PipelineName.DRIFT_CHECK:
        raise typer.Exit(_tell_outcome(result.record(where), arguments["dataset"]))


@app.command("compile")
def compile_(
    output: Annotated[Path, typer.Option(help="Folder for one YAML a pipeline.")] = Path("build/pipelines"),
    preset: Preset = "paper",
) -> None:
    """Compile every pipeline to a package that Kubeflow Pipelines takes, with a preset as its defaults."""
    from icefloe.params import load_params
    from pipelines.catalogue import PIPELINES
    from pipelines.packages import compile_package

    sections = load_params(settings().workspace / "params.yaml", preset).sections()
    for name, pipeline in PIPELINES.items():
        say(str(compile_package(pipeline, sections, output / f"{name}.yaml")))


def pipeline_inputs(pipeline: Any) -> set[str]:
    """Names of a pipeline's parameters."""
    return set(pipeline.component_spec.inputs or {})


def _tell_outcome(record: RunRecord, dataset: str) -> int:
    """Say what the drift gate found, as the last line; its exit code."""
    from icefloe.drift.report import GateReport

    report = GateReport.model_validate(record.read_json(f"gate/{dataset}.json"))
    say(escape(report.sentence()))
    return EXIT_CODES[report.outcome]


def _check_ready(name: PipelineName, where: Settings) -> None:
    """Refuse at once what a step would refuse a minute later, and tell what the run won't see."""
    from icefloe.datasets.versions import current_version, is_clean

    current_version(where.workspace)
    if name in (PipelineName.DRIFT_CHECK, PipelineName.RETRAIN):
        from icefloe.registry.registry import Registry

        Registry(where).get("champion")
    if not is_clean(where.workspace):
        warn(
            f"{where.data}: it differs from the committed data version, which runs use. "
            "Take the changes in with `icefloe data commit -m ...`."
        )


def _datasets(
    name: PipelineName, named: list[str] | None, arriving: list[str] | None, data: Path
) -> dict[str, Any]:
    from icefloe.datasets.dataset import load_datasets

    present = load_datasets(data)
    for wanted in [*(named or []), *(arriving or [])]:
        if wanted not in present:
            raise IcefloeError(f"{data / wanted}: no such dataset. There are: {', '.join(present)}.")
    if name in (PipelineName.DRIFT_CHECK, PipelineName.RETRAIN):
        if not named or len(named) > 1:
            raise IcefloeError(f"{name}: one new dataset is needed. Name it: --dataset D3.")
        return {"dataset": named[0]}
    labelled = [dataset.name for dataset in present.values() if dataset.labelled and not dataset.holds_truth]
    first = named or labelled
    if not first:
        raise IcefloeError(
            f"{data}: no dataset has labels, so nothing can be trained. Import labels with the images."
        )
    if name is PipelineName.TRAIN:
        return {"datasets": first}
    held = [dataset.name for dataset in present.values() if dataset.name not in first and dataset.holds_truth]
    if not (arriving or held):
        raise IcefloeError(
            f"{data}: no dataset with labels held back, so the loop has nobody to label. "
            "Import one with `icefloe data import DIR --name D2 --hold-labels`."
        )
    return {"initial": first, "arriving": arriving or held}
