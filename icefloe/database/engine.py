"""Transactions on a database, whichever engine it runs on."""

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Lock

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from icefloe.database.url import display_name
from icefloe.errors import BusyError, IcefloeError

WAIT_SECONDS = 30
"""Time that a transaction waits for others before it fails, in s."""


class Database(ABC):
    """One database, read and written in transactions.

    Any number of threads, processes and, on PostgreSQL, machines may use one database. Writers take turns: a
    transaction has the right to write before it reads anything, so no two callers decide on one state.
    Readers do not wait.

    Parameters
    ----------
    url
        URL of the database; a SQLite file is made if missing.

    Attributes
    ----------
    name : str
        Name of the database in messages; it never contains a password.

    Raises
    ------
    IcefloeError
        If the driver is not installed.
    """

    def __init__(self, url: URL) -> None:
        self.name = display_name(url)
        self._turn = Lock()
        self._engine = self._make_engine(url)

    @contextmanager
    def reading(self, *, once: bool = False) -> Iterator[Connection]:
        """A connection on which everything read is of one moment.

        Parameters
        ----------
        once
            It is read with one statement only, which is of one moment by itself: no transaction is begun.

        Raises
        ------
        IcefloeError
            If the database cannot be reached or used.
        """
        with self._errors_in_one_line(), self._engine.connect() as connection:
            if not once:
                self._begin_reading(connection)
            yield connection

    @contextmanager
    def writing(self, *, durable: bool = True) -> Iterator[Connection]:
        """A transaction: all that is written in it is kept, or nothing if the block raises.

        Parameters
        ----------
        durable
            Wait until the disk has it. Otherwise a power cut, but no killed process, may take the last of
            such transactions back; the database stays whole.

        Raises
        ------
        IcefloeError
            If the database cannot be used; a BusyError if it cannot be reached, or others have been writing
            for `WAIT_SECONDS`, a NoRoomError if its disk is full.
        """
        # One thread of a process at a time asks for the right to write. Those who wait for SQLite's sleep
        # and look again, ever longer; those who wait for PostgreSQL's keep connections that readers need.
        if not self._turn.acquire(timeout=WAIT_SECONDS):
            raise BusyError(f"{self.name}: others have been writing for {WAIT_SECONDS} s. Try again.")
        try:
            with self._errors_in_one_line(), self._engine.begin() as connection:
                self._begin_writing(connection, durable)
                yield connection
        finally:
            self._turn.release()

    @abstractmethod
    def exclusive(self, purpose: str) -> AbstractContextManager[None]:
        """Hold a lock that only one process, on any machine, has at a time.

        For work that takes longer than a transaction may. It waits as long as it must, does not stop others
        from reading or writing, and is let go when its process ends, however that ends.

        Parameters
        ----------
        purpose
            Name of the lock, such as `collect`; locks of different names are independent.

        Raises
        ------
        IcefloeError
            If the database cannot be reached.
        """

    def time(self) -> float:
        """Seconds since the epoch by the clock that all users of the database share.

        Leases and sign-ins expire by it: a machine whose own clock is wrong must not take an image from
        somebody who is labelling it.

        Raises
        ------
        IcefloeError
            If the database cannot be reached.
        """
        return time.time()

    def close(self) -> None:
        """Close the connections that are kept open for later use."""
        self._engine.dispose()

    def keep_connections(self) -> None:  # noqa: B027 - most engines do
        """Keep connections open from call to call: for a process that answers many, and does not fork."""

    def prepare(self) -> None:  # noqa: B027 - most engines need nothing
        """Set up a new database, outside a transaction."""

    @abstractmethod
    def version(self, connection: Connection) -> int:
        """Number of the last migration that this database has had; 0 for an empty one.

        Raises
        ------
        IcefloeError
            If the database holds something else.
        """

    def set_version(self, connection: Connection, version: int) -> None:  # noqa: B027
        """Store the version where other programs look for it, beside Alembic's own table."""

    @abstractmethod
    def _make_engine(self, url: URL) -> Engine: ...

    @abstractmethod
    def _begin_reading(self, connection: Connection) -> None: ...

    @abstractmethod
    def _begin_writing(self, connection: Connection, durable: bool) -> None: ...

    @abstractmethod
    def _explain(self, error: DBAPIError) -> str | None:
        """What happened and what to do, in one line; None for a fault of Icefloe."""

    @abstractmethod
    def _kind(self, error: DBAPIError) -> type[IcefloeError]:
        """Whether the same may work later, or needs room first, or neither."""

    @contextmanager
    def _errors_in_one_line(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            explanation = self._explain(error)
            if explanation is None:
                raise
            raise self._kind(error)(f"{self.name}: {explanation}") from error
