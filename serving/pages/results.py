"""Page *Results*: a dataset over time, as a version segments it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from serving.auth.identity import CurrentPerson
from serving.auth.roles import Role
from serving.pages.overview import OUTCOMES
from serving.pages.render import render
from serving.prepared import dataset_names, find_dataset, uploads
from serving.registry import why_unseen
from serving.snapshot import read_snapshot

router = APIRouter(include_in_schema=False)

Name = Annotated[str, Query(max_length=255)]


@router.get("/results")
def results(request: Request, person: CurrentPerson, dataset: Name = "", version: Name = "") -> HTMLResponse:
    state = request.app.state
    snapshot = read_snapshot(state.settings)
    if snapshot is None:
        return render(request, "error.html", title="Results", detail=why_unseen(request))
    names, sent = dataset_names(state.settings), uploads(state.settings, person.id)
    chosen = dataset or next(iter([*names, *(one.name for one in sent)]), "")
    found = find_dataset(state.settings, chosen, person.id) if chosen else None
    models = snapshot.models
    segments = models.version(version) if version else None
    if segments is None and models.champion is not None:
        segments = models.version(models.champion)
    return render(
        request,
        "results.html",
        names=names,
        uploads=sent,
        dataset=found,
        versions=tuple(reversed(models.versions)),
        champion=models.champion,
        version=segments,
        sentence=models.sentence,
        outcomes=OUTCOMES,
        may_segment=person.role.includes(Role.LABELER),
        has_worker=bool(state.workers.living()),
    )
