"""A database on a PostgreSQL server, for any number of machines."""

import hashlib
import os
import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakSet

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, DisconnectionError, OperationalError

from icefloe.database.engine import WAIT_SECONDS, Database
from icefloe.database.schema import VERSION_TABLE
from icefloe.errors import BusyError, IcefloeError, NoRoomError

CONNECT_SECONDS = 10

_KEPT = 10
"""Connections that a process keeps; more are opened while they are needed, which takes the server long."""

_TRUSTED_SECONDS = 30.0
"""A connection that nobody used for so long is tried before it is used again."""

_CLOCK_SECONDS = 60.0
"""How long the server's clock is reckoned on from its last answer."""

_RESTARTING = ("57P01", "57P02", "57P03")
"""The server stops, has crashed, or has not begun yet: what it was asked may be asked again."""

_engines: WeakSet[Engine] = WeakSet()


def _forget_inherited_connections() -> None:
    # After a fork two processes would talk over one connection; the child makes its own.
    for engine in _engines:
        engine.dispose(close=False)


os.register_at_fork(after_in_child=_forget_inherited_connections)


class PostgresDatabase(Database):
    """A database on a PostgreSQL server.

    Writers take turns through one advisory lock a database, held until the transaction ends, as SQLite's do
    through the file. Row locks or SERIALIZABLE would let transactions on different images run at once, at
    the price of retries that SQLite does not need. People who label need a transaction of some milliseconds
    in minutes; with one rule on both engines, what is true of one is true of the other.
    """

    _asked: tuple[float, float] | None = None
    """When the server was last asked for the time, by this machine's monotonic clock, and its answer."""

    @contextmanager
    def exclusive(self, purpose: str) -> Iterator[None]:
        with self._errors_in_one_line():
            connection = self._engine.connect()
        try:
            with self._errors_in_one_line():
                # No transaction, which would keep the server from cleaning up for minutes.
                # Detached, it is closed and not kept for later: the end of the session frees the lock.
                connection.detach()
                connection.exec_driver_sql(f"SELECT pg_advisory_lock({_lock_key(purpose)})")
            yield
        finally:
            connection.close()

    def time(self) -> float:
        """The server's clock, asked once a minute."""
        now = time.monotonic()
        asked = self._asked
        if asked is None or now - asked[0] > _CLOCK_SECONDS:
            with self.reading(once=True) as connection:
                told = connection.exec_driver_sql("SELECT extract(epoch FROM clock_timestamp())").scalar_one()
            asked = self._asked = time.monotonic(), float(told)
            now = asked[0]
        return asked[1] + now - asked[0]

    def version(self, connection: Connection) -> int:
        if connection.exec_driver_sql(f"SELECT to_regclass('{VERSION_TABLE}')").scalar() is None:
            return 0
        found = connection.exec_driver_sql(f"SELECT version_num FROM {VERSION_TABLE}").scalar()
        return int(found or 0)

    def _make_engine(self, url: URL) -> Engine:
        try:
            engine = create_engine(
                url.update_query_dict({"connect_timeout": str(CONNECT_SECONDS), **url.query}),
                pool_size=_KEPT,
                # psycopg begins no transactions of its own, so BEGIN is ours, sent with what follows it.
                isolation_level="AUTOCOMMIT",
                hide_parameters=True,
            )
        except ModuleNotFoundError as error:
            raise IcefloeError(
                f"{self.name}: the driver psycopg is not installed. "
                "Install it: pip install 'psycopg[binary]'."
            ) from error
        event.listen(engine, "checkin", _note_use)
        event.listen(engine, "checkout", _check_alive)
        _engines.add(engine)
        return engine

    def _begin_reading(self, connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def _begin_writing(self, connection: Connection, durable: bool) -> None:
        # READ COMMITTED, so that each statement sees what the writer before us left; any higher level would
        # show the database as it was when we began to wait.
        connection.exec_driver_sql(
            "BEGIN ISOLATION LEVEL READ COMMITTED; "
            f"SET LOCAL synchronous_commit = {'on' if durable else 'off'}; "
            f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'; "
            f"SELECT pg_advisory_xact_lock({_lock_key('write')})"
        )

    def _explain(self, error: DBAPIError) -> str | None:
        diagnosis = getattr(error.orig, "diag", None)
        what = getattr(diagnosis, "message_primary", None) or " ".join(str(error.orig).split()).rstrip(".")
        state = getattr(error.orig, "sqlstate", None)
        if state == "55P03":  # lock_not_available
            return f"others have been writing for {WAIT_SECONDS} s. Try again."
        if state == "42501":  # insufficient_privilege
            return f"{what}. Give the user of database_url that right."
        if state == "42P07":  # duplicate_table
            return f"{what}. Name a database that holds nothing else in database_url."
        if state in _RESTARTING:
            return f"{what}. The server restarts; try again."
        if isinstance(error, OperationalError):
            return f"{what}. See that the server runs and that database_url is right."
        return None

    def _kind(self, error: DBAPIError) -> type[IcefloeError]:
        state = getattr(error.orig, "sqlstate", None)
        if state == "53100":  # disk_full
            return NoRoomError
        # Without a state the server could not be reached at all.
        return BusyError if state in (None, "55P03", *_RESTARTING) else IcefloeError


def _note_use(_connection: Any, record: Any) -> None:
    record.info["used"] = time.monotonic()


def _check_alive(connection: Any, record: Any, _proxy: Any) -> None:
    """Have a kept connection replaced if the server has gone since.

    Asking the server each time, as SQLAlchemy's `pool_pre_ping` does, takes as long as a statement. A server
    that stops closes its connections, which this side can see by itself; what closes them without a word,
    such as a firewall, does so to those that are idle.
    """
    used = record.info.get("used")
    if used is None:
        return
    try:
        waiting = select.poll()
        waiting.register(connection.fileno(), select.POLLIN)
        if waiting.poll(0) or time.monotonic() - used > _TRUSTED_SECONDS:
            connection.execute("SELECT 1")
    except connection.OperationalError as error:  # psycopg's, which need not be installed
        raise DisconnectionError from error


def _lock_key(purpose: str) -> int:
    """Number of an advisory lock: PostgreSQL has no names for them."""
    digest = hashlib.sha256(f"icefloe {purpose}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
