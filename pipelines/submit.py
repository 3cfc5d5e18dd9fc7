"""Start a pipeline on Kubeflow, and wait for it as for one that runs here."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kfp_server_api as api
import yaml

from icefloe.drift.report import GateReport
from icefloe.errors import IcefloeError
from icefloe.experiment import run_name
from icefloe.progress import SILENT, Progress
from icefloe.registry.runs import RunRecord
from icefloe.settings import Settings
from icefloe.workflow.runs import record_page
from pipelines.arguments import check_arguments
from pipelines.catalogue import PIPELINES
from pipelines.image import check_exact
from pipelines.kubeflow import Kubeflow
from pipelines.named import dataset_arguments, version_argument
from pipelines.names import PipelineName
from pipelines.packages import compile_package
from pipelines.run import TRAINING, champion_sentence, check_ready, package_defaults
from pipelines.step_log import user_error

POLL_S = 5.0
"""Between looks at a run."""

ENDED = ("SUCCEEDED", "FAILED", "CANCELED", "SKIPPED")
POD = "executor"
"""Kubeflow's name of the node, below a step's, that is the step's pod."""


@dataclass(frozen=True)
class Prepared:
    """A pipeline as Kubeflow has it, and what it is to be run with."""

    pipeline_id: str
    version_id: str
    experiment_id: str
    arguments: dict[str, Any]

    @property
    def reference(self) -> api.V2beta1PipelineVersionReference:
        """The version, for a run."""
        return api.V2beta1PipelineVersionReference(
            pipeline_id=self.pipeline_id, pipeline_version_id=self.version_id
        )

    @property
    def runtime(self) -> api.V2beta1RuntimeConfig:
        """The arguments, for a run."""
        return api.V2beta1RuntimeConfig(parameters=self.arguments)


@dataclass(frozen=True)
class SubmittedRun:
    """A run on Kubeflow.

    Attributes
    ----------
    run_id
        Kubeflow's id, by which the record is found as well.
    page
        Its page in Kubeflow.
    """

    run_id: str
    page: str


@dataclass(frozen=True)
class EndedRun:
    """A run on Kubeflow that succeeded.

    Attributes
    ----------
    record
        Its page in MLflow; empty where MLflow has no pages.
    gate
        Report of the drift gate, for a run of `drift_check`.
    champion
        The version in use after a training, in a sentence; else empty.
    """

    record: str
    gate: GateReport | None
    champion: str


def prepare(
    settings: Settings, kubeflow: Kubeflow, name: PipelineName, preset: str, arguments: Mapping[str, Any]
) -> Prepared:
    """Bring a pipeline to Kubeflow, as a version named by its content: where that is there, nothing is sent.

    Parameters
    ----------
    settings
        Image, and what the cluster has for the steps' pods.
    kubeflow
        Where to.
    name, preset
        Name of the pipeline, and preset of `params.yaml` that its package has as defaults.
    arguments
        Parameter -> value, for the run.

    Raises
    ------
    IcefloeError
        If the image is not an exact one, or an argument does not fit.
    """
    check_exact(settings.image)
    pipeline = PIPELINES[name]
    with tempfile.TemporaryDirectory() as scratch:
        path = compile_package(
            pipeline,
            package_defaults(settings, preset),
            Path(scratch) / "package.yaml",
            settings.image,
            settings.pods,
        )
        content = path.read_bytes()
        check_arguments(next(yaml.safe_load_all(content)), arguments)
        version = hashlib.sha256(content).hexdigest()[:16]
        pipeline_id, version_id = kubeflow.version_id(f"icefloe-{pipeline.name}", version, path)
    return Prepared(pipeline_id, version_id, kubeflow.experiment_id(settings.experiment), dict(arguments))


def submit_pipeline(
    settings: Settings,
    kubeflow: Kubeflow,
    name: PipelineName,
    preset: str,
    datasets: Sequence[str] = (),
    arriving: Sequence[str] = (),
    progress: Progress = SILENT,
    version: str | None = None,
) -> SubmittedRun:
    """Start a run of a pipeline on Kubeflow.

    Parameters are those of `pipelines.run.run_pipeline`, but for the preset, which cannot be planned.

    Raises
    ------
    IcefloeError
        If a dataset or the preset is missing, there is no data version or no champion where one is needed,
        the image is not an exact one, or Kubeflow refuses.
    """
    named = dataset_arguments(name, datasets, arriving, settings.data)
    named |= version_argument(settings, name, version)
    check_ready(name, settings, progress)
    prepared = prepare(settings, kubeflow, name, preset, named)
    run = api.V2beta1Run(
        display_name=run_name(" ".join([name, *datasets])),
        experiment_id=prepared.experiment_id,
        pipeline_version_reference=prepared.reference,
        runtime_config=prepared.runtime,
        service_account=settings.pods.service_account or None,
    )
    run_id = kubeflow.start(run)
    return SubmittedRun(run_id, kubeflow.run_page(run_id))


def wait_for_run(
    settings: Settings,
    kubeflow: Kubeflow,
    name: PipelineName,
    submitted: SubmittedRun,
    dataset: str,
    progress: Progress = SILENT,
    *,
    logs: bool = False,
) -> EndedRun:
    """Tell of each step until the run has ended.

    Parameters
    ----------
    settings
        Name the tracking store, where the run's results are.
    kubeflow
        Where it runs.
    name, dataset
        Name of the pipeline, and the dataset of `drift_check`.
    submitted
        The run.
    progress
        Told of each step's start and end.
    logs
        Tell as well what each step has printed, once it has ended.

    Raises
    ------
    IcefloeError
        If a step fails: with its own words when it was the user's to fix, else with the run's page.
    """
    states: dict[str, str] = {}
    while True:
        run = kubeflow.run(submitted.run_id)
        for step, pod, state in _steps(run):
            if states.get(pod) != state:
                states[pod] = state
                _tell(kubeflow, run.run_id, step, pod, state, progress, logs)
        if run.state in ENDED:
            break
        time.sleep(POLL_S)
    if run.state != "SUCCEEDED":
        raise IcefloeError(_problem(kubeflow, name, run, submitted.page))
    gate = None
    if name is PipelineName.DRIFT_CHECK:
        gate = _gate(settings, submitted.run_id, dataset)
    champion = champion_sentence(settings) if name in TRAINING else ""
    return EndedRun(record_page(settings, submitted.run_id), gate, champion)


def _steps(run: api.V2beta1Run) -> Iterator[tuple[str, str, str]]:
    """Name, pod and state of every step that has a pod, in the order of their start."""
    tasks = (run.run_details and run.run_details.task_details) or []
    parents = {child.pod_name: task for task in tasks for child in task.child_tasks or ()}
    for task in sorted(tasks, key=lambda task: str(task.start_time or task.create_time or "")):
        if not task.display_name.startswith(POD) or not task.pod_name:
            continue
        named = task
        while named.display_name.startswith(POD) and named.pod_name in parents:
            named = parents[named.pod_name]
        yield named.display_name, task.pod_name, task.state or ""


def _tell(
    kubeflow: Kubeflow, run_id: str, step: str, pod: str, state: str, progress: Progress, logs: bool
) -> None:
    readable = step.replace("-", " ")
    if state == "RUNNING":
        progress.tell(readable)
    elif state in ENDED:
        progress.tell(f"{readable}: {'done' if state == 'SUCCEEDED' else state.lower()}")
        if logs:
            for line in kubeflow.log(run_id, pod).splitlines():
                progress.tell(f"  {line}")


def _problem(kubeflow: Kubeflow, name: str, run: api.V2beta1Run, page: str) -> str:
    """Why a run failed: what its step said for the user, else where to read it."""
    if run.state != "FAILED":
        return f"{name}: the run was {run.state.lower()}. See {page}."
    for step, pod, state in _steps(run):
        if state == "FAILED":
            try:
                said = user_error(kubeflow.log(run.run_id, pod))
            except IcefloeError:  # the pod is gone, and its log with it
                said = None
            return said or f"{name}: the step {step} failed. Read why in its log: {page}"
    reason = run.error.message.strip() if run.error and run.error.message else "no step says why"
    return f"{name}: the run failed ({reason}). See {page}."


def _gate(settings: Settings, run_id: str, dataset: str) -> GateReport:
    record = RunRecord.find(settings, run_id)
    if record is None:
        raise IcefloeError(
            f"{settings.tracking_uri}: it holds no record of the run {run_id}. "
            "Set tracking_uri here to the steps' own."
        )
    return GateReport.model_validate(record.read_json(f"gate/{dataset}.json"))
