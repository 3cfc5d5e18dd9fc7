"""Migration of a database to the present schema."""

from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from sqlalchemy import Connection

from icefloe.database.engine import Database
from icefloe.errors import IcefloeError

HEAD = 11
"""Number of the newest migration; Alembic, slow to import, is asked only where this is not reached."""

TOO_NEW = "this database was made by a newer Icefloe. Update Icefloe to use it."

MIGRATIONS = Path(__file__).parent / "migrations"

_alembic = Lock()  # its environment is one a process


@dataclass(frozen=True)
class Schema:
    """The state of a database's schema.

    Attributes
    ----------
    database
        The database's name, without a password.
    version
        Number of the last migration that it has had; 0 for one that is empty or not made yet.
    """

    database: str
    version: int

    @property
    def is_current(self) -> bool:
        """Whether it is the one that this Icefloe uses."""
        return self.version == HEAD

    def sentence(self) -> str:
        """How far it is, and what brings it to the present one."""
        if self.is_current:
            return f"{self.database}: schema {self.version}, the present one."
        if self.version > HEAD:
            return f"{self.database}: {TOO_NEW}"
        found = f"schema {self.version} of {HEAD}" if self.version else "no tables yet"
        return f"{self.database}: {found}. `icefloe db upgrade` makes what is missing."


def schema_of(database: Database) -> Schema:
    """How far a database's schema is.

    Raises
    ------
    IcefloeError
        If it holds something else, or cannot be reached.
    """
    with database.reading() as connection:
        return Schema(database.name, database.version(connection))


def migrate(database: Database) -> None:
    """Migrate a database, new or old, to the present schema, in one transaction.

    Raises
    ------
    IcefloeError
        If it holds something else, was made by a newer Icefloe, or cannot be reached or written.
    """
    found = schema_of(database)
    if found.is_current:
        return
    if found.version == 0:
        database.prepare()
    with _alembic, database.writing() as connection:
        # Read again: another process may have been first.
        version = database.version(connection)
        if version > HEAD:
            raise IcefloeError(Schema(database.name, version).sentence())
        if version < HEAD:
            _upgrade(connection)
            database.set_version(connection, HEAD)


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, "head")
