"""The workspace's database: how far its schema is, and bringing it to the present one."""

from icefloe.database.migrate import Schema, schema_of
from icefloe.database.open import open_database, schema_at
from icefloe.database.url import database_url
from icefloe.settings import Settings


def database_status(settings: Settings) -> Schema:
    """How far the schema of the settings' database is; nothing is made or changed.

    Raises
    ------
    IcefloeError
        If the settings name no database, or it cannot be reached or holds something else.
    """
    return schema_at(database_url(settings))


def upgrade_database(settings: Settings) -> Schema:
    """Make what the present schema lacks in the settings' database, all of it or nothing; return the schema.

    Whatever opens the database does the same. This is for a step that is to be finished before anything else
    starts, such as a Job in a cluster.

    Raises
    ------
    IcefloeError
        If the settings name no database, or it cannot be reached or written, holds something else, or was
        made by a newer Icefloe.
    """
    database = open_database(settings)
    try:
        return schema_of(database)
    finally:
        database.close()
