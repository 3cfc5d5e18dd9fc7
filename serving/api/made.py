"""What a worker has to make first: asked for as a job, waited for, and streamed from the file."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, JSONResponse, Response

from serving.auth.people import Person
from serving.jobs.job import INTERACTIVE, Job
from serving.jobs.kinds import Kind
from serving.jobs.table import Jobs
from serving.jobs.waiting import until_over
from serving.prepared import UPLOAD
from serving.problems import RefusedError

Found = TypeVar("Found")

KEPT = "private, no-cache"
"""A browser keeps what it got, and asks whether it still holds."""

NOT_YET: dict[int | str, dict[str, Any]] = {
    202: {"model": Job, "description": "A worker is at it; `Location` is its job"}
}


async def made(
    place: Path,
    read: Callable[[Path], Found | None],
    jobs: Jobs,
    kind: Kind,
    wanted: Mapping[str, Any],
    person: Person,
    seconds: float,
) -> Found | Response:
    """What a place holds, made by a worker if need be, or the answer that it is not there yet.

    Parameters
    ----------
    place, read
        Folder or file, and how it is read; None: it is not made.
    jobs, kind, wanted
        The job that makes it: what it needs, `dataset` among it.
    person
        Who asks.
    seconds
        How long the answer may take.

    Raises
    ------
    RefusedError
        If it cannot be made.
    """
    found = await run_in_threadpool(read, place)
    if found is not None:
        return found
    job = await run_in_threadpool(jobs.ask, kind, work_on(wanted, person), INTERACTIVE, person.name)
    job = await until_over(jobs, job, seconds)
    if job.problem is not None:
        raise RefusedError(job.status, job.problem)
    found = await run_in_threadpool(read, place)
    if found is not None:
        return found
    headers = {"Location": f"/api/v1/jobs/{job.id}", "Retry-After": "1"}
    return JSONResponse(job.model_dump(mode="json"), 202, headers)


def work_on(wanted: Mapping[str, Any], person: Person) -> dict[str, Any]:
    """What a job needs to know, and whose the file is where somebody has sent it."""
    is_sent = str(wanted["dataset"]).startswith(UPLOAD)
    return {**wanted, "person": person.id} if is_sent else dict(wanted)


def prepared_file(path: Path, kind: str, headers: Mapping[str, str], known: str | None) -> Response:
    """A prepared file, or 304 for a browser that has it: its path says what it was made from."""
    tag = f'"{hashlib.sha256(str(path).encode()).hexdigest()[:16]}"'
    kept = {"ETag": tag, "Cache-Control": KEPT, "Vary": "Accept, Cookie, Authorization"}
    if known == tag:
        return Response(status_code=304, headers={**headers, **kept})
    return FileResponse(path, media_type=kind, headers={**headers, **kept})


def as_download(name: str) -> dict[str, str]:
    """The header by which a browser saves a file under a name."""
    plain = quote(name, safe="")
    how = f'filename="{name}"' if plain == name else f"filename*=utf-8''{plain}"
    return {"Content-Disposition": f"attachment; {how}"}
