"""Label Studio's protocol for models: it asks whether we are there, sets up, and has its tasks predicted."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from icefloe.active.exchange.label_studio_config import MAX_CONFIG_LENGTH, Brush, find_brush
from icefloe.active.exchange.label_studio_tasks import brush_regions, prediction
from icefloe.active.queue import Queue
from icefloe.datasets.annotations.drawing import class_index
from icefloe.datasets.dataset import Sample
from icefloe.errors import IcefloeError, MissingError, TooLargeError
from icefloe.settings import Settings
from serving.api.images import version_of
from serving.api.jobs import OpenJobs
from serving.api.made import work_on
from serving.api.queue import UNSEEN
from serving.auth.identity import CurrentPerson
from serving.jobs.job import BATCH, INTERACTIVE, Job
from serving.jobs.waiting import until_over
from serving.prepared import MOST_IMAGES, MapsAbout, Prepared, find_sample, read_maps

router = APIRouter(prefix="/label-studio", tags=["label studio"])

PATIENCE_SECONDS = 80.0
"""Label Studio itself waits 100 s, and asks again another time for what is not there yet."""

MAX_ANSWER_BYTES = 8 * 2**20
"""Of masks' run-length code in one answer, which takes four times that as JSON."""

PROJECT = "The project"


class BackendHealth(BaseModel):
    """That the backend is there."""

    status: Literal["UP"] = "UP"
    model_class: Literal["Icefloe"] = "Icefloe"


class BackendSetup(BaseModel):
    """A project that connects. Label Studio sends more, its own access token among it: nobody reads that."""

    model_config = ConfigDict(populate_by_name=True)

    interface: str = Field(alias="schema", max_length=MAX_CONFIG_LENGTH)


class BackendReady(BaseModel):
    """The version that will predict."""

    model_version: str


class BackendTask(BaseModel):
    """A task: `data` names the image by `dataset` and `stem`, as tasks do that Icefloe has made."""

    id: int | None = None
    data: dict[str, Any]


class BackendWanted(BaseModel):
    """Tasks to predict, and the labelling interface."""

    tasks: list[BackendTask]
    label_config: str = Field(max_length=MAX_CONFIG_LENGTH)


class BackendPredictions(BaseModel):
    """A prediction for each task, in their order, or an empty list where there is none (yet).

    Attributes
    ----------
    results
        Brush regions, score and version by task; see Label Studio's documentation.
    model_version
        The version that predicted.
    problems
        Why there is none of some tasks.
    """

    results: list[dict[str, Any] | list[Any]]
    model_version: str
    problems: list[str]


@router.get("/health")
def show_health() -> BackendHealth:
    """Whether the backend is there."""
    return BackendHealth()


@router.post("/setup")
def set_up(wanted: BackendSetup, request: Request) -> BackendReady:
    """Check that a project's labelling interface has a brush; the answer names the version that predicts."""
    _brush(wanted.interface)
    return BackendReady(model_version=version_of(request, "champion"))


@router.post("/predict")
async def predict(
    wanted: BackendWanted, request: Request, person: CurrentPerson, jobs: OpenJobs
) -> BackendPredictions:
    """Segment the images of tasks by the champion: masks as brush regions, one for each class."""
    if len(wanted.tasks) > MOST_IMAGES:
        raise TooLargeError(f"{len(wanted.tasks)} tasks are more than {MOST_IMAGES}. Ask for fewer at once.")
    deadline = time.monotonic() + PATIENCE_SECONDS
    brush, version = _brush(wanted.label_config), await run_in_threadpool(version_of, request, "champion")
    settings: Settings = request.app.state.settings
    found = await run_in_threadpool(_find, settings, request.app.state.queue, wanted.tasks, person.id)
    if found and not any(isinstance(each, Sample) for each in found):
        raise MissingError(str(found[0]))
    priority = INTERACTIVE if len(found) == 1 else BATCH

    def ask(sample: Sample) -> Job | None:
        if read_maps(Prepared(settings).maps(sample, version)) is not None:
            return None
        wanted_maps = {"dataset": sample.dataset, "stem": sample.stem, "version": version}
        return jobs.ask("maps", work_on(wanted_maps, person), priority, person.name)

    # All are asked for before the first is waited for: what comes too late is there when asked again.
    waiting = [
        each if isinstance(each, str) else (each, await run_in_threadpool(ask, each)) for each in found
    ]
    answer, size = BackendPredictions(results=[], model_version=version, problems=[]), 0
    for each in waiting:
        outcome: dict[str, Any] | str
        if isinstance(each, str):
            outcome = each
        else:
            sample, job = each
            if job is not None:
                job = await until_over(jobs, job, max(0.0, deadline - time.monotonic()))
            folder = Prepared(settings).maps(sample, version)
            outcome = await run_in_threadpool(_predicted, sample, folder, brush, version, job)
        size += 0 if isinstance(outcome, str) else _code_size(outcome)
        if size > MAX_ANSWER_BYTES:
            outcome = "The masks of so many tasks are too much for one answer. Ask for fewer at once."
        if isinstance(outcome, str):
            answer.problems.append(outcome)
        answer.results.append([] if isinstance(outcome, str) else outcome)
    return answer


def _find(
    settings: Settings, queue: Queue, tasks: Sequence[BackendTask], person_id: int
) -> list[Sample | str]:
    """The image of each task, or why there is none."""
    found: list[Sample | str] = []
    for task in tasks:
        dataset, stem = task.data.get("dataset"), task.data.get("stem")
        if not isinstance(dataset, str) or not isinstance(stem, str):
            found.append(
                f"Task {task.id}: names no dataset and stem, so its image is not known here. "
                "Push images with `icefloe labels push`."
            )
            continue
        if queue.hides(dataset, stem):
            found.append(f"{dataset}/{stem}: {UNSEEN} Ask again when it is labelled.")
            continue
        try:
            found.append(find_sample(settings, dataset, stem, person_id))
        except IcefloeError as error:
            found.append(str(error))
    return found


def _predicted(
    sample: Sample, folder: Path, brush: Brush, version: str, job: Job | None
) -> dict[str, Any] | str:
    """The prediction of an image, or why there is none (yet)."""
    about = read_maps(folder)
    if about is None:
        why = None if job is None else job.problem
        return why or f"{sample.key}: a worker is still at it. Ask again in a minute."
    with Image.open(folder / "mask.png", formats=["PNG"]) as picture:
        mask = np.asarray(picture)
    regions = brush_regions(mask, _names(about, brush, mask), brush.name, brush.to_name)
    return prediction(regions, version, about.scores.get("uq_mean"))


def _names(about: MapsAbout, brush: Brush, mask: np.ndarray) -> list[str]:
    """The project's own names of the classes, by mask value."""
    labels = {class_index(label, about.classes): label for label in brush.labels}
    for value in np.unique(mask[mask > 0]).tolist():
        if value not in labels:
            raise IcefloeError(
                f"{PROJECT} has no label {about.classes[value]!r}, only {', '.join(brush.labels)}. "
                "Add it to its labelling interface."
            )
    return [labels.get(value, name) for value, name in enumerate(about.classes)]


def _code_size(predicted: Mapping[str, Any]) -> int:
    """Bytes of run-length code in a prediction."""
    return sum(len(region["value"]["rle"]) for region in predicted["result"])


def _brush(interface: str) -> Brush:
    brush = find_brush(interface, PROJECT)
    if brush is None:
        raise IcefloeError(
            f"{PROJECT} has no brush in its labelling interface. Add <BrushLabels>, or let "
            "`icefloe labels push` make the project."
        )
    return brush
