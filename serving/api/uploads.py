"""Images that people send to have them segmented; they are their sender's alone."""

import hashlib
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from icefloe.datasets.dataset import Dataset
from icefloe.datasets.readers import is_readable_name
from icefloe.files import write_bytes_atomic
from icefloe.names import check_name
from serving.api.datasets import DatasetEntry
from serving.api.jobs import OpenJobs
from serving.auth.identity import CurrentPerson
from serving.auth.people import Person
from serving.jobs.job import INTERACTIVE
from serving.jobs.kinds import Kind
from serving.jobs.table import Jobs
from serving.jobs.waiting import until_over
from serving.prepared import UPLOAD, arriving, find_dataset, uploads_of
from serving.problems import RefusedError

router = APIRouter(prefix="/uploads", tags=["images"])

PATIENCE_SECONDS = 60.0
FileName = Annotated[str, Query(min_length=1, max_length=200, description="Its file name, with the ending.")]
BODY = {
    "requestBody": {"required": True, "content": {"application/octet-stream": {"schema": {"type": "string"}}}}
}


@router.post("", status_code=201, openapi_extra=BODY)
async def send_image(
    request: Request,
    response: Response,
    person: CurrentPerson,
    jobs: OpenJobs,
    name: FileName,
) -> DatasetEntry:
    """Send an image or a stack of up to 500 frames; it becomes a dataset that only you see."""
    dataset = await received(request, name, person, jobs, "unpack")
    response.headers["Location"] = f"/api/v1/datasets/{dataset.name}"
    return DatasetEntry.of(dataset)


async def received(
    request: Request, name: str, person: Person, jobs: Jobs, kind: Kind, **choices: object
) -> Dataset:
    """The dataset that a worker makes of a file that is a request's body.

    Parameters
    ----------
    request, name, person, jobs
        The request, the file's name, who sends it, and where a worker is asked.
    kind, choices
        The job that makes a dataset of a file, and what was chosen.

    Raises
    ------
    RefusedError
        415 if the name is not that of an image, 422 if there is no file, or none that can be read, 413 if it
        is too large, 503 if no worker reads it.
    """
    check_name("image", name)
    if not is_readable_name(Path(name)):
        raise RefusedError(
            415, f"{name}: not an image format that Icefloe reads. Send TIFF, PNG, MRC or DM4."
        )
    body = await request.body()
    if not body:
        raise RefusedError(422, f"{name}: nothing was sent. Send the file's bytes as the body.")
    settings = request.app.state.settings
    told = repr((kind, choices)) if choices else ""
    upload = UPLOAD + hashlib.sha256(f"{told}{name}/".encode() + body).hexdigest()[:16]
    if not (uploads_of(settings, person.id) / upload).is_dir():
        place = arriving(settings, person.id, upload) / name
        await run_in_threadpool(write_bytes_atomic, place, body)
        wanted = {"person": person.id, "upload": upload, "name": name, **choices}
        job = await run_in_threadpool(jobs.ask, kind, wanted, INTERACTIVE, person.name)
        job = await until_over(jobs, job, PATIENCE_SECONDS)
        if job.problem is not None:
            raise RefusedError(job.status, job.problem)
        if job.is_live:
            raise RefusedError(503, "No worker has read it yet. Send it again later.", {"Retry-After": "10"})
    return await run_in_threadpool(find_dataset, settings, upload, person.id)
