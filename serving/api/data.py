"""The state of all data: what its audit says, and its versions."""

from fastapi import APIRouter, Request, Response

from icefloe.datasets.version_log import LoggedVersion, version_log
from icefloe.errors import MissingError
from serving.api.jobs import OpenJobs, asked
from serving.audited import AuditResult, read_audit
from serving.auth.identity import CurrentPerson
from serving.jobs.job import Job

router = APIRouter(prefix="/data", tags=["datasets"])


@router.get("/versions")
def list_versions(request: Request) -> list[LoggedVersion]:
    """The latest data versions, newest first."""
    return version_log(request.app.state.settings.workspace)


@router.get("/audit")
def show_audit(request: Request) -> AuditResult:
    """What the last audit of the data said."""
    result = read_audit(request.app.state.settings)
    if result is None:
        raise MissingError("The data were not audited yet. Ask for it: POST /api/v1/data/audit.")
    return result


@router.post("/audit", status_code=202)
def start_audit(response: Response, person: CurrentPerson, jobs: OpenJobs) -> Job:
    """Ask for an audit: duplicates, leaks between splits, files that cannot be used, trivial baselines."""
    return asked(jobs, response, "audit", {}, person.name, "data")
