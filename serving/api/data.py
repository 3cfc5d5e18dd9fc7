"""The state of all data: what its audit says, its versions, and labels that were withdrawn."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field

from icefloe.datasets.version_log import LoggedVersion, version_log
from icefloe.errors import IcefloeError, MissingError
from serving.api.jobs import OpenJobs, asked
from serving.api.queue import Reason
from serving.audited import AuditResult, read_audit
from serving.auth.identity import CurrentPerson
from serving.jobs.job import Job
from serving.registry import current_snapshot
from serving.snapshot import WithdrawnState

router = APIRouter(prefix="/data", tags=["datasets"])


class Withdrawal(Reason):
    """Whose labels are taken back, or those of which images, and why."""

    keys: Annotated[tuple[Annotated[str, Field(max_length=511)], ...], Field(max_length=1000)] = ()
    labeler: Annotated[str | None, Field(min_length=1, max_length=255)] = None


@router.get("/versions")
def list_versions(request: Request) -> list[LoggedVersion]:
    """The latest data versions, newest first."""
    return version_log(request.app.state.settings.workspace)


@router.get("/withdrawals")
def list_withdrawals(request: Request) -> WithdrawnState:
    """Labels that were withdrawn, newest first, and the versions that each has trained."""
    return current_snapshot(request).withdrawn


@router.post("/withdrawals", status_code=202)
def withdraw_labels(wanted: Withdrawal, response: Response, person: CurrentPerson, jobs: OpenJobs) -> Job:
    """Take labels back, of some images or all of one labeler's: the next version is trained without them."""
    if bool(wanted.keys) == bool(wanted.labeler):
        raise IcefloeError("Which labels? Name images such as D3/stack_7, or one labeler.")
    arguments = {**wanted.model_dump(), "by": person.name}
    about = wanted.labeler or ", ".join(wanted.keys)
    return asked(jobs, response, "withdraw", arguments, person.name, about)


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
