"""Images that few-shot sessions can be of."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict

from icefloe.datasets.dataset import Sample
from icefloe.datasets.plain import shape_from_header
from icefloe.errors import IcefloeError
from icefloe.settings import Settings
from serving.api.fewshot.content import ImageOf
from serving.api.jobs import OpenJobs
from serving.api.made import work_on
from serving.api.uploads import BODY, PATIENCE_SECONDS, FileName, received
from serving.auth.identity import CurrentPerson
from serving.auth.people import Person
from serving.fewshot import PictureAbout, picture_file, read_picture_about
from serving.jobs.job import INTERACTIVE
from serving.jobs.table import Jobs
from serving.jobs.waiting import until_over
from serving.prepared import dataset_names, find_dataset, uploads
from serving.problems import RefusedError

router = APIRouter(prefix="/images")


class ImageLine(BaseModel):
    """An image; its size in px where the file's header tells it."""

    model_config = ConfigDict(frozen=True)

    dataset: str
    stem: str
    height: int | None
    width: int | None

    @classmethod
    def of(cls, sample: Sample) -> "ImageLine":
        """The form in which a list shows an image."""
        try:
            height, width = shape_from_header(sample.image_path) or (None, None)
        except IcefloeError:  # whoever opens it is told
            height = width = None
        return cls(dataset=sample.dataset, stem=sample.stem, height=height, width=width)


class Images(BaseModel):
    """Images that a session can be of: those that you have sent, the latest first, then datasets'."""

    model_config = ConfigDict(frozen=True)

    images: tuple[ImageLine, ...]


@router.post("", status_code=201, openapi_extra=BODY)
async def send_picture(
    request: Request,
    response: Response,
    person: CurrentPerson,
    jobs: OpenJobs,
    name: FileName,
    frame: Annotated[int | None, Query(ge=0, le=1_000_000, description="Which frame of a stack.")] = None,
) -> ImageOf:
    """Send one grey image, or a stack of which `frame` is taken; only you see it."""
    dataset = await received(request, name, person, jobs, "unpack-picture", frame=frame)
    (sample,) = dataset.samples
    response.headers["Location"] = f"/api/v1/images/{sample.dataset}/{sample.stem}"
    about = await looked_at(request.app.state.settings, sample, person, jobs)
    return image_of(sample, about)


@router.get("")
def list_pictures(
    request: Request,
    person: CurrentPerson,
    dataset: Annotated[str | None, Query(max_length=255)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
) -> Images:
    """Images that a session can be of, all or those of one dataset."""
    settings: Settings = request.app.state.settings
    if dataset is not None:
        datasets = [find_dataset(settings, dataset, person.id)]
    else:
        named = [find_dataset(settings, name, None) for name in dataset_names(settings)]
        datasets = [*uploads(settings, person.id), *named]
    samples = [sample for one in datasets for sample in one.samples]
    return Images(images=tuple(map(ImageLine.of, samples[:limit])))


async def looked_at(settings: Settings, sample: Sample, person: Person, jobs: Jobs) -> PictureAbout:
    """What an image is, as a worker sees it.

    Raises
    ------
    RefusedError
        If it cannot be used, or no worker has looked in time.
    """
    path = await run_in_threadpool(picture_file, settings, sample)
    about = await run_in_threadpool(read_picture_about, path)
    if about is not None:
        return about
    wanted: dict[str, Any] = work_on({"dataset": sample.dataset, "stem": sample.stem}, person)
    job = await run_in_threadpool(jobs.ask, "picture", wanted, INTERACTIVE, person.name)
    job = await until_over(jobs, job, PATIENCE_SECONDS)
    if job.problem is not None:
        raise RefusedError(job.status, job.problem)
    about = await run_in_threadpool(read_picture_about, path)
    if about is None:
        raise RefusedError(503, "No worker has looked at it yet. Ask again later.", {"Retry-After": "10"})
    return about


def image_of(sample: Sample, about: PictureAbout) -> ImageOf:
    """The form in which the API shows an image that a worker has looked at."""
    return ImageOf(
        dataset=sample.dataset,
        stem=sample.stem,
        height=about.reference.height,
        width=about.reference.width,
        notes=about.notes,
    )
