"""Sessions that people keep in the workspace's database; each is one person's alone."""

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, Row, delete, insert, select, update

from icefloe.database.engine import Database
from icefloe.database.schema import fewshot_sessions
from icefloe.errors import ConflictError, IcefloeError, MissingError
from icefloe.fewshot.embedding_spec import EmbeddingSpec
from icefloe.fewshot.grid import Grid
from icefloe.fewshot.rule import Rule
from icefloe.fewshot.session import Session
from icefloe.fewshot.sets import SupportSets
from icefloe.fewshot.source import ImageReference
from icefloe.names import checked_title

LONGEST_NAME = 100


class Work(BaseModel):
    """What a session is of, and what was chosen in it.

    Attributes
    ----------
    name
        As its owner calls it.
    image
        The image, by its pixels.
    notes
        What should be known of the image's file.
    grid
        Its chips; None until they are chosen.
    sets
        Support sets of these chips.
    embedding
        How chips become vectors.
    rule
        When a chip is unsure, and the level of intervals.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    image: ImageReference
    notes: tuple[str, ...] = ()
    grid: Grid | None = None
    sets: SupportSets = SupportSets()
    embedding: EmbeddingSpec = EmbeddingSpec()
    rule: Rule = Rule()

    @property
    def session(self) -> Session:
        """The session as a file holds it, unclassified.

        Raises
        ------
        IcefloeError
            If there is no grid yet.
        """
        if self.grid is None:
            raise IcefloeError(f"{self.name}: there is no grid yet. Choose the chips' edge first.")
        return Session(
            image=self.image, grid=self.grid, sets=self.sets, embedding=self.embedding, rule=self.rule
        )

    def named(self, name: str) -> "Work":
        """With another name.

        Raises
        ------
        IcefloeError
            If it is blank or too long, or holds what can't be seen.
        """
        return self._with(name=checked_title("session", name, LONGEST_NAME))

    def on_grid(self, grid: Grid, *, release: bool) -> "Work":
        """On another grid: the sets stay, their chips are released.

        Raises
        ------
        ConflictError
            If chips are chosen, and `release` does not allow to release them.
        """
        if grid == self.grid:
            return self
        n_chosen = sum(len(one.chips) for one in self.sets.sets)
        if n_chosen and not release:
            told = "1 chip is" if n_chosen == 1 else f"{n_chosen} chips are"
            raise ConflictError(
                f"{told} chosen on the present grid, and another grid has other chips. Send `release: true` "
                "to keep the sets and release their chips."
            )
        return self._with(grid=grid, sets=self.sets.emptied())

    def with_sets(self, sets: SupportSets) -> "Work":
        """With other support sets.

        Raises
        ------
        IcefloeError
            If a chip is outside the grid, or there is none yet.
        """
        if self.grid is not None:
            sets.require_on(self.grid)
        elif sets.used:
            raise IcefloeError(
                f"{sets.used[0].name}: has chips, but there is no grid yet. Choose the chips' edge first."
            )
        return self._with(sets=sets)

    def with_choices(self, embedding: EmbeddingSpec, rule: Rule) -> "Work":
        """With another way to vectors, or another rule."""
        return self._with(embedding=embedding, rule=rule)

    def _with(self, **entries: object) -> "Work":
        return Work(**{**dict(self), **entries})


class KeptSession(BaseModel):
    """A session in the database.

    Attributes
    ----------
    id
        Its number.
    person
        Number of its owner's account.
    dataset, stem
        Where its image is.
    work
        What was chosen.
    embedding
        Number of the job that makes the vectors of its chips; None before.
    revision
        Grows with every change.
    created, changed
        Times in s since the epoch.
    """

    model_config = ConfigDict(frozen=True)

    id: int
    person: int
    dataset: str
    stem: str
    work: Work
    embedding: int | None
    revision: int
    created: float
    changed: float


class StaleSessionError(ConflictError):
    """The session was changed since it was read, as in another window; `current` is what it is now."""

    def __init__(self, current: KeptSession) -> None:
        super().__init__(
            f"{current.work.name}: changed since, in another window or by a program. Look at it again."
        )
        self.current = current


class KeptSessions:
    """The few-shot sessions of a workspace; others' sessions do not exist for a person.

    Parameters
    ----------
    database
        The workspace's database, opened.
    clock
        Seconds since the epoch; None: the clock of the database.
    """

    def __init__(self, database: Database, clock: Callable[[], float] | None = None) -> None:
        self.database = database
        self._clock = clock or database.time

    def all(self, person: int) -> list[KeptSession]:
        """A person's sessions, the last changed first."""
        order = (fewshot_sessions.c.changed.desc(), fewshot_sessions.c.id.desc())
        query = select(fewshot_sessions).where(fewshot_sessions.c.person == person).order_by(*order)
        with self.database.reading(once=True) as connection:
            return [_as_session(row) for row in connection.execute(query)]

    def one(self, session_id: int, person: int) -> KeptSession:
        """A session of a person's own.

        Raises
        ------
        MissingError
            If there is none of that number, or it is another's.
        """
        with self.database.reading(once=True) as connection:
            return _find(connection, session_id, person)

    def add(self, person: int, dataset: str, stem: str, work: Work) -> KeptSession:
        """Keep a new session."""
        now = self._clock()
        row = {"person": person, "dataset": dataset, "stem": stem, "work": work.model_dump_json()}
        row |= {"revision": 1, "created": now, "changed": now}
        with self.database.writing() as connection:
            new = insert(fewshot_sessions).returning(fewshot_sessions.c.id)
            return _find(connection, connection.execute(new, row).scalar_one(), person)

    def change(
        self, session_id: int, person: int, revision: int, changed: Callable[[Work], Work]
    ) -> KeptSession:
        """Change a session.

        Parameters
        ----------
        session_id, person
            As of `one`.
        revision
            Of the session as the change is based on.
        changed
            Makes the new state of the present one.

        Raises
        ------
        MissingError
            As of `one`.
        StaleSessionError
            If it was changed since.
        """
        with self.database.writing() as connection:
            current = _find(connection, session_id, person, revision)
            work = changed(current.work)
            values = {"work": work.model_dump_json(), "revision": revision + 1, "changed": self._clock()}
            this = update(fewshot_sessions).where(fewshot_sessions.c.id == session_id)
            connection.execute(this.values(values))
            return current.model_copy(update={**values, "work": work})

    def note_embedding(self, session_id: int, job_id: int | None) -> None:
        """Note the job that makes the vectors of a session's chips; it is no change of the session."""
        this = update(fewshot_sessions).where(fewshot_sessions.c.id == session_id)
        with self.database.writing(durable=False) as connection:
            connection.execute(this.values(embedding=job_id))

    def remove(self, session_id: int, person: int, revision: int) -> None:
        """Delete a session; errors as of `change`."""
        with self.database.writing() as connection:
            _find(connection, session_id, person, revision)
            connection.execute(delete(fewshot_sessions).where(fewshot_sessions.c.id == session_id))

    def datasets(self) -> set[str]:
        """Names of the datasets that sessions are of."""
        with self.database.reading(once=True) as connection:
            return set(connection.execute(select(fewshot_sessions.c.dataset).distinct()).scalars())


def _find(connection: Connection, session_id: int, person: int, revision: int | None = None) -> KeptSession:
    own = (fewshot_sessions.c.id == session_id) & (fewshot_sessions.c.person == person)
    row = connection.execute(select(fewshot_sessions).where(own)).first()
    if row is None:
        raise MissingError(f"Session {session_id}: you have no such session. List yours to see them.")
    found = _as_session(row)
    if revision is not None and found.revision != revision:
        raise StaleSessionError(found)
    return found


def _as_session(row: Row[*tuple[Any, ...]]) -> KeptSession:
    content = dict(row._mapping)
    return KeptSession(**{**content, "work": Work.model_validate_json(content["work"])})
