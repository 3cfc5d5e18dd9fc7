"""Results of a dataset by a version: its masks in numbers, and what was measured on it over time."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel, ConfigDict

from icefloe.datasets.dataset import Dataset
from icefloe.errors import MissingError
from serving.api.images import Version, Wait
from serving.api.jobs import OpenJobs
from serving.api.made import NOT_YET, as_download, made, prepared_file
from serving.api.segmentations import CSV, KIND, segment_arguments
from serving.auth.identity import CurrentPerson
from serving.auth.people import Person
from serving.jobs.job import Job
from serving.jobs.table import Jobs
from serving.prepared import (
    MEASURED,
    TABLE,
    FigureFormat,
    FigureName,
    Prepared,
    Series,
    figure_file,
    find_dataset,
    read_file,
    read_series,
)
from serving.results import ImageResult, image_results, results_table
from serving.snapshot import DriftVerdict, read_snapshot

router = APIRouter(prefix="/results/{dataset}", tags=["results"])

FIGURE_TYPES: dict[FigureFormat, str] = {"png": "image/png", "svg": "image/svg+xml"}
CSV_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {}}, "description": "A row for each image, units in the names"}
}
FIGURE: dict[int | str, dict[str, Any]] = {
    200: {"content": {kind: {} for kind in FIGURE_TYPES.values()}, "description": "The figure"}
}


class Results(BaseModel):
    """Results of a dataset by a version.

    Attributes
    ----------
    dataset, version, classes
        What was segmented, by which version; class names by mask value.
    pixel_size_nm
        Pixel edge in nm; None where not known.
    stems
        All images, in time order.
    images
        Those that are segmented.
    n_measured
        How many are measured, too.
    job
        The last that segmented and measured the whole dataset, while it is known.
    gate
        What the drift gate last said of the dataset, by this version if it was asked; None: it was not.
    """

    model_config = ConfigDict(frozen=True)

    dataset: str
    version: str
    classes: tuple[str, ...]
    pixel_size_nm: float | None
    stems: tuple[str, ...]
    images: tuple[ImageResult, ...]
    n_measured: int
    job: Job | None
    gate: DriftVerdict | None


def dataset_of(dataset: str, request: Request, person: CurrentPerson) -> Dataset:
    """The dataset of a path; one that somebody else has sent does not exist.

    Raises
    ------
    MissingError
        If there is none.
    """
    return find_dataset(request.app.state.settings, dataset, person.id)


OneDataset = Annotated[Dataset, Depends(dataset_of)]


@router.get("")
def show_results(
    request: Request, dataset: OneDataset, version: Version, person: CurrentPerson, jobs: OpenJobs
) -> Results:
    """Areas and uncertainty of the images that are segmented, the gate's verdict, how far it is."""
    settings = request.app.state.settings
    prepared = Prepared(settings)
    images, classes = image_results(prepared, dataset.samples, version)
    snapshot = read_snapshot(settings)
    return Results(
        dataset=dataset.name,
        version=version,
        classes=classes or tuple(dataset.info.classes),
        pixel_size_nm=dataset.info.pixel_size_nm,
        stems=tuple(sample.stem for sample in dataset.samples),
        images=images,
        n_measured=_n_measured(prepared, dataset, version),
        job=jobs.newest(KIND, segment_arguments(dataset.name, None, version, True, person)),
        gate=_verdict(snapshot.drift if snapshot else (), dataset.name, version),
    )


@router.get("/table", response_class=Response, responses=CSV_FILE)
def show_table(request: Request, dataset: OneDataset, version: Version) -> Response:
    """The masks in numbers, as CSV: fractions, areas in px2 and nm2, uncertainty."""
    images, classes = image_results(Prepared(request.app.state.settings), dataset.samples, version)
    headers = as_download(f"{dataset.name}-{version}-masks.csv")
    text = results_table(images, classes or dataset.info.classes)
    return Response(text, media_type=CSV, headers=headers)


@router.get("/series", responses=NOT_YET, response_model=Series)
async def show_series(
    request: Request,
    dataset: OneDataset,
    version: Version,
    person: CurrentPerson,
    jobs: OpenJobs,
    seconds: Wait,
) -> Any:
    """What was measured over time: area, front, curvature, each with its 95 % interval."""
    return await _series(request, dataset, version, person, jobs, seconds)


@router.get("/series/table", response_class=Response, responses=CSV_FILE | NOT_YET)
async def show_series_table(
    request: Request,
    dataset: OneDataset,
    version: Version,
    person: CurrentPerson,
    jobs: OpenJobs,
    seconds: Wait,
) -> Response:
    """What was measured over time, as CSV: every quantity and rate with its spread and interval."""
    found = await _series(request, dataset, version, person, jobs, seconds)
    if isinstance(found, Response):
        return found
    path = Prepared(request.app.state.settings).series(dataset, version) / TABLE
    return FileResponse(path, media_type=CSV, headers=as_download(f"{dataset.name}-{version}.csv"))


@router.get("/figures/{name}", response_class=Response, responses=FIGURE | NOT_YET)
async def show_figure(
    name: FigureName,
    request: Request,
    dataset: OneDataset,
    version: Version,
    person: CurrentPerson,
    jobs: OpenJobs,
    seconds: Wait,
    format: FigureFormat = "png",
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """A figure of what was measured: quantities over time, fronts by direction, or outlines on the image."""
    prepared = Prepared(request.app.state.settings)
    await run_in_threadpool(_check_measured, prepared, dataset, version)
    path = prepared.series(dataset, version) / figure_file(name, format)
    wanted = {"dataset": dataset.name, "version": version, "name": name, "format": format}
    file = await made(path, read_file, jobs, "figure", wanted, person, seconds)
    if isinstance(file, Response):
        return file
    headers = as_download(f"{dataset.name}-{version}-{name}.{format}")
    return prepared_file(path, FIGURE_TYPES[format], headers, if_none_match)


async def _series(
    request: Request, dataset: Dataset, version: str, person: Person, jobs: Jobs, seconds: float
) -> Series | Response:
    prepared = Prepared(request.app.state.settings)
    await run_in_threadpool(_check_measured, prepared, dataset, version)
    folder = prepared.series(dataset, version)
    wanted = {"dataset": dataset.name, "version": version}
    return await made(folder, read_series, jobs, "series", wanted, person, seconds)


def _check_measured(prepared: Prepared, dataset: Dataset, version: str) -> None:
    n_measured, n_images = _n_measured(prepared, dataset, version), len(dataset.samples)
    if n_measured < n_images:
        raise MissingError(
            f"{dataset.name}: {n_measured} of {n_images} images are measured with {version}. "
            "Ask for a segmentation of all of them with `measure`."
        )


def _n_measured(prepared: Prepared, dataset: Dataset, version: str) -> int:
    return sum((prepared.maps(sample, version) / MEASURED).is_file() for sample in dataset.samples)


def _verdict(drift: tuple[DriftVerdict, ...], dataset: str, version: str) -> DriftVerdict | None:
    """The newest by the version, else the newest; verdicts come newest first."""
    found = [verdict for verdict in drift if verdict.dataset == dataset]
    return next((verdict for verdict in found if verdict.version == version), next(iter(found), None))
