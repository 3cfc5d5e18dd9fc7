"""Two sessions of one image side by side."""

from fastapi import APIRouter, Request

from icefloe.errors import IcefloeError
from icefloe.fewshot.comparison import Comparison, compare
from icefloe.settings import Settings
from serving.api.fewshot.session import OpenSessions, SessionId, state_of
from serving.auth.identity import CurrentPerson
from serving.fewshot import SESSION, read_session

router = APIRouter(prefix="/compare")


@router.get("")
def compare_sessions(
    first: SessionId, second: SessionId, request: Request, person: CurrentPerson, sessions: OpenSessions
) -> Comparison:
    """Which chips two classified sessions of one image and grid call differently."""
    settings: Settings = request.app.state.settings
    one, other = sessions.one(first, person.id), sessions.one(second, person.id)
    if one.work.image.sha256 != other.work.image.sha256:
        raise IcefloeError(
            f"{one.work.name} and {other.work.name} are of two images. Compare sessions of one image."
        )
    results = []
    for kept in (one, other):
        folder = state_of(settings, kept)
        session = None if folder is None else read_session(folder / SESSION)
        if session is None or session.result is None:
            raise IcefloeError(f"{kept.work.name}: not classified as it is now. Classify it first.")
        results.append(session.result)
    return compare(*results)
