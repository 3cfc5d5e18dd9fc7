"""A database in one SQLite file, for all processes of one machine."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock
from sqlalchemy import Connection, Engine, NullPool, Pool, QueuePool, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, OperationalError

from icefloe.database.engine import WAIT_SECONDS, Database
from icefloe.database.schema import VERSION_TABLE
from icefloe.errors import BusyError, IcefloeError, NoRoomError

_BEFORE_ALEMBIC = 1
"""`PRAGMA user_version` of the files that were made before there were migrations."""


_KEPT = 8
"""Connections that a process keeps; more are opened while they are needed."""


class SqliteDatabase(Database):
    """A SQLite file in WAL mode, which needs a local disk; `name` is its path."""

    def keep_connections(self) -> None:
        self._engine = self._engine_with(self._engine.url, QueuePool, pool_size=_KEPT, max_overflow=-1)

    @contextmanager
    def exclusive(self, purpose: str) -> Iterator[None]:
        # A lock file beside the database: whoever can use the file is on this machine.
        with FileLock(f"{self.name}.{purpose}.lock"):
            yield

    def prepare(self) -> None:
        with self._errors_in_one_line(), self._engine.connect() as connection:
            _switch_to_wal(connection)

    def version(self, connection: Connection) -> int:
        number = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
        tables = set(
            connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars()
        )
        is_empty = not number and not tables
        expected_table = "leases" if number == _BEFORE_ALEMBIC else VERSION_TABLE
        if not is_empty and expected_table not in tables:
            raise IcefloeError(f"{self.name}: the file is not a labelling queue. Move it to another folder.")
        return number

    def set_version(self, connection: Connection, version: int) -> None:
        # An Icefloe from before the migrations knows by this number that the file is too new for it.
        connection.exec_driver_sql(f"PRAGMA user_version = {version:d}")

    def _make_engine(self, url: URL) -> Engine:
        Path(self.name).parent.mkdir(parents=True, exist_ok=True)
        # One connection a call: safe after a fork.
        return self._engine_with(url, NullPool)

    def _engine_with(self, url: URL, pool: type[Pool], **options: Any) -> Engine:
        # isolation_level None: sqlite3 begins no transactions of its own, so BEGIN is ours.
        engine = create_engine(
            url,
            poolclass=pool,
            connect_args={"timeout": WAIT_SECONDS, "isolation_level": None},
            hide_parameters=True,
            **options,
        )
        event.listen(engine, "connect", _configure)
        return engine

    def _begin_reading(self, connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    def _begin_writing(self, connection: Connection, durable: bool) -> None:
        # Connections may be kept, and used for the other kind next: in WAL, NORMAL may lose the last
        # transactions in a power cut, and a label is minutes of work.
        wanted = "FULL" if durable else "NORMAL"
        if connection.info.get("synchronous") != wanted:
            connection.exec_driver_sql(f"PRAGMA synchronous = {wanted}")
            connection.info["synchronous"] = wanted
        # IMMEDIATE takes the right to write before anything is read.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def _explain(self, error: DBAPIError) -> str | None:
        code = getattr(error.orig, "sqlite_errorname", "")
        if code == "SQLITE_NOTADB":
            return "the file is not a labelling queue. Move it to another folder."
        if code == "SQLITE_CANTOPEN":
            return f"{error.orig}. Check the folder and its rights."
        if code == "SQLITE_CORRUPT":
            return f"{error.orig}. Restore the file from a backup."
        if isinstance(error, OperationalError):
            return f"{error.orig}. See that the disk is local and has room, then try again."
        return None

    def _kind(self, error: DBAPIError) -> type[IcefloeError]:
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF  # the plain code of an extended one
        kinds = {sqlite3.SQLITE_BUSY: BusyError, sqlite3.SQLITE_FULL: NoRoomError}
        return kinds.get(code, IcefloeError)


def _configure(connection: sqlite3.Connection, _record: Any) -> None:
    connection.execute("PRAGMA foreign_keys = ON")


def _switch_to_wal(connection: Connection) -> None:
    # SQLite does not wait its turn here, and two processes may make one file at once.
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            return
        except OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
