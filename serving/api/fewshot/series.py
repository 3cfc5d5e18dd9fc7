"""A dataset's images classified by one session's support sets."""

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from icefloe.datasets.dataset import Dataset, Sample
from icefloe.errors import MissingError
from icefloe.fewshot.series import Series, SeriesImage
from icefloe.fewshot.series_csv import series_csv
from icefloe.files import write_text_atomic
from icefloe.settings import Settings
from serving.api.fewshot.content import Name
from serving.api.fewshot.session import OpenSessions
from serving.api.images import Wait
from serving.api.jobs import OpenJobs
from serving.api.made import NOT_YET, as_download, made, prepared_file
from serving.api.results import CSV_FILE, FIGURE, FIGURE_TYPES
from serving.api.segmentations import CSV, checked_stems
from serving.auth.identity import CurrentPerson
from serving.fewshot import (
    SessionFiles,
    WantedSeries,
    key_of,
    read_series,
    read_wanted_series,
    series_figure_file,
    wanted_file,
)
from serving.jobs.job import BATCH, Job
from serving.jobs.waiting import until_over
from serving.parameters import LARGEST_ID, RowId
from serving.prepared import FigureFormat, find_dataset, read_file

router = APIRouter(prefix="/series")

KIND = "fewshot-series"


class NewSeries(BaseModel):
    """Images to classify: all of a dataset or those of some stems, by a session's support sets."""

    model_config = ConfigDict(extra="forbid")

    session: Annotated[int, Field(ge=1, le=LARGEST_ID)]
    dataset: Name
    stems: list[str] | None = None


class SeriesState(BaseModel):
    """A series: its job, the images done so far, in order, and their times (empty: not known)."""

    model_config = ConfigDict(frozen=True)

    job: Job
    images: tuple[SeriesImage, ...]
    notes: tuple[str, ...]
    times_s: tuple[float, ...]


class OwnSeries:
    """The series of a path; another's does not exist.

    Raises
    ------
    MissingError
        If there is none, or its session was deleted.
    """

    def __init__(
        self,
        job_id: RowId,
        request: Request,
        person: CurrentPerson,
        jobs: OpenJobs,
        sessions: OpenSessions,
    ) -> None:
        self.job = jobs.job(job_id)
        if self.job.kind != KIND or self.job.arguments["person"] != person.id:
            raise MissingError(f"Job {job_id}: no series of yours. List the jobs to see what it is.")
        self.name = sessions.one(self.job.arguments["session"], person.id).work.name
        settings: Settings = request.app.state.settings
        self.folder = SessionFiles(settings, self.job.arguments["session"]).series(self.job.arguments["key"])
        self._dataset = find_dataset(settings, self.job.arguments["dataset"], person.id)
        wanted = read_wanted_series(wanted_file(self.folder))
        if wanted is None:
            raise MissingError(f"{self.name}: this series is not here any more. Ask for it again.")
        self._samples = wanted.samples(self._dataset)
        self._settings = settings

    def state(self) -> SeriesState:
        """How far it is."""
        return _state(self.job, self._read())

    def series(self) -> Series:
        """Its images, one at least.

        Raises
        ------
        MissingError
            If none is done.
        """
        if found := self._read():
            return found
        raise MissingError(f"{self.name}: no image of the series is classified yet. Look again later.")

    def _read(self) -> Series | None:
        return read_series(self._settings, self.folder, self._dataset, self._samples)


@router.post(
    "",
    response_model=SeriesState,
    responses={202: {"model": SeriesState, "description": "Not all is done"}},
)
async def ask_for_series(
    wanted: NewSeries,
    request: Request,
    response: Response,
    person: CurrentPerson,
    sessions: OpenSessions,
    jobs: OpenJobs,
    seconds: Wait,
) -> Any:
    """Classify a dataset's images; 200 if it is done within `Prefer: wait`, else 202 and `Location`."""
    settings: Settings = request.app.state.settings

    def ask() -> tuple[Job, Path, Dataset, list[Sample]]:
        kept = sessions.one(wanted.session, person.id)
        session = kept.work.session
        session.sets.require_classes()
        dataset = find_dataset(settings, wanted.dataset, person.id)
        stems = checked_stems(dataset, wanted.stems)
        key = key_of(session, dataset.name, stems)
        folder = SessionFiles(settings, kept.id).series(key)
        images = WantedSeries(session=session, stems=stems)
        write_text_atomic(wanted_file(folder), images.model_dump_json())
        arguments = {"dataset": dataset.name, "person": person.id, "session": kept.id, "key": key}
        arguments["supports"] = [kept.dataset, kept.stem]
        job = jobs.ask(KIND, arguments, BATCH, person.name)
        return job, folder, dataset, images.samples(dataset)

    job, folder, dataset, samples = await run_in_threadpool(ask)
    job = await until_over(jobs, job, seconds)
    response.status_code = 202 if job.is_live else 200
    response.headers["Location"] = f"/api/v1/fewshot/series/{job.id}"
    return _state(job, await run_in_threadpool(read_series, settings, folder, dataset, samples))


@router.get("/{job_id}")
def show_series(series: Annotated[OwnSeries, Depends(OwnSeries)]) -> SeriesState:
    """How far a series is, and what came of the images done so far."""
    return series.state()


@router.get("/{job_id}/table", response_class=Response, responses=CSV_FILE)
def show_series_table(series: Annotated[OwnSeries, Depends(OwnSeries)]) -> Response:
    """Counts and fractions of the images done so far, with their intervals, as CSV."""
    headers = as_download(f"fewshot-series-{series.job.id}.csv")
    return Response(series_csv(series.series()), media_type=CSV, headers=headers)


@router.get("/{job_id}/figure.{format}", response_class=Response, responses=FIGURE | NOT_YET)
async def show_series_figure(
    format: FigureFormat,
    series: Annotated[OwnSeries, Depends(OwnSeries)],
    person: CurrentPerson,
    jobs: OpenJobs,
    seconds: Wait,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Fractions from image to image with bands, of the images done so far."""
    path = series.folder / series_figure_file(await run_in_threadpool(series.series), format)
    wanted = {**series.job.arguments, "file": path.name, "format": format}
    found = await made(path, read_file, jobs, "fewshot-figure", wanted, person, seconds)
    if isinstance(found, Response):
        return found
    headers = as_download(f"fewshot-series-{series.job.id}.{format}")
    return prepared_file(path, FIGURE_TYPES[format], headers, if_none_match)


def _state(job: Job, series: Series | None) -> SeriesState:
    if series is None:
        return SeriesState(job=job, images=(), notes=(), times_s=())
    return SeriesState(job=job, images=series.images, notes=series.notes, times_s=series.times_s)
