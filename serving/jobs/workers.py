"""The table of workers: who lives, and which version each has loaded."""

from collections.abc import Callable

from pydantic import BaseModel, ConfigDict
from sqlalchemy import delete, insert, select, update

from icefloe.database.engine import Database
from icefloe.database.schema import workers
from serving.jobs.table import LEASE_SECONDS


class WorkerState(BaseModel):
    """A worker that lives.

    Attributes
    ----------
    name
        Machine and process.
    champion
        Name of the version that it has loaded as champion; None if there is none.
    problem
        Why a newer champion could not be loaded; the one before serves on.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    champion: str | None
    problem: str | None


class Workers:
    """The workers of a workspace.

    Parameters
    ----------
    database
        The workspace's database, opened.
    clock
        Seconds since the epoch; None: the database's.
    """

    def __init__(self, database: Database, clock: Callable[[], float] | None = None) -> None:
        self.database = database
        self._clock = clock or database.time

    def beat(self, state: WorkerState) -> None:
        """A worker's sign of life, and what it has loaded."""
        now = self._clock()
        row = state.model_dump() | {"expires": now + LEASE_SECONDS}
        with self.database.writing() as connection:
            known = update(workers).where(workers.c.name == state.name).values(row)
            if connection.execute(known).rowcount == 0:
                connection.execute(delete(workers).where(workers.c.expires <= now))
                connection.execute(insert(workers), row)

    def leave(self, name: str) -> None:
        """A worker ends."""
        with self.database.writing() as connection:
            connection.execute(delete(workers).where(workers.c.name == name))

    def ages(self) -> dict[str, float]:
        """Name -> s since the last sign of life, of workers that died, too, until others take their place."""
        with self.database.reading() as connection:
            rows = connection.execute(select(workers.c.name, workers.c.expires))
            return {name: max(0.0, self._clock() - (expires - LEASE_SECONDS)) for name, expires in rows}

    def living(self) -> list[WorkerState]:
        """Those that gave a sign of life of late, by name."""
        query = select(workers).where(workers.c.expires > self._clock()).order_by(workers.c.name)
        with self.database.reading() as connection:
            rows = connection.execute(query).mappings()
            return [WorkerState.model_validate(dict(row), extra="ignore") for row in rows]
