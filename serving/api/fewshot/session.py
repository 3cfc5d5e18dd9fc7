"""The session of a request, and the jobs that work on it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Query, Request

from icefloe.datasets.dataset import Sample
from icefloe.errors import MissingError
from icefloe.fewshot.kept import KeptSession, KeptSessions
from icefloe.files import write_text_atomic
from icefloe.settings import Settings
from serving.auth.identity import CurrentPerson
from serving.auth.people import Person
from serving.fewshot import SessionFiles, key_of, wanted_file
from serving.jobs.job import INTERACTIVE, Job
from serving.jobs.table import Jobs
from serving.parameters import LARGEST_ID, RowId
from serving.prepared import find_sample


async def sessions_of(request: Request) -> KeptSessions:
    """The workspace's few-shot sessions."""
    sessions: KeptSessions = request.app.state.fewshot
    return sessions


OpenSessions = Annotated[KeptSessions, Depends(sessions_of)]


def own_session(session_id: RowId, sessions: OpenSessions, person: CurrentPerson) -> KeptSession:
    """The session of a path; another's does not exist.

    Raises
    ------
    MissingError
        If there is none.
    """
    return sessions.one(session_id, person.id)


OwnSession = Annotated[KeptSession, Depends(own_session)]
SessionId = Annotated[int, Query(ge=1, le=LARGEST_ID)]


def sample_of(settings: Settings, kept: KeptSession) -> Sample:
    """The image of a session.

    Raises
    ------
    MissingError
        If it is not there any more.
    """
    return find_sample(settings, kept.dataset, kept.stem, kept.person)


def state_of(settings: Settings, kept: KeptSession) -> Path | None:
    """Folder of what came of the present state of a session, made or not; None without a grid."""
    if kept.work.grid is None:
        return None
    return SessionFiles(settings, kept.id).state(key_of(kept.work.session))


def is_classified(settings: Settings, kept: KeptSession) -> bool:
    """Whether the present state of a session is classified."""
    folder = state_of(settings, kept)
    return folder is not None and folder.is_dir()


def wanted_state(settings: Settings, kept: KeptSession) -> tuple[Path, dict[str, Any]]:
    """Folder of the present state of a session, ready for a worker, and by what a job knows it.

    Raises
    ------
    IcefloeError
        If the session has no grid, or fewer than two sets with chips.
    """
    session = kept.work.session
    session.sets.require_classes()
    key = key_of(session)
    folder = SessionFiles(settings, kept.id).state(key)
    if not folder.is_dir():
        write_text_atomic(wanted_file(folder), session.model_dump_json())
    return folder, {**_image(kept), "session": kept.id, "key": key}


def embedding_of(jobs: Jobs, kept: KeptSession) -> Job | None:
    """The job that makes the vectors of a session's chips; None: there is none any more."""
    if kept.embedding is None:
        return None
    try:
        return jobs.job(kept.embedding)
    except MissingError:
        return None


def embed(sessions: KeptSessions, jobs: Jobs, kept: KeptSession, person: Person) -> KeptSession:
    """Have the vectors of a session's chips made; what was begun for other chips of it is ended."""
    wanted = _embedding(kept)
    before = embedding_of(jobs, kept)
    if before is not None and before.arguments == wanted and before.state not in ("failed", "cancelled"):
        return kept
    job = None if wanted is None else jobs.ask("embed", wanted, INTERACTIVE, person.name)
    if before is not None and before.is_live and (job is None or before.id != job.id):
        jobs.cancel(before.id, person.name)
    kept = kept.model_copy(update={"embedding": None if job is None else job.id})
    sessions.note_embedding(kept.id, kept.embedding)
    return kept


def _embedding(kept: KeptSession) -> Mapping[str, Any] | None:
    work = kept.work
    if work.grid is None:
        return None
    chips = {"sha256": work.image.sha256, "grid": work.grid.model_dump()}
    return {**_image(kept), "session": kept.id, **chips, "embedding": work.embedding.model_dump()}


def _image(kept: KeptSession) -> dict[str, Any]:
    """The image, and whose session it is: others are not told what she works on."""
    return {"dataset": kept.dataset, "stem": kept.stem, "person": kept.person}
