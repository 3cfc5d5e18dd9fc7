"""Versions of the model: list, look at, compare, promote, roll back."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from icefloe.evaluation.rule import METRICS
from serving.api.jobs import OpenJobs
from serving.auth.identity import CurrentPerson
from serving.etags import etag, expected_revision
from serving.jobs.job import INTERACTIVE, Job
from serving.jobs.waiting import preferred_wait, until_over
from serving.problems import RefusedError
from serving.registry import current_snapshot
from serving.snapshot import ModelsState, VersionState

router = APIRouter(prefix="/models", tags=["models"])

NOT_YET: dict[int | str, dict[str, Any]] = {
    202: {"model": Job, "description": "A worker is at it; `Location` is its job"}
}

Reason = Annotated[str, Field(max_length=1000)]
Revision = Annotated[int, Depends(expected_revision)]
Wait = Annotated[float, Depends(preferred_wait)]


class Promotion(BaseModel):
    """Why a version is to become champion; `force` overrules the promotion gate, and needs a reason."""

    reason: Reason = ""
    force: bool = False


class Rollback(BaseModel):
    """Why the previous champion is to come back."""

    reason: Annotated[str, Field(min_length=1, max_length=1000)]


class Changed(BaseModel):
    """What was changed, in a sentence."""

    sentence: str


class ScorePair(BaseModel):
    """One metric on one dataset by two versions (None: not evaluated there), and two minus one."""

    model_config = ConfigDict(frozen=True)

    dataset: str
    metric: str
    one: float | None
    two: float | None
    difference: float | None


class ModelComparison(BaseModel):
    """Scores of two versions side by side, each over its own held-out images."""

    model_config = ConfigDict(frozen=True)

    one: str
    two: str
    scores: tuple[ScorePair, ...]

    @classmethod
    def of(cls, one: VersionState, two: VersionState) -> "ModelComparison":
        """Compare two versions."""
        pairs = []
        for dataset in {**one.scores, **two.scores}:
            for metric, word in METRICS.items():
                first = one.scores.get(dataset, {}).get(metric)
                second = two.scores.get(dataset, {}).get(metric)
                if first is None and second is None:
                    continue
                difference = None if first is None or second is None else second - first
                pairs.append(
                    ScorePair(dataset=dataset, metric=word, one=first, two=second, difference=difference)
                )
        return cls(one=one.name, two=two.name, scores=tuple(pairs))


def current_models(request: Request) -> ModelsState:
    """The versions, as a worker last saw them."""
    return current_snapshot(request).models


Models = Annotated[ModelsState, Depends(current_models)]


@router.get("")
def list_models(models: Models, response: Response) -> ModelsState:
    """Every version, oldest first, the champion, and every change of it; the ETag is for changing it."""
    response.headers["ETag"] = etag(models.revision)
    return models


@router.get("/comparison")
def compare_models(one: str, two: str, models: Models) -> ModelComparison:
    """Scores of two versions on every dataset side by side."""
    return ModelComparison.of(models.version(one), models.version(two))


@router.get("/{version}")
def show_model(version: str, models: Models) -> VersionState:
    """One version, by name or alias: what it was made from, its scores, the promotion gate's report."""
    return models.version(version)


@router.post("/{version}/promote", responses=NOT_YET, response_model=Changed)
async def promote_model(
    version: str,
    wanted: Promotion,
    models: Models,
    revision: Revision,
    request: Request,
    response: Response,
    person: CurrentPerson,
    jobs: OpenJobs,
    seconds: Wait,
) -> Any:
    """Make a version the champion; 409 with the promotion gate's own sentence if it objects."""
    name = models.version(version).name
    _check_unchanged(models, revision)
    arguments = {"version": name, **wanted.model_dump(), "expected": revision, "by": person.name}
    job = await run_in_threadpool(jobs.ask, "promote", arguments, INTERACTIVE, person.name, name)
    return await _outcome(request, response, await until_over(jobs, job, seconds), revision)


@router.post("/rollback", responses=NOT_YET, response_model=Changed)
async def roll_back(
    wanted: Rollback,
    models: Models,
    revision: Revision,
    request: Request,
    response: Response,
    person: CurrentPerson,
    jobs: OpenJobs,
    seconds: Wait,
) -> Any:
    """Make the previous champion the champion again."""
    _check_unchanged(models, revision)
    arguments = {**wanted.model_dump(), "expected": revision, "by": person.name}
    changes = models.champion or "champion"
    job = await run_in_threadpool(jobs.ask, "rollback", arguments, INTERACTIVE, person.name, changes)
    return await _outcome(request, response, await until_over(jobs, job, seconds), revision)


async def _outcome(request: Request, response: Response, job: Job, revision: int) -> Any:
    if job.is_live:
        headers = {"Location": f"/api/v1/jobs/{job.id}", "Retry-After": "1"}
        return JSONResponse(job.model_dump(mode="json"), 202, headers)
    models = (await run_in_threadpool(current_snapshot, request)).models
    if job.state != "done":
        _check_unchanged(models, revision)
        raise RefusedError(409, job.problem or "It was cancelled. Ask for it again.")
    response.headers["ETag"] = etag(models.revision)
    return Changed.model_validate(job.result)


def _check_unchanged(models: ModelsState, revision: int) -> None:
    if revision != models.revision:
        raise RefusedError(
            412,
            "The models have changed since you looked at them. Look again, then decide.",
            {"ETag": etag(models.revision)},
            current=models.model_dump(mode="json", include={"champion", "previous", "sentence"}),
        )
