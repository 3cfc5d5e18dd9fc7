"""URLs of databases, and their names in messages."""

from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from icefloe.errors import IcefloeError
from icefloe.settings import Settings

FORMS = "`sqlite:///FILE` or `postgresql+psycopg://USER:PASSWORD@HOST:PORT/DATABASE`"

_DRIVERS = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


def database_url(settings: Settings) -> URL:
    """The database that a workspace's settings name: `database_url`, or else the SQLite file `queue_path`.

    Raises
    ------
    IcefloeError
        If `database_url` cannot be read or names another kind of database, or is missing in the profile
        `cluster`. No message repeats the URL, which may hold a password.
    """
    if settings.database_url:
        return parse_url(settings.database_url.get_secret_value(), settings.folder)
    if settings.profile == "cluster":
        raise IcefloeError(
            "database_url: not set, and the profile cluster falls back on no local file. "
            "Set ICEFLOE_DATABASE_URL, or ICEFLOE_DATABASE_URL_FILE to a file that holds it."
        )
    return sqlite_url(settings.queue_path)


def sqlite_url(path: Path) -> URL:
    """The URL of the SQLite file at `path`, whatever characters the path has."""
    return URL.create("sqlite", database=str(path))


def parse_url(text: str, workspace: Path | None) -> URL:
    """Read a URL from the settings.

    Parameters
    ----------
    text
        `sqlite:///FILE` or `postgresql+psycopg://USER:PASSWORD@HOST:PORT/DATABASE`; `postgresql://` means the
        same driver.
    workspace
        Folder that a relative SQLite path starts from; None: there is none, and a whole path is needed.

    Raises
    ------
    IcefloeError
        If it is no such URL.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        # Not chained: what make_url says may quote a part of the password.
        raise IcefloeError(f"database_url: it is not a valid URL. Write {FORMS}.") from None
    if url.drivername not in _DRIVERS:
        raise IcefloeError(f"database_url: {url.drivername!r} is not supported. Write {FORMS}.")
    url = url.set(drivername=_DRIVERS[url.drivername])
    if url.drivername == "sqlite":
        if not url.database or url.database == ":memory:":
            raise IcefloeError(f"database_url: it names no SQLite file. Write {FORMS}.")
        if workspace is None and not Path(url.database).is_absolute():
            raise IcefloeError(
                "database_url: its path is from a workspace, and there is none. Write the file's whole path."
            )
        return url.set(database=str((workspace or Path()) / url.database))
    if text.count("@") > 1:
        # A bare @ in the password ends it there; the rest would be shown as host or database.
        raise IcefloeError("database_url: it contains two @. Write an @ in the user name or password as %40.")
    if not url.database:
        raise IcefloeError(f"database_url: it names no database. Write {FORMS}.")
    return url


def display_name(url: URL) -> str:
    """Name of a database in messages: the path of a SQLite file, or the URL without password and options."""
    if url.drivername == "sqlite":
        return str(url.database)
    shown = URL.create("postgresql", url.username, None, url.host, url.port, url.database)
    return shown.render_as_string()
