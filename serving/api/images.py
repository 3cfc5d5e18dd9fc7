"""An image's pixels and maps, prepared by workers and streamed from files."""

from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from icefloe.datasets.dataset import Sample
from icefloe.errors import MissingError
from serving.api.datasets import ImageEntry
from serving.api.jobs import OpenJobs
from serving.api.made import NOT_YET, as_download, made, prepared_file
from serving.api.queue import UNSEEN
from serving.auth.identity import CurrentPerson
from serving.auth.people import Person
from serving.jobs.table import Jobs
from serving.jobs.waiting import preferred_wait
from serving.prepared import (
    LABEL,
    SIDES,
    MapName,
    MapsAbout,
    Prepared,
    find_sample,
    picture_file,
    plane_file,
    read_file,
    read_maps,
    read_planes,
    tiff_file,
)
from serving.problems import RefusedError

router = APIRouter(prefix="/images/{dataset}/{stem}", tags=["images"])

PLANE = "application/octet-stream"
PNG = "image/png"
NPZ = "application/x-npz"
TIFF = "image/tiff"

Answers = dict[int | str, dict[str, Any]]
PIXELS: Answers = {200: {"content": {PLANE: {}}, "description": "Little-endian uint16, rows from the top"}}
LABELS: Answers = {200: {"content": {"image/png": {}}, "description": "Class indices, 255 = ignore"}}
MAPS: Answers = {
    200: {"content": {"image/png": {}, TIFF: {}, NPZ: {}}, "description": "A picture, or numbers (float32)"}
}


def sample_of(dataset: str, stem: str, request: Request, person: CurrentPerson) -> Sample:
    """The image of a path; one that somebody else has sent does not exist.

    Raises
    ------
    MissingError
        If there is none.
    """
    return find_sample(request.app.state.settings, dataset, stem, person.id)


def version_of(request: Request, version: Annotated[str, Query(max_length=200)] = "champion") -> str:
    """Name of the version that is asked for; the champion is the one that workers have loaded.

    Raises
    ------
    MissingError
        If there is no champion, or no worker lives that knows it.
    """
    if version != "champion":
        return version
    living = request.app.state.workers.living()
    if not living:
        raise RefusedError(503, "No worker runs. Start one: `icefloe worker`.", {"Retry-After": "10"})
    names = [worker.champion for worker in living if worker.champion is not None]
    if not names:
        raise MissingError("There is no champion yet. Train a version, or wait until a worker has loaded it.")
    newest: str = names[-1]
    return newest


async def longest_side(
    max: Annotated[
        int,
        Query(
            description="Longest side in px; 0: the image itself.", json_schema_extra={"enum": [0, *SIDES]}
        ),
    ] = 0,
) -> int:
    """The overview that is asked for.

    Raises
    ------
    RefusedError
        422 if there is none of that size.
    """
    if max not in (0, *SIDES):
        raise RefusedError(422, f"max={max}: there is no such overview. Ask for 0, 256 or 1024 px.")
    return max


OneSample = Annotated[Sample, Depends(sample_of)]
Version = Annotated[str, Depends(version_of)]
Wait = Annotated[float, Depends(preferred_wait)]


@router.get("")
def show_image(sample: OneSample) -> ImageEntry:
    """What is known of an image."""
    return ImageEntry.of(sample)


@router.get(
    "/pixels",
    response_class=Response,
    responses=PIXELS | NOT_YET,
)
async def show_pixels(
    request: Request,
    sample: OneSample,
    person: CurrentPerson,
    jobs: OpenJobs,
    seconds: Wait,
    max: Annotated[int, Depends(longest_side)],
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """An image's 16-bit values, gzip; an intensity is `Icefloe-Offset` + `Icefloe-Scale` * value."""
    folder = Prepared(request.app.state.settings).planes(sample)
    wanted = {"dataset": sample.dataset, "stem": sample.stem}
    about = await made(folder, read_planes, jobs, "planes", wanted, person, seconds)
    if isinstance(about, Response):
        return about
    plane = about.planes[max]
    headers = {
        "Content-Encoding": "gzip",
        "Icefloe-Height": str(plane.height),
        "Icefloe-Width": str(plane.width),
        "Icefloe-Scale": repr(plane.scale),
        "Icefloe-Offset": repr(plane.offset),
    }
    if plane.pixel_size_nm is not None:
        headers["Icefloe-Pixel-Size-Nm"] = repr(plane.pixel_size_nm)
    return prepared_file(folder / plane_file(max), PLANE, headers, if_none_match)


@router.get("/label", response_class=Response, responses=LABELS | NOT_YET)
async def show_label(
    request: Request,
    sample: OneSample,
    person: CurrentPerson,
    jobs: OpenJobs,
    seconds: Wait,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """The image's label in the present data: 8-bit PNG of class indices, 255 = ignore."""
    if not sample.is_labelled:
        raise MissingError(f"{sample.key}: nobody has labelled it yet. Lease it to label it.")
    folder = Prepared(request.app.state.settings).planes(sample)
    wanted = {"dataset": sample.dataset, "stem": sample.stem}
    about = await made(folder, read_planes, jobs, "planes", wanted, person, seconds)
    return (
        about
        if isinstance(about, Response)
        else prepared_file(folder / LABEL, "image/png", {}, if_none_match)
    )


@router.get("/maps", responses=NOT_YET, response_model=MapsAbout)
async def show_maps(
    request: Request,
    sample: OneSample,
    version: Version,
    person: CurrentPerson,
    jobs: OpenJobs,
    seconds: Wait,
) -> Any:
    """The numbers of an image as a version segments it, and what its pictures' 255 stands for."""
    _, about = await _maps(request, sample, version, person, jobs, seconds)
    return about


@router.get(
    "/maps/{name}",
    response_class=Response,
    responses=MAPS | NOT_YET,
)
async def show_map(
    name: MapName | Literal["mask", "thumbnail", "maps"],
    request: Request,
    sample: OneSample,
    version: Version,
    person: CurrentPerson,
    jobs: OpenJobs,
    seconds: Wait,
    format: Literal["png", "tiff"] | None = None,
    accept: Annotated[str | None, Header(include_in_schema=False)] = None,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """A map as 8-bit PNG, or its numbers as float32 TIFF with the pixel size; `maps`: all numbers as NPZ.

    The mask is a PNG of class indices, the thumbnail one in colour. `format` or `Accept` asks for TIFF.
    """
    folder, about = await _maps(request, sample, version, person, jobs, seconds)
    if isinstance(about, Response):
        return about
    headers = {"Icefloe-Version": about.version}
    if name == "maps":
        headers |= as_download(f"maps-{about.version}.npz")
        return prepared_file(folder / "maps.npz", NPZ, headers, if_none_match)
    if format == "tiff" or (format is None and _wants_tiff(accept)):
        if name not in about.largest:
            raise RefusedError(422, f"{name}: there is no TIFF of it. Ask for one of a map, or for PNG.")
        wanted = {"dataset": sample.dataset, "stem": sample.stem, "version": version, "name": name}
        path = folder / tiff_file(name)
        file = await made(path, read_file, jobs, "tiff", wanted, person, seconds)
        headers |= as_download(f"{name}-{about.version}.tif")
        return file if isinstance(file, Response) else prepared_file(path, TIFF, headers, if_none_match)
    if name == "mask":
        return prepared_file(folder / "mask.png", PNG, headers, if_none_match)
    if name in about.largest:
        headers["Icefloe-Scale"] = repr(about.largest[name] / 255)
    wanted = {"dataset": sample.dataset, "stem": sample.stem, "version": version}
    path = folder / picture_file(name)
    picture = await made(path, read_file, jobs, "pictures", wanted, person, seconds)
    return picture if isinstance(picture, Response) else prepared_file(path, PNG, headers, if_none_match)


async def _maps(
    request: Request, sample: Sample, version: str, person: Person, jobs: Jobs, seconds: float
) -> tuple[Path, MapsAbout | Response]:
    if await run_in_threadpool(request.app.state.queue.hides, sample.dataset, sample.stem):
        raise MissingError(f"{sample.key}: {UNSEEN} Look again when it is labelled.")
    folder = Prepared(request.app.state.settings).maps(sample, version)
    wanted = {"dataset": sample.dataset, "stem": sample.stem, "version": version}
    return folder, await made(folder, read_maps, jobs, "maps", wanted, person, seconds)


def _wants_tiff(accept: str | None) -> bool:
    """Whether a program asks for TIFF; browsers name it among others, and want a picture."""
    return accept is not None and accept.partition(";")[0].strip() == TIFF
