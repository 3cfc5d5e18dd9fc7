"""MLflow stores for tests: making the tables takes seconds, so they are made once a process and copied."""

import tempfile
from functools import cache
from pathlib import Path

from icefloe.experiment import connect
from icefloe.settings import sqlite_uri


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
