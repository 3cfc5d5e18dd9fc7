"""A queue of before there were migrations."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

V1 = (Path(__file__).parent / "queue_v1.sql").read_text(encoding="utf-8")


def make_v1(path: Path) -> Path:
    """A file as Icefloe made it before there were migrations: in WAL mode, with something in every table."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(V1)
    return path


@pytest.fixture
def v1_file(tmp_path: Path) -> Path:
    path = tmp_path / "v1" / "queue.db"
    path.parent.mkdir()
    return make_v1(path)


@pytest.fixture
def run_sql() -> Callable[..., list[tuple]]:
    """Run a statement on a SQLite file, past Icefloe."""

    def run(path: Path, statement: str) -> list[tuple]:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            return connection.execute(statement).fetchall()

    return run
