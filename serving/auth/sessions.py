"""Signing in and out: sessions of browsers, and the count of failed attempts."""

from collections.abc import Callable

from sqlalchemy import Connection, delete, func, insert, select

from icefloe.database.engine import Database
from icefloe.database.schema import failures, people, sessions
from icefloe.errors import IcefloeError
from serving.auth.passwords import verify_password
from serving.auth.people import COLUMNS, Person, owner
from serving.auth.secret import digest, new_secret

SESSION_SECONDS = 14 * 24 * 3600.0
WINDOW_SECONDS, MOST_FAILURES = 15 * 60.0, 10
"""So many failed attempts, for one name or from one address, close the door to it for a while."""


class WrongPasswordError(IcefloeError):
    """No account has this name and password; the words are the same whichever is wrong."""

    def __init__(self) -> None:
        super().__init__("Name or password is wrong. Type them again, or ask an admin for a new link.")


class TooManyFailuresError(IcefloeError):
    """Too many attempts failed; `wait_s` is how long to wait."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"Too many failed attempts. Wait {wait_s / 60:.0f} min, then try again.")
        self.wait_s = wait_s


class Sessions:
    """The signed-in browsers of a workspace.

    Parameters
    ----------
    database
        The workspace's database, opened.
    clock
        Seconds since the epoch; None: the database's.
    """

    def __init__(self, database: Database, clock: Callable[[], float] | None = None) -> None:
        self.database = database
        self._clock = clock or database.time

    def sign_in(self, name: str, password: str, address: str) -> tuple[Person, str]:
        """Begin a session; return its person, and the secret for the cookie.

        Raises
        ------
        WrongPasswordError
            If there is no such open account, or it has another password; it takes as long in each case.
        TooManyFailuresError
            If too many attempts failed lately, for this name or from this address.
        """
        now = self._clock()
        with self.database.reading() as connection:
            self._check_failures(connection, name, address, now)
            row = connection.execute(
                select(*COLUMNS, people.c.password).where(people.c.name == name, people.c.active)
            ).mappings()
            found = row.first()
        if not verify_password(found["password"] if found else None, password) or found is None:
            self._note_failure(name, address, now)
            raise WrongPasswordError
        person = Person.model_validate({key: found[key] for key in Person.model_fields})
        return person, self.begin(person)

    def begin(self, person: Person) -> str:
        """Begin a session of somebody whose identity is proved; the secret for the cookie."""
        secret, now = new_secret(), self._clock()
        row = {"sha256": digest(secret), "person": person.id, "expires": now + SESSION_SECONDS}
        with self.database.writing() as connection:
            connection.execute(delete(sessions).where(sessions.c.expires <= now))
            connection.execute(insert(sessions), row)
        return secret

    def end(self, secret: str) -> None:
        """End the session of a cookie; nothing happens if there is none."""
        with self.database.writing() as connection:
            connection.execute(delete(sessions).where(sessions.c.sha256 == digest(secret)))

    def person(self, secret: str) -> Person | None:
        """Whose cookie this is; None if its session has ended or the account is closed."""
        with self.database.reading(once=True) as connection:
            return owner(connection, sessions, secret, self._clock())

    def _check_failures(self, connection: Connection, name: str, address: str, now: float) -> None:
        for column, value in ((failures.c.name, name), (failures.c.address, address)):
            lately = select(func.count(), func.min(failures.c.time)).where(
                column == value, failures.c.time > now - WINDOW_SECONDS
            )
            count, first = connection.execute(lately).one()
            if count >= MOST_FAILURES:
                raise TooManyFailuresError(max(1.0, first + WINDOW_SECONDS - now))

    def _note_failure(self, name: str, address: str, now: float) -> None:
        with self.database.writing() as connection:
            connection.execute(delete(failures).where(failures.c.time <= now - WINDOW_SECONDS))
            connection.execute(insert(failures), {"time": now, "name": name[:256], "address": address})
