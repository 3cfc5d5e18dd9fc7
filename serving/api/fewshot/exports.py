"""Files of a classified session, as the library draws and writes them."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from icefloe.errors import MissingError
from icefloe.settings import Settings
from serving.api.fewshot.session import OwnSession, is_classified, wanted_state
from serving.api.images import Wait
from serving.api.jobs import OpenJobs
from serving.api.made import NOT_YET, as_download, made, prepared_file
from serving.auth.identity import CurrentPerson
from serving.fewshot import ExportName
from serving.prepared import read_file

router = APIRouter(prefix="/sessions/{session_id}/exports")

TYPES = {
    "png": "image/png",
    "svg": "image/svg+xml",
    "tiff": "image/tiff",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
}
FILES: dict[int | str, dict[str, Any]] = {
    200: {"content": {kind.partition(";")[0]: {} for kind in TYPES.values()}, "description": "The file"}
}


@router.get("/{name}", response_class=Response, responses=FILES | NOT_YET)
async def export(
    name: ExportName,
    kept: OwnSession,
    request: Request,
    person: CurrentPerson,
    jobs: OpenJobs,
    seconds: Wait,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """A classified session as a file: map, chart, table of chips, or all of it as JSON.

    `map.tiff` has a class index a pixel, 255 where the chip is unsure and in the margins.
    """
    settings: Settings = request.app.state.settings
    if not await run_in_threadpool(is_classified, settings, kept):
        raise MissingError(f"{kept.work.name}: not classified as it is now. Classify it first.")
    folder, wanted = await run_in_threadpool(wanted_state, settings, kept)
    path = folder / name
    found = await made(path, read_file, jobs, "fewshot-export", {**wanted, "name": name}, person, seconds)
    if isinstance(found, Response):
        return found
    ending = name.rpartition(".")[2]
    headers = as_download(f"{kept.stem}-{name}") | {"Content-Type": TYPES[ending]}
    return prepared_file(path, TYPES[ending], headers, if_none_match)
