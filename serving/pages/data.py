"""Page *Data*: datasets, what their audit says, data versions."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from icefloe.datasets.version_log import version_log
from serving.api.datasets import list_datasets
from serving.audited import read_audit
from serving.auth.identity import CurrentPerson
from serving.auth.roles import Role
from serving.pages.render import render
from serving.snapshot import read_snapshot

router = APIRouter(include_in_schema=False)


@router.get("/data")
def data(request: Request, person: CurrentPerson) -> HTMLResponse:
    settings = request.app.state.settings
    snapshot = read_snapshot(settings)
    trained: dict[str, list[str]] = {}
    for version in snapshot.models.versions if snapshot else ():
        trained.setdefault(version.data_rev, []).append(version.name)
    return render(
        request,
        "data.html",
        datasets=list_datasets(request),
        audit=read_audit(settings),
        versions=version_log(settings.workspace),
        trained=trained,
        withdrawn=snapshot.withdrawn if snapshot else None,
        may_change=person.role.includes(Role.OPERATOR),
    )
