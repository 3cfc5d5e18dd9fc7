"""Opening the workspace's database."""

from pathlib import Path

from sqlalchemy.engine import URL

from icefloe.database.engine import Database
from icefloe.database.migrate import Schema, migrate, schema_of
from icefloe.database.postgresql import PostgresDatabase
from icefloe.database.sqlite import SqliteDatabase
from icefloe.database.url import database_url, display_name
from icefloe.settings import Settings


def open_database(settings: Settings) -> Database:
    """The database of a workspace, made if it is SQLite and missing, brought to the present schema.

    Raises
    ------
    IcefloeError
        If the setting names no database, or the database cannot be reached, holds something else, or was made
        by a newer Icefloe.
    """
    return open_url(database_url(settings))


def open_url(url: URL) -> Database:
    """As `open_database`, for the database at a URL."""
    database = _database(url)
    migrate(database)
    return database


def schema_at(url: URL) -> Schema:
    """How far the schema of the database at a URL is; nothing is made or changed.

    Raises
    ------
    IcefloeError
        If the database cannot be reached, or holds something else.
    """
    if url.drivername == "sqlite" and not Path(str(url.database)).exists():
        return Schema(display_name(url), 0)
    database = _database(url)
    try:
        return schema_of(database)
    finally:
        database.close()


def _database(url: URL) -> Database:
    return SqliteDatabase(url) if url.drivername == "sqlite" else PostgresDatabase(url)
