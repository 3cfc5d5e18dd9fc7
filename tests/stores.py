"""MLflow stores for tests: making the tables takes seconds, so they are made once a process and copied."""

import sqlite3
import tempfile
from functools import cache
from pathlib import Path

from sqlalchemy import Engine, event

from icefloe.experiment import connect
from icefloe.settings import sqlite_uri


@event.listens_for(Engine, "connect")
def _do_not_wait_for_the_disk(connection: object, _record: object) -> None:
    """A commit takes a tenth of the time. Whatever is killed in a test, what it wrote is with the system.

    Icefloe's own database says itself, before it writes, what it waits for.
    """
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous = OFF")


@cache
def _tables() -> bytes:
    """A SQLite file with MLflow's tables."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mlflow.db"
        connect(sqlite_uri(path)).search_experiments()
        return path.read_bytes()


def new_store(folder: Path) -> str:
    """URI of a new store, `mlflow.db` in a folder that is made if it is not there."""
    path = folder / "mlflow.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_tables())
    return sqlite_uri(path)
