"""Segmentations of whole series: asked for, followed, and what came of each image."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from icefloe.datasets.dataset import Dataset
from icefloe.errors import MissingError, TooLargeError
from serving.api.images import version_of
from serving.api.jobs import OpenJobs
from serving.auth.identity import CurrentPerson
from serving.auth.people import Person
from serving.jobs.job import BATCH, Job
from serving.jobs.table import Jobs
from serving.jobs.timing import server_timing
from serving.jobs.waiting import preferred_wait, until_over
from serving.parameters import RowId
from serving.prepared import MOST_IMAGES, UPLOAD, Prepared, find_dataset
from serving.results import ImageResult, image_results, results_table

router = APIRouter(prefix="/segmentations", tags=["segmentations"])

KIND = "segment"
CSV = "text/csv; charset=utf-8"


class Wanted(BaseModel):
    """What to segment: images of a dataset, all of them or those of some stems, by a version or alias.

    Attributes
    ----------
    measure
        Whether areas, fronts and curvature are measured, too, on every member's map; see `results`.
    """

    dataset: Annotated[str, Field(min_length=1, max_length=255)]
    stems: list[str] | None = None
    version: Annotated[str, Field(min_length=1, max_length=200)] = "champion"
    measure: bool = False


class Segmentation(BaseModel):
    """A segmentation of a series: its job, the version, class names by mask value, the images done so far."""

    model_config = ConfigDict(frozen=True)

    job: Job
    dataset: str
    version: str
    classes: tuple[str, ...]
    n_images: int
    images: tuple[ImageResult, ...]


@router.post(
    "",
    response_model=Segmentation,
    responses={202: {"model": Segmentation, "description": "Not all is done"}},
)
async def ask_for_segmentation(
    wanted: Wanted,
    request: Request,
    response: Response,
    person: CurrentPerson,
    jobs: OpenJobs,
    seconds: Annotated[float, Depends(preferred_wait)],
) -> Any:
    """Segment a series; 200 if it is done within `Prefer: wait`, else 202 and `Location`."""
    version = await run_in_threadpool(version_of, request, wanted.version)
    dataset = await run_in_threadpool(find_dataset, request.app.state.settings, wanted.dataset, person.id)
    stems = checked_stems(dataset, wanted.stems)
    arguments = segment_arguments(dataset.name, stems, version, wanted.measure, person)
    job = await run_in_threadpool(jobs.ask, KIND, arguments, BATCH, person.name)
    job = await until_over(jobs, job, seconds)
    response.status_code = 202 if job.is_live else 200
    response.headers["Location"] = f"/api/v1/segmentations/{job.id}"
    response.headers.update(server_timing(job))
    return await run_in_threadpool(_segmentation, request, job, dataset)


@router.get("/{job_id}")
def show_segmentation(job_id: RowId, request: Request, person: CurrentPerson, jobs: OpenJobs) -> Segmentation:
    """How far a segmentation is, and the images done so far."""
    job = _job(jobs, job_id)
    return _segmentation(request, job, _dataset(request, job, person))


@router.get(
    "/{job_id}/table",
    response_class=Response,
    responses={200: {"content": {"text/csv": {}}, "description": "A row for each image done so far"}},
)
def show_table(job_id: RowId, request: Request, person: CurrentPerson, jobs: OpenJobs) -> Response:
    """The segmentation as a table: CSV, areas in px2 and nm2."""
    job = _job(jobs, job_id)
    found = _segmentation(request, job, _dataset(request, job, person))
    name = f"segmentation-{job_id}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Icefloe-Version": found.version}
    return Response(results_table(found.images, found.classes), media_type=CSV, headers=headers)


def segment_arguments(
    dataset: str, stems: list[str] | None, version: str, measure: bool, person: Person
) -> dict[str, Any]:
    """By what a job is known that segments a series; `stems` None: all images."""
    sender = person.id if dataset.startswith(UPLOAD) else None
    return {"dataset": dataset, "stems": stems, "version": version, "measure": measure, "person": sender}


def checked_stems(dataset: Dataset, stems: list[str] | None) -> list[str] | None:
    """The stems that are asked for, once each; None for all.

    Raises
    ------
    MissingError
        If there is no image of one.
    TooLargeError
        If there are more than `MOST_IMAGES`.
    """
    known = {sample.stem for sample in dataset.samples}
    unknown = sorted(set(stems or ()) - known)
    if unknown:
        raise MissingError(f"{dataset.name}/{unknown[0]}: no such image. List the dataset's images.")
    n_images = len(known if stems is None else set(stems))
    if n_images > MOST_IMAGES:
        raise TooLargeError(f"{n_images} images are more than {MOST_IMAGES}. Ask for them in parts.")
    return None if stems is None or set(stems) == known else sorted(set(stems))


def _job(jobs: Jobs, job_id: int) -> Job:
    job = jobs.job(job_id)
    if job.kind != KIND:
        raise MissingError(f"Job {job_id}: no segmentation. List the jobs to see what it is.")
    return job


def _dataset(request: Request, job: Job, person: Person) -> Dataset:
    return find_dataset(request.app.state.settings, job.arguments["dataset"], person.id)


def _segmentation(request: Request, job: Job, dataset: Dataset) -> Segmentation:
    wanted = job.arguments
    stems = wanted["stems"]
    samples = [sample for sample in dataset.samples if stems is None or sample.stem in stems]
    images, classes = image_results(Prepared(request.app.state.settings), samples, wanted["version"])
    return Segmentation(
        job=job,
        dataset=dataset.name,
        version=wanted["version"],
        classes=classes or tuple(dataset.info.classes),
        n_images=len(samples),
        images=images,
    )
