"""Runs of pipelines, and what the drift gate says of datasets."""

from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from serving.api.jobs import OpenJobs, asked
from serving.auth.identity import CurrentPerson
from serving.jobs.job import Job
from serving.jobs.kinds import RunKind
from serving.prepared import find_dataset
from serving.problems import RefusedError
from serving.registry import current_snapshot
from serving.snapshot import DriftVerdict, RunEntry

router = APIRouter(tags=["runs"])

Name = Annotated[str, Field(max_length=255)]
Preset = Annotated[str, Field(max_length=100, pattern=r"^\w[\w.-]*$")]


class DriftCheck(BaseModel):
    """The dataset to compare with the champion's benchmark."""

    dataset: Name


class NewRun(BaseModel):
    """What to run.

    Attributes
    ----------
    kind
        `train`: a first version. `retrain`: the next one, from the champion and the labels submitted for
        `dataset`. `collect`: make a data version of the labels submitted so far.
    dataset
        Of `retrain`: the new dataset.
    datasets
        Of `train`: datasets to train on; none: all labelled ones.
    preset
        `auto`, or a preset of params.yaml.
    minutes
        Of `train` with `auto`: time that the training may take.
    """

    kind: Literal["train", "retrain", "collect"]
    dataset: Name | None = None
    datasets: Annotated[list[Name], Field(max_length=500)] = []
    preset: Preset = "auto"
    minutes: Annotated[float | None, Field(ge=1, le=100_000)] = None


@router.get("/runs")
def list_runs(request: Request) -> list[RunEntry]:
    """The latest runs of pipelines, newest first."""
    return list(current_snapshot(request).runs)


@router.post("/runs", status_code=202)
def start_run(
    wanted: NewRun, request: Request, response: Response, person: CurrentPerson, jobs: OpenJobs
) -> Job:
    """Ask for a run; `Location` is its job, which tells its progress and can be cancelled."""
    if wanted.kind == "collect":
        return asked(jobs, response, "collect", {}, person.name, "data")
    named = wanted.datasets if wanted.kind == "train" else [_dataset(wanted)]
    return _run(request, response, person.name, wanted.kind, named, wanted.preset, wanted.minutes)


@router.get("/drift")
def list_drift(request: Request, dataset: str | None = None) -> list[DriftVerdict]:
    """What the drift gate said of every dataset, or of one, newest first."""
    verdicts = current_snapshot(request).drift
    return [verdict for verdict in verdicts if dataset in (None, verdict.dataset)]


@router.post("/drift", status_code=202)
def check_drift(wanted: DriftCheck, request: Request, response: Response, person: CurrentPerson) -> Job:
    """Ask whether a dataset is in the champion's distribution; images of one that is not join the queue."""
    return _run(request, response, person.name, "drift", [wanted.dataset])


def _dataset(wanted: NewRun) -> str:
    if wanted.dataset is None:
        raise RefusedError(422, "dataset: retraining needs the new dataset. Name it.")
    return wanted.dataset


def _run(
    request: Request,
    response: Response,
    actor: str,
    kind: RunKind,
    datasets: list[str],
    preset: str = "auto",
    minutes: float | None = None,
) -> Job:
    for dataset in datasets:
        find_dataset(request.app.state.settings, dataset, None)
    arguments = {"datasets": datasets, "preset": preset, "minutes": minutes}
    changes = ", ".join(datasets) or "all labelled datasets"
    return asked(request.app.state.jobs, response, kind, arguments, actor, changes)
