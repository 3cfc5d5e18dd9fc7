"""Opening the workspace's database."""

from sqlalchemy.engine import URL

from icefloe.database.engine import Database
from icefloe.database.migrate import migrate
from icefloe.database.postgresql import PostgresDatabase
from icefloe.database.sqlite import SqliteDatabase
from icefloe.database.url import database_url
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
    database = SqliteDatabase(url) if url.drivername == "sqlite" else PostgresDatabase(url)
    migrate(database)
    return database
