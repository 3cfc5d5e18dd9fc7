"""Keep MLflow's absolute artifact URIs true where a workspace was moved or copied."""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote

STATE, DATABASE, ARTIFACTS = ".icefloe", "mlflow.db", "mlartifacts"

_COLUMNS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
    ("logged_models", "artifact_location"),
)
_LOCAL = f"/{STATE}/{ARTIFACTS}"


def sqlite_path(uri: str) -> Path | None:
    """File of a SQLite URI, absolute or from the current folder; None for other stores and in memory."""
    scheme, _, rest = uri.partition("://")
    path = unquote(rest.partition("?")[0]).removeprefix("/")
    return Path(path) if scheme.split("+")[0] == "sqlite" and path not in ("", ":memory:") else None


def follow_workspace(database: Path) -> None:
    """Lead the artifact URIs in a workspace's own database to the artifacts beside it.

    A copy must not write into the original, and after a move the artifacts are to be found. Only URIs of some
    workspace's own artifacts are changed, all of them or none.

    Parameters
    ----------
    database
        `.icefloe/mlflow.db` of a workspace; any other file is left alone, as is one that is not there yet.
    """
    database = database.absolute()
    if (database.parent.name, database.name) != (STATE, DATABASE) or not database.is_file():
        return
    values = {"root": (database.parent / ARTIFACTS).as_uri(), "local": _LOCAL}
    with closing(sqlite3.connect(database, timeout=30, isolation_level=None)) as connection:
        present = {
            row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
        question = f"SELECT 1 FROM experiments WHERE {_elsewhere('artifact_location')} LIMIT 1"
        if "experiments" not in present or not connection.execute(question, values).fetchone():
            return
        connection.execute("BEGIN IMMEDIATE")
        for table, column in _COLUMNS:
            if table in present:
                moved = f":root || substr({column}, instr({column}, :local) + length(:local))"
                connection.execute(
                    f"UPDATE {table} SET {column} = {moved} WHERE {_elsewhere(column)}", values
                )
        connection.execute("COMMIT")


def _elsewhere(column: str) -> str:
    """SQL: the URI is of a workspace's own artifacts, but not of this one's."""
    return f"instr({column}, :local) AND substr({column}, 1, length(:root)) <> :root"
