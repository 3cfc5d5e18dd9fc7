"""Migration of a database to the present schema."""

from pathlib import Path
from threading import Lock

from sqlalchemy import Connection

from icefloe.database.engine import Database
from icefloe.errors import IcefloeError

HEAD = 10
"""Number of the newest migration; Alembic, slow to import, is asked only where this is not reached."""

MIGRATIONS = Path(__file__).parent / "migrations"

_alembic = Lock()  # its environment is one a process


def migrate(database: Database) -> None:
    """Migrate a database, new or old, to the present schema, in one transaction.

    Raises
    ------
    IcefloeError
        If it holds something else, was made by a newer Icefloe, or cannot be reached or written.
    """
    with database.reading() as connection:
        version = database.version(connection)
    if version == HEAD:
        return
    if version == 0:
        database.prepare()
    with _alembic, database.writing() as connection:
        # Read again: another process may have been first.
        version = database.version(connection)
        if version > HEAD:
            raise IcefloeError(
                f"{database.name}: this queue was made by a newer Icefloe. Update Icefloe to use it."
            )
        if version < HEAD:
            _upgrade(connection)
            database.set_version(connection, HEAD)


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, "head")
