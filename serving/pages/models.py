"""Pages *Models* and that of one version."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from icefloe.evaluation.rule import METRICS
from serving.api.models import ModelComparison
from serving.auth.identity import CurrentPerson
from serving.auth.roles import Role
from serving.etags import etag
from serving.pages.render import render
from serving.prepared import dataset_names
from serving.registry import current_snapshot, why_unseen
from serving.snapshot import ModelsState, read_snapshot

router = APIRouter(include_in_schema=False)

Name = Annotated[str | None, Query(max_length=200)]


@router.get("/models")
def models(request: Request, person: CurrentPerson, one: Name = None, two: Name = None) -> HTMLResponse:
    snapshot = read_snapshot(request.app.state.settings)
    if snapshot is None:
        return render(request, "error.html", title="Models", detail=why_unseen(request))
    state = snapshot.models
    compared = _compared(state, one, two)
    return render(
        request,
        "models.html",
        state=state,
        versions=tuple(reversed(state.versions)),
        etag=etag(state.revision),
        may_change=person.role.includes(Role.OPERATOR),
        compared=compared,
        datasets=dataset_names(request.app.state.settings),
    )


@router.get("/models/{version}")
def model(version: str, request: Request) -> HTMLResponse:
    snapshot = current_snapshot(request)
    found = snapshot.models.version(version)
    withdrawn = snapshot.withdrawn.of_version(found.name)
    return render(request, "model.html", version=found, metrics=METRICS, withdrawn=withdrawn)


def _compared(state: ModelsState, one: str | None, two: str | None) -> ModelComparison | None:
    """The two that are asked for; else the champion and the newest, or the two newest."""
    names = [version.name for version in state.versions]
    if len(names) < 2:
        return None
    two = two or (names[-1] if names[-1] != state.champion else None) or state.previous or names[-2]
    one = one or (state.champion if state.champion not in (None, two) else None)
    one = one or next(name for name in reversed(names) if name != two)
    return ModelComparison.of(state.version(one), state.version(two))
