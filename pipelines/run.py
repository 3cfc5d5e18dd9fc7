"""Run one of the pipelines on this machine, with the workspace's presets, datasets and registry."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from icefloe.datasets.versions import current_version, is_clean
from icefloe.errors import IcefloeError
from icefloe.progress import SILENT, Progress
from icefloe.settings import Settings
from pipelines.named import dataset_arguments, version_argument
from pipelines.names import PipelineName
from pipelines.step_process import step_process

if TYPE_CHECKING:
    from icefloe.drift.report import GateReport
    from icefloe.params import Params
    from pipelines.local import LocalRun

AUTO = "auto"
"""Name of the preset that is planned, not read from `params.yaml`."""

TRAINING = (PipelineName.TRAIN, PipelineName.RETRAIN, PipelineName.LOOP)


@dataclass(frozen=True)
class PipelineRun:
    """A run that succeeded.

    Attributes
    ----------
    log, report
        File with everything that the steps printed, and the HTML report.
    seconds
        Wall time of the run, in s.
    gate
        Report of the drift gate, for a run of `drift_check`.
    champion
        The version in use after a training, and why it is only provisional, in a sentence; else empty.
    """

    log: Path
    report: Path
    seconds: float
    gate: GateReport | None
    champion: str


def run_pipeline(
    settings: Settings,
    name: PipelineName,
    preset: str,
    datasets: Sequence[str] = (),
    arriving: Sequence[str] = (),
    progress: Progress = SILENT,
    minutes: float | None = None,
    version: str | None = None,
) -> PipelineRun:
    """Run a pipeline step by step; finished training is not repeated when it is run again.

    Parameters
    ----------
    settings
        Settings of the workspace.
    name
        Name of the pipeline.
    preset
        A preset of the workspace's `params.yaml`, or `auto`: a first version is planned from its data, this
        machine and the time; a later one has its champion's settings.
    datasets
        `train`, `loop`: datasets of the first version; none: all labelled ones. `drift_check`, `retrain`,
        `fewshot`: the one dataset.
    arriving
        `loop`: datasets that arrive later, in order; none: all whose labels are held back.
    progress
        Receives each step's start, end and messages.
    minutes
        Wall time that the training of a first version should take with `auto`; None: the planner's default.
    version
        `fewshot`: the few-shot version, such as `FS-T1`; None: the newest.

    Raises
    ------
    IcefloeError
        If the preset or a dataset is missing, there is no data version or no champion where one is needed, or
        a step fails.
    """
    with step_process() as process:
        # After that process was started, which takes as long to make its imports as this one does.
        from pipelines.catalogue import PIPELINES
        from pipelines.local import forget_old_runs, run_locally

        pipeline = PIPELINES[name]
        trains = name in TRAINING
        given = _given_params(settings, preset, minutes)
        if given and trains:
            given.training.check_several_members()
        named = dataset_arguments(name, datasets, arriving, settings.data)
        named |= version_argument(settings, name, version)
        check_ready(name, settings, progress)
        params = given or _planned_params(settings, name, named, minutes, progress)
        known = pipeline.component_spec.inputs or {}
        sections = params.sections() if params else {}
        arguments = {key: value for key, value in sections.items() if key in known} | named
        ran = run_locally(pipeline, arguments, settings, progress, process, trains=trains)
    report = settings.workspace / "reports" / f"{ran.directory.name}.html"
    report.parent.mkdir(exist_ok=True)
    shutil.copyfile(ran.artifacts("report")[-1], report)
    forget_old_runs(settings)
    gate = None if name is not PipelineName.DRIFT_CHECK else _gate(ran, settings, arguments["dataset"])
    return PipelineRun(ran.log, report, ran.seconds, gate, champion_sentence(settings) if trains else "")


def package_defaults(settings: Settings, preset: str) -> dict[str, Any]:
    """A preset's sections, as the defaults of packages.

    Raises
    ------
    IcefloeError
        If there is no such preset, or it is the one that is planned.
    """
    from icefloe.params import load_params

    if preset == AUTO:
        raise IcefloeError(
            "A package has no data and no machine to plan for, so it cannot have the preset auto. "
            "Name a preset of params.yaml, such as paper."
        )
    return load_params(settings.workspace / "params.yaml", preset).sections()


def compile_pipelines(settings: Settings, preset: str, output: Path) -> list[Path]:
    """Write every pipeline as a package that Kubeflow Pipelines takes, with a preset as its defaults."""
    from pipelines.catalogue import PIPELINES
    from pipelines.image import check_exact
    from pipelines.packages import compile_package

    sections = package_defaults(settings, preset)
    if settings.profile == "cluster":
        check_exact(settings.image)
    return [
        compile_package(pipeline, sections, output / f"{name}.yaml", settings.image, settings.pods)
        for name, pipeline in PIPELINES.items()
    ]


def _given_params(settings: Settings, preset: str, minutes: float | None) -> Params | None:
    """The settings of a preset of `params.yaml`; None: they are to be planned."""
    from icefloe.params import load_params

    if preset == AUTO:
        return None
    if minutes is not None:
        raise IcefloeError(
            f"--minutes is for the preset {AUTO}, and {preset} says itself how long it trains. "
            "Leave one of the two out."
        )
    return load_params(settings.workspace / "params.yaml", preset)


def _planned_params(
    settings: Settings, name: PipelineName, named: dict[str, Any], minutes: float | None, progress: Progress
) -> Params | None:
    """The settings that a plan comes to: a new one for a first version, the champion's for the next one."""
    if name not in TRAINING:  # there are defaults for the rest
        return None
    from icefloe.workflow.planning import champions_params, plan_version, planned_params

    if name is PipelineName.RETRAIN:
        return champions_params(settings, progress)
    first = named["initial"] if name is PipelineName.LOOP else named["datasets"]
    return planned_params(plan_version(settings, first, minutes, progress))


def _gate(ran: LocalRun, settings: Settings, dataset: str) -> GateReport:
    from icefloe.drift.report import GateReport

    return GateReport.model_validate(ran.record(settings).read_json(f"gate/{dataset}.json"))


def champion_sentence(settings: Settings) -> str:
    from icefloe.registry.registry import Registry  # MLflow, which no start of a run should wait for

    return Registry(settings).champion_sentence()


def check_ready(name: PipelineName, settings: Settings, progress: Progress) -> None:
    """Refuse at once what a step would refuse later, and warn of uncommitted changes."""
    current_version(settings.workspace)
    if name in (PipelineName.DRIFT_CHECK, PipelineName.RETRAIN):
        from icefloe.registry.registry import Registry  # MLflow, which the other pipelines need in steps only

        Registry(settings).get("champion")
    if not is_clean(settings.workspace):
        progress.warn(
            f"{settings.data}: it differs from the committed data version, which runs use. "
            "Take the changes in with `icefloe data commit -m ...`."
        )
