"""Classification of a session's chips."""

import time
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response

from icefloe.errors import MissingError
from icefloe.settings import Settings
from serving.api.fewshot.session import OwnSession, embedding_of, state_of, wanted_state
from serving.api.images import Wait
from serving.api.jobs import OpenJobs
from serving.api.made import NOT_YET, made
from serving.auth.identity import CurrentPerson
from serving.fewshot import CLASSIFIED, Classified
from serving.jobs.waiting import until_over
from serving.prepared import read_file

router = APIRouter(prefix="/sessions/{session_id}/classification")

JSON = "application/json"


@router.post("", response_model=Classified, responses=NOT_YET)
async def classify(
    kept: OwnSession, request: Request, person: CurrentPerson, jobs: OpenJobs, seconds: Wait
) -> Any:
    """Give every chip its class by the present support sets."""
    settings: Settings = request.app.state.settings
    begun = time.monotonic()
    folder, wanted = await run_in_threadpool(wanted_state, settings, kept)
    path = folder / CLASSIFIED
    if not folder.is_dir():
        job = await run_in_threadpool(embedding_of, jobs, kept)
        if job is not None and job.is_live:  # another worker would make the same vectors
            job = await until_over(jobs, job, seconds)
            if job.is_live:
                headers = {"Location": f"/api/v1/jobs/{job.id}", "Retry-After": "1"}
                return JSONResponse(job.model_dump(mode="json"), 202, headers)
    left = max(0.0, seconds - (time.monotonic() - begun))
    found = await made(path, read_file, jobs, "classify", wanted, person, left)
    return found if isinstance(found, Response) else await run_in_threadpool(_answer, found)


@router.get("", response_model=Classified)
def show_classification(kept: OwnSession, request: Request) -> Any:
    """What came of the present support sets, grid and choices."""
    folder = state_of(request.app.state.settings, kept)
    if folder is None or not folder.is_dir():
        raise MissingError(
            f"{kept.work.name}: not classified as it is now. Ask for it: POST to this address."
        )
    return _answer(folder / CLASSIFIED)


def _answer(path: Path) -> Response:
    return Response(path.read_bytes(), media_type=JSON)
