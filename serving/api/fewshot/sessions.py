"""Few-shot sessions: made, listed, changed, deleted."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from icefloe.fewshot.grid import Grid
from icefloe.fewshot.kept import LONGEST_NAME, KeptSession, StaleSessionError, Work
from icefloe.fewshot.recalled import recalled
from icefloe.names import checked_title
from icefloe.settings import Settings
from serving.api.fewshot.content import Choices, Name, Session, SessionLine, Sets, checked_encoder
from serving.api.fewshot.images import looked_at
from serving.api.fewshot.session import (
    OpenSessions,
    OwnSession,
    embed,
    embedding_of,
    is_classified,
    sample_of,
    state_of,
)
from serving.api.images import Wait
from serving.api.jobs import OpenJobs
from serving.api.made import NOT_YET, made
from serving.auth.identity import CurrentPerson
from serving.etags import etag, expected_revision
from serving.fewshot import Advice, SessionFiles, advice_file, read_advice, write_state
from serving.jobs.table import Jobs
from serving.parameters import RowId
from serving.prepared import find_sample
from serving.problems import RefusedError

router = APIRouter(prefix="/sessions")


class NewSession(BaseModel):
    """The image, and the content of a `session.json` that was made of it, if one is to be recalled."""

    model_config = ConfigDict(extra="forbid")

    dataset: Name
    stem: Name
    name: Annotated[str | None, Field(max_length=1000)] = None
    session: dict[str, Any] | None = None


class NewName(BaseModel):
    """What a session is called."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=1000)]


class NewGrid(BaseModel):
    """Chips of `edge` px from (`top`, `left`) on; `release`: even where chips of another grid are chosen."""

    model_config = ConfigDict(extra="forbid")

    edge: int
    top: int = 0
    left: int = 0
    release: bool = False


class Sessions(BaseModel):
    """Your sessions, the last changed first."""

    model_config = ConfigDict(frozen=True)

    sessions: tuple[SessionLine, ...]


Revision = Annotated[int, Depends(expected_revision)]


class Change:
    """A change of the session of a path, based on the state that `If-Match` names."""

    def __init__(
        self,
        session_id: RowId,
        revision: Revision,
        request: Request,
        response: Response,
        sessions: OpenSessions,
        person: CurrentPerson,
        jobs: OpenJobs,
    ) -> None:
        self._session_id, self._revision, self._response = session_id, revision, response
        self._settings: Settings = request.app.state.settings
        self._sessions, self._person, self._jobs = sessions, person, jobs

    def make(self, changed: Callable[[Work], Work], *, embeds: bool = False) -> Session:
        """The session as it is then; `embeds`: its chips may need other vectors."""
        with self._stale_are_412():
            kept = self._sessions.change(self._session_id, self._person.id, self._revision, changed)
        if embeds:
            kept = embed(self._sessions, self._jobs, kept, self._person)
        return shown(self._settings, self._jobs, kept, self._response)

    def remove(self) -> None:
        """Delete the session and its files, and end what works on it."""
        with self._stale_are_412():
            self._sessions.remove(self._session_id, self._person.id, self._revision)
        for job in self._jobs.live():
            if job.arguments.get("session") == self._session_id:
                self._jobs.cancel(job.id, self._person.name)
        shutil.rmtree(SessionFiles(self._settings, self._session_id).root, ignore_errors=True)

    @contextmanager
    def _stale_are_412(self) -> Iterator[None]:
        try:
            yield
        except StaleSessionError as error:
            current = shown(self._settings, self._jobs, error.current, Response()).model_dump(mode="json")
            tag = {"ETag": etag(error.current.revision)}
            raise RefusedError(412, str(error), tag, current=current) from error


OneChange = Annotated[Change, Depends(Change)]


@router.post("", status_code=201)
async def begin_session(
    new: NewSession,
    request: Request,
    response: Response,
    person: CurrentPerson,
    sessions: OpenSessions,
    jobs: OpenJobs,
) -> Session:
    """Begin a session on an image, or recall one from its file, result and all."""
    settings: Settings = request.app.state.settings
    sample = await run_in_threadpool(find_sample, settings, new.dataset, new.stem, person.id)
    about = await looked_at(settings, sample, person, jobs)
    title = checked_title("session", new.name or sample.stem, LONGEST_NAME)
    work = Work(name=title, image=about.reference, notes=about.notes)

    def keep() -> Session:
        if new.session is None:
            kept = sessions.add(person.id, sample.dataset, sample.stem, work)
        else:
            kept = _recall(settings, sessions, person.id, (sample.dataset, sample.stem), work, new.session)
            kept = embed(sessions, jobs, kept, person)
        response.headers["Location"] = f"/api/v1/fewshot/sessions/{kept.id}"
        return shown(settings, jobs, kept, response)

    return await run_in_threadpool(keep)


@router.get("")
def list_sessions(request: Request, person: CurrentPerson, sessions: OpenSessions) -> Sessions:
    """Your sessions, the last changed first."""
    settings = request.app.state.settings
    lines = (
        SessionLine.of(kept, is_classified=is_classified(settings, kept)) for kept in sessions.all(person.id)
    )
    return Sessions(sessions=tuple(lines))


@router.get("/{session_id}")
def show_session(kept: OwnSession, request: Request, response: Response, jobs: OpenJobs) -> Session:
    """One session."""
    return shown(request.app.state.settings, jobs, kept, response)


@router.delete("/{session_id}", status_code=204)
def delete_session(change: OneChange) -> None:
    """Delete a session and what came of it; its image stays."""
    change.remove()


@router.put("/{session_id}/name")
def name_session(new: NewName, change: OneChange) -> Session:
    """Give a session another name."""
    return change.make(lambda work: work.named(new.name))


@router.put("/{session_id}/grid")
def choose_grid(new: NewGrid, change: OneChange) -> Session:
    """Choose the chips; their vectors are begun at once. Support sets stay, chips of the old grid don't."""

    def changed(work: Work) -> Work:
        image = work.image
        grid = Grid(height=image.height, width=image.width, edge=new.edge, top=new.top, left=new.left)
        return work.on_grid(grid, release=new.release)

    return change.make(changed, embeds=True)


@router.put("/{session_id}/sets")
def choose_sets(new: Sets, change: OneChange) -> Session:
    """Replace all support sets."""
    sets = new.support_sets()
    return change.make(lambda work: work.with_sets(sets))


@router.put("/{session_id}/choices")
def choose(new: Choices, change: OneChange) -> Session:
    """Choose how chips become vectors, and when one is unsure; vectors are begun anew where they must be."""
    embedding = new.embedding()
    return change.make(
        lambda work: work.with_choices(embedding, work.rule.model_copy(update={"max_risk": new.max_risk})),
        embeds=True,
    )


@router.get("/{session_id}/advice", response_model=Advice, responses=NOT_YET)
async def show_advice(
    kept: OwnSession, request: Request, person: CurrentPerson, jobs: OpenJobs, seconds: Wait
) -> Any:
    """A chip edge that suits the session's image, and why."""
    settings: Settings = request.app.state.settings
    sample = await run_in_threadpool(sample_of, settings, kept)
    path = await run_in_threadpool(advice_file, settings, sample)
    wanted = {"dataset": kept.dataset, "stem": kept.stem}
    return await made(path, read_advice, jobs, "chip-edge", wanted, person, seconds)


def shown(settings: Settings, jobs: Jobs, kept: KeptSession, response: Response) -> Session:
    """The session as it is answered, with its ETag."""
    response.headers["ETag"] = etag(kept.revision)
    return Session.of(kept, embedding_of(jobs, kept), is_classified=is_classified(settings, kept))


def _recall(
    settings: Settings,
    sessions: OpenSessions,
    person: int,
    image: tuple[str, str],
    work: Work,
    content: dict[str, Any],
) -> KeptSession:
    session = recalled(content, work.image)
    checked_encoder(session.embedding.encoder)
    entries = {name: getattr(session, name) for name in ("image", "grid", "sets", "embedding", "rule")}
    kept = sessions.add(person, *image, Work(**{**dict(work), **entries}))
    folder = state_of(settings, kept)
    if session.result is not None and folder is not None:
        write_state(folder, session, session.result)
    return kept
