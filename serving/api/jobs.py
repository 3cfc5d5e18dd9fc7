"""Jobs: what workers do and did, how far they are, cancelling and trying again."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from serving.auth.identity import CurrentPerson
from serving.jobs.job import BATCH, Job, JobState
from serving.jobs.kinds import Kind, RunKind
from serving.jobs.table import Jobs
from serving.parameters import RowId

router = APIRouter(prefix="/jobs", tags=["jobs"])

EVENT_SECONDS = 0.5
EVENTS = "text/event-stream"


async def jobs_of(request: Request) -> Jobs:
    """The workspace's jobs."""
    jobs: Jobs = request.app.state.jobs
    return jobs


OpenJobs = Annotated[Jobs, Depends(jobs_of)]


def asked(
    jobs: Jobs,
    response: Response,
    kind: Kind | RunKind,
    arguments: Mapping[str, Any],
    actor: str,
    changes: str,
) -> Job:
    """A job that somebody has asked for and does not wait for; the answer's `Location` is the job."""
    job = jobs.ask(kind, arguments, BATCH, actor, changes)
    response.headers["Location"] = f"/api/v1/jobs/{job.id}"
    return job


@router.get("")
def list_jobs(
    jobs: OpenJobs,
    person: CurrentPerson,
    state: JobState | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[Job]:
    """Jobs that run, then those that wait, then the latest that are over; others' files are not named."""
    return [job.seen_by(person.id) for job in jobs.latest(state, limit)]


@router.get("/{job_id}")
def show_job(job_id: RowId, jobs: OpenJobs, person: CurrentPerson) -> Job:
    """One job."""
    return jobs.job(job_id).seen_by(person.id)


@router.delete("/{job_id}")
def cancel_job(job_id: RowId, jobs: OpenJobs, person: CurrentPerson) -> Job:
    """End a job that waits, or tell one that runs to stop; one that is over stays as it is."""
    return jobs.cancel(job_id, person.name).seen_by(person.id)


@router.post("/{job_id}/retry")
def retry_job(job_id: RowId, jobs: OpenJobs, person: CurrentPerson) -> Job:
    """Let a job that failed or was cancelled wait again."""
    return jobs.retry(job_id, person.name).seen_by(person.id)


@router.get(
    "/{job_id}/events",
    response_class=StreamingResponse,
    responses={200: {"content": {EVENTS: {}}, "description": "The job after each change, until it is over"}},
)
def follow_job(job_id: RowId, jobs: OpenJobs, person: CurrentPerson) -> StreamingResponse:
    """The job as server-sent events: as it is, after each change, until it is over."""
    return StreamingResponse(_events(jobs, jobs.job(job_id), person.id), media_type=EVENTS)


async def _events(jobs: Jobs, job: Job, person_id: int) -> AsyncIterator[str]:
    yield f"data: {job.seen_by(person_id).model_dump_json()}\n\n"
    while job.is_live:
        await asyncio.sleep(EVENT_SECONDS)
        known, job = job.revision, await run_in_threadpool(jobs.job, job.id)
        # A line of comment tells whether somebody still listens.
        changed = f"data: {job.seen_by(person_id).model_dump_json()}\n\n"
        yield ":\n\n" if job.revision == known else changed
