"""The SQLite file under the labelling queue: its tables and its transactions."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from icefloe.errors import IcefloeError

BUSY_SECONDS = 30.0
VERSION = 1

SCHEMA = f"""
BEGIN IMMEDIATE;

CREATE TABLE IF NOT EXISTS items (
    id INTEGER PRIMARY KEY,
    dataset TEXT NOT NULL,
    stem TEXT NOT NULL,
    round TEXT NOT NULL,
    height INTEGER NOT NULL,
    width INTEGER NOT NULL,
    classes TEXT NOT NULL,
    strategy TEXT NOT NULL,
    score REAL NOT NULL,
    rank INTEGER NOT NULL,
    reason TEXT NOT NULL,
    presegmentation BLOB,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'submitted', 'skipped', 'imported')),
    label INTEGER REFERENCES labels (id),
    data_version TEXT,
    UNIQUE (dataset, stem, round),
    CHECK ((state IN ('submitted', 'imported')) = (label IS NOT NULL)),
    CHECK ((state = 'imported') = (data_version IS NOT NULL))
);
-- Two labelers must not meet on one image through two rounds either.
CREATE UNIQUE INDEX IF NOT EXISTS one_open_item_an_image
    ON items (dataset, stem) WHERE state IN ('waiting', 'submitted');

CREATE TABLE IF NOT EXISTS leases (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    token TEXT NOT NULL UNIQUE,
    item INTEGER NOT NULL REFERENCES items (id),
    labeler TEXT NOT NULL,
    expires REAL NOT NULL,
    ended TEXT CHECK (ended IN ('submitted', 'released', 'expired', 'skipped'))
);
-- The database itself refuses a second running lease.
CREATE UNIQUE INDEX IF NOT EXISTS one_lease_an_item ON leases (item) WHERE ended IS NULL;

CREATE TABLE IF NOT EXISTS labels (
    id INTEGER PRIMARY KEY,
    item INTEGER NOT NULL REFERENCES items (id),
    token TEXT NOT NULL,
    labeler TEXT NOT NULL,
    time REAL NOT NULL,
    seconds REAL CHECK (seconds >= 0),
    source TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    png BLOB NOT NULL,
    refusal TEXT
);
CREATE INDEX IF NOT EXISTS labels_by_token ON labels (token);

CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY,
    time REAL NOT NULL,
    item INTEGER NOT NULL REFERENCES items (id),
    actor TEXT NOT NULL,
    what TEXT NOT NULL,
    detail TEXT NOT NULL
);

CREATE TRIGGER IF NOT EXISTS events_stay BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;
CREATE TRIGGER IF NOT EXISTS events_remain BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;
CREATE TRIGGER IF NOT EXISTS labels_stay BEFORE UPDATE ON labels
BEGIN SELECT RAISE(ABORT, 'labels are never changed'); END;
CREATE TRIGGER IF NOT EXISTS labels_remain BEFORE DELETE ON labels
BEGIN SELECT RAISE(ABORT, 'labels are never removed'); END;

PRAGMA user_version = {VERSION};
COMMIT;
"""


class QueueFile:
    """Connections and transactions on one queue's file, which is made if missing.

    Raises
    ------
    IcefloeError
        If the file can't be opened, is no queue, or was made by a newer Icefloe.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._connection() as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise IcefloeError(
                    f"{path}: this queue was made by a newer Icefloe. Update Icefloe to use it."
                )
            if version < VERSION:
                _switch_to_wal(connection)
                connection.executescript(SCHEMA)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection on which everything read is of one moment."""
        with self._connection() as connection:
            connection.execute("BEGIN")
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all that is written in it is kept, or nothing if it raises."""
        with self._connection() as connection:
            # IMMEDIATE takes the right to write before anything is read: no two callers decide on one state.
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                if connection.in_transaction:  # SQLite ends it by itself when the disk is full
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        # One connection a call: safe in threads and after a fork, for a fraction of a millisecond.
        try:
            connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
        except sqlite3.OperationalError as error:
            raise IcefloeError(f"{self.path}: {error}. Check the folder and its rights.") from error
        try:
            connection.row_factory = sqlite3.Row
            # In WAL, NORMAL may lose the last transactions in a power cut, and a label is minutes of work.
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            yield connection
        except sqlite3.OperationalError as error:
            raise IcefloeError(
                f"{self.path}: {error}. See that the disk is local and has room, then try again."
            ) from error
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorname != "SQLITE_NOTADB":
                raise
            raise IcefloeError(f"{self.path}: not a labelling queue. Move the file away.") from error
        finally:
            connection.close()


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    # SQLite does not wait its turn here, and two processes may make one queue at once.
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
