"""The protocol's routes: server, health, models, inference."""

import asyncio
from collections.abc import Iterator
from importlib.metadata import version as version_of_package
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Header, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict
from starlette.background import BackgroundTask

from icefloe.errors import MissingError
from serving.api.images import version_of
from serving.api.jobs import OpenJobs
from serving.auth.identity import CurrentPerson
from serving.auth.people import Person
from serving.inference_v2.files import TensorFolders, output_file
from serving.inference_v2.tensors import (
    DTYPES,
    INPUT,
    OUTPUTS,
    Wanted,
    answer_header,
    n_bytes,
    read_request,
)
from serving.jobs.job import INTERACTIVE, Job
from serving.jobs.table import Jobs
from serving.jobs.timing import server_timing
from serving.jobs.waiting import until_over
from serving.problems import PROTOCOL_ERROR, RefusedError
from serving.registry import current_snapshot

router = APIRouter(prefix="/v2", tags=["inference protocol v2"], responses={"default": PROTOCOL_ERROR})

PATIENCE_SECONDS = 60.0
"""As long as clients of the protocol wait by themselves; what takes longer is asked for as a segmentation."""

HEADER_LENGTH = "Inference-Header-Content-Length"
BYTES = "application/octet-stream"
BLOCK = 2**20
PREFIX_MODEL = "/models/{name}"
PREFIX_VERSION = "/models/{name}/versions/{version}"
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"type": "object"}},
            BYTES: {"schema": {"type": "string"}},
        },
    }
}
ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "application/json": {"schema": {"type": "object"}},
            BYTES: {"schema": {"type": "string"}},
        },
        "description": "The outputs: JSON, or JSON and bytes as Inference-Header-Content-Length says",
    }
}


class ServerInfo(BaseModel):
    """What answers, its version, and the protocol's extensions that it knows."""

    name: str
    version: str
    extensions: list[str]


class TensorInfo(BaseModel):
    """A tensor, -1 for any length; images may be UINT8 and UINT16 as well, and without the first axis."""

    name: str
    datatype: str
    shape: list[int]


class ModelInfo(BaseModel):
    """A model, its versions, and the tensors that it takes and gives."""

    model_config = ConfigDict(protected_namespaces=())

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorInfo]
    outputs: list[TensorInfo]


class Live(BaseModel):
    """The process answers."""

    live: bool


class Ready(BaseModel):
    """Inference can be asked for."""

    ready: bool


class ModelReady(Ready):
    """This model can be asked for inference."""

    name: str


@router.get("")
def server() -> ServerInfo:
    """What answers, and the protocol's extensions that it knows."""
    return ServerInfo(
        name="icefloe", version=version_of_package("icefloe"), extensions=["binary_tensor_data"]
    )


@router.get("/health/live")
def health_live() -> Live:
    """The process answers."""
    return Live(live=True)


@router.get("/health/ready")
def health_ready(request: Request) -> Ready:
    """A worker has loaded a champion; 503 says what is missing."""
    _champion(request)
    return Ready(ready=True)


@router.get(PREFIX_MODEL)
def show_model(name: str, request: Request) -> ModelInfo:
    """A model's versions, and the tensors that it takes and gives."""
    _check_name(request, name)
    return _info(name, [version.name for version in current_snapshot(request).models.versions])


@router.get(PREFIX_VERSION)
def show_version(name: str, version: str, request: Request) -> ModelInfo:
    """The tensors that a version takes and gives."""
    return _info(name, [_version(request, name, version)])


@router.get(PREFIX_MODEL + "/ready")
def model_ready(name: str, request: Request) -> ModelReady:
    """A worker has loaded the champion."""
    _check_name(request, name)
    _champion(request)
    return ModelReady(name=name, ready=True)


@router.get(PREFIX_VERSION + "/ready")
def version_ready(name: str, version: str, request: Request) -> ModelReady:
    """There is such a version, and a worker that loads it when it is asked for."""
    _version(request, name, version)
    _champion(request)
    return ModelReady(name=name, ready=True)


@router.post(PREFIX_MODEL + "/infer", response_class=Response, responses=ANSWER, openapi_extra=BODY)
async def infer(
    name: str,
    request: Request,
    person: CurrentPerson,
    jobs: OpenJobs,
    header_length: Annotated[str | None, Header(alias=HEADER_LENGTH)] = None,
) -> Response:
    """Segment an image or a stack by the champion."""
    _check_name(request, name)
    champion = await run_in_threadpool(_champion, request)
    return await _inferred(request, person, jobs, champion, header_length)


@router.post(PREFIX_VERSION + "/infer", response_class=Response, responses=ANSWER, openapi_extra=BODY)
async def infer_by_version(
    name: str,
    version: str,
    request: Request,
    person: CurrentPerson,
    jobs: OpenJobs,
    header_length: Annotated[str | None, Header(alias=HEADER_LENGTH)] = None,
) -> Response:
    """Segment an image or a stack by a version."""
    found = await run_in_threadpool(_version, request, name, version)
    return await _inferred(request, person, jobs, found, header_length)


async def _inferred(
    request: Request, person: Person, jobs: Jobs, version: str, header_length: str | None
) -> Response:
    if request.headers.get("content-encoding", "identity") != "identity":
        raise RefusedError(415, "The body is compressed. Send it as it is.")
    wanted = await run_in_threadpool(read_request, await request.body(), header_length)
    folders = TensorFolders(request.app.state.settings)
    tensors = await run_in_threadpool(folders.add, wanted.images)
    try:
        job = await _done(jobs, person, tensors, version, wanted)
        model = request.app.state.settings.registered_model
        answer = await run_in_threadpool(_answer, folders.folder(tensors), wanted, model, version)
        answer.headers.update(server_timing(job))
        answer.background = BackgroundTask(folders.remove, tensors)
        return answer
    except (Exception, asyncio.CancelledError):
        folders.remove(tensors)
        raise


async def _done(jobs: Jobs, person: Person, tensors: str, version: str, wanted: Wanted) -> Job:
    """The job, done.

    Raises
    ------
    RefusedError
        If nothing came of it, or not in time.
    """
    arguments: dict[str, Any] = {
        "tensors": tensors,
        "version": version,
        "outputs": list(wanted.is_binary),
        "pixel_size_nm": wanted.pixel_size_nm,
        "person": person.id,
    }
    job = await run_in_threadpool(jobs.ask, "infer", arguments, INTERACTIVE, person.name)
    job = await until_over(jobs, job, PATIENCE_SECONDS)
    if job.is_live:
        await run_in_threadpool(jobs.cancel, job.id, person.name)
        raise RefusedError(
            503, "The workers have no time for it now. Try again later.", {"Retry-After": "10"}
        )
    if job.state != "done":
        # The protocol knows no difference between a request and an image that are no good.
        status = 400 if job.status == 422 else job.status
        raise RefusedError(status, job.problem or "It was cancelled. Ask for it again.")
    return job


def _answer(folder: Path, wanted: Wanted, model: str, version: str) -> StreamingResponse:
    files = {name: folder / output_file(name) for name in wanted.is_binary}
    values = {
        name: np.fromfile(files[name], DTYPES[OUTPUTS[name]])
        for name, binary in wanted.is_binary.items()
        if not binary
    }
    header = answer_header(wanted, model, version, values)
    sent = [name for name, binary in wanted.is_binary.items() if binary]
    length = len(header) + sum(n_bytes(name, wanted) for name in sent)
    headers = {"Content-Length": str(length)}
    if sent:
        headers[HEADER_LENGTH] = str(len(header))
    return StreamingResponse(
        _chunks(header, [files[name] for name in sent]),
        media_type=BYTES if sent else "application/json",
        headers=headers,
    )


def _chunks(header: bytes, files: list[Path]) -> Iterator[bytes]:
    yield header
    for path in files:
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                yield block


def _info(name: str, versions: list[str]) -> ModelInfo:
    shape = [-1, -1, -1]
    return ModelInfo(
        name=name,
        versions=versions,
        platform="icefloe",
        inputs=[TensorInfo(name=INPUT, datatype="FP32", shape=shape)],
        outputs=[
            TensorInfo(name=output, datatype=datatype, shape=shape) for output, datatype in OUTPUTS.items()
        ],
    )


def _check_name(request: Request, name: str) -> None:
    known = request.app.state.settings.registered_model
    if name != known:
        raise MissingError(f"{name}: no such model. Ask for {known}.")


def _version(request: Request, name: str, version: str) -> str:
    """Name of a version, by name or alias."""
    _check_name(request, name)
    found: str = current_snapshot(request).models.version(version).name
    return found


def _champion(request: Request) -> str:
    """Name of the champion that a worker has loaded; without one nothing is ready."""
    try:
        return version_of(request)
    except MissingError as error:
        raise RefusedError(503, str(error), {"Retry-After": "10"}) from error
