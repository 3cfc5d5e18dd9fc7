"""Accounts, and the one-time links with which their owners choose passwords."""

from collections.abc import Callable

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, Table, bindparam, delete, func, insert, select, update

from icefloe.active.uploads import check_person
from icefloe.database.engine import Database
from icefloe.database.schema import links, people, sessions, tokens
from icefloe.errors import ConflictError, IcefloeError, MissingError
from serving.auth import audit
from serving.auth.passwords import check_password, hash_password
from serving.auth.roles import Role
from serving.auth.secret import digest, new_secret

LINK_SECONDS = 3 * 24 * 3600.0
"""A link may lie in a mailbox over a weekend."""

FIRST = "admin"
"""Name of the account that a new service begins with."""

SERVICE = "icefloe"
"""Who acts in the audit log where nobody does."""


class Person(BaseModel):
    """An account.

    Attributes
    ----------
    id, name, role
        Number, unique name, and what the person may do.
    active
        Whether the person may sign in; an account with labels is never removed.
    has_password
        False until its owner used a link.
    revision
        Grows with every change.
    created
        Time in s since the epoch.
    """

    model_config = ConfigDict(frozen=True)

    id: int
    name: str
    role: Role
    active: bool
    has_password: bool
    revision: int
    created: float


class StaleError(ConflictError):
    """Somebody else changed the account since it was read; `current` is what it is now."""

    def __init__(self, current: Person) -> None:
        super().__init__(f"{current.name}: changed by somebody else since. Look at it again.")
        self.current = current


COLUMNS = (
    *(people.c[name] for name in ("id", "name", "role", "active", "revision", "created")),
    people.c.password.is_not(None).label("has_password"),
)


# Built once: putting a statement together takes longer than SQLite takes to run it.
_OWNER = {
    table.name: select(*COLUMNS)
    .join(table, table.c.person == people.c.id)
    .where(table.c.sha256 == bindparam("secret"), table.c.expires > bindparam("now"), people.c.active)
    for table in (links, sessions, tokens)
}


class People:
    """The accounts of a workspace.

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

    def all(self) -> list[Person]:
        """Every account, by name."""
        with self.database.reading() as connection:
            rows = connection.execute(select(*COLUMNS).order_by(func.lower(people.c.name))).mappings()
            return [Person.model_validate(dict(row)) for row in rows]

    def person(self, person_id: int) -> Person:
        """One account.

        Raises
        ------
        MissingError
            If there is none of that number.
        """
        with self.database.reading() as connection:
            return find_person(connection, person_id)

    def add(self, name: str, role: Role, actor: str) -> tuple[Person, str]:
        """Make an account; return it and the secret of a link with which its owner chooses a password.

        Raises
        ------
        IcefloeError
            If the name is taken, or is no name.
        """
        check_person(name)
        with self.database.writing() as connection:
            if connection.execute(select(people.c.id).where(people.c.name == name)).first():
                raise IcefloeError(f"{name}: there is an account of this name. Choose another.")
            person = insert_person(connection, name, role, self._clock())
            audit.record(connection, self._clock(), actor, "added person", name, role=role)
            return person, self._new_link(connection, person.id)

    def change(
        self, person_id: int, revision: int, actor: str, role: Role | None = None, active: bool | None = None
    ) -> Person:
        """Give an account another role, close it, or open it again.

        Closing ends its sessions and tokens at once.

        Parameters
        ----------
        revision
            Of the account as the actor saw it.

        Raises
        ------
        MissingError
            If there is no such account.
        StaleError
            If the account was changed since.
        IcefloeError
            If no admin would be left.
        """
        wanted = {"role": role, "active": active}
        values = {name: value for name, value in wanted.items() if value is not None}
        with self.database.writing() as connection:
            person = find_person(connection, person_id)
            if person.revision != revision:
                raise StaleError(person)
            new = {"revision": revision + 1, **values}
            connection.execute(update(people).where(people.c.id == person_id).values(new))
            if not _has_admin(connection, with_password=person.has_password):
                raise IcefloeError(f"{person.name}: the only admin. Make somebody else admin first.")
            if active is False:
                for table in (sessions, tokens, links):
                    connection.execute(delete(table).where(table.c.person == person_id))
            audit.record(connection, self._clock(), actor, "changed person", person.name, **values)
            return find_person(connection, person_id)

    def new_link(self, person_id: int, actor: str) -> str:
        """Secret of a new link for an account whose owner has forgotten the password; older links end.

        Raises
        ------
        MissingError
            If there is no such account.
        IcefloeError
            If the account is closed.
        """
        with self.database.writing() as connection:
            person = find_person(connection, person_id)
            if not person.active:
                raise IcefloeError(f"{person.name}: the account is closed. Open it first.")
            audit.record(connection, self._clock(), actor, "made link", person.name)
            return self._new_link(connection, person_id)

    def choose_password(self, link: str, password: str) -> Person:
        """Set the password of the account that a link is for; the link and all sessions of the account end.

        Raises
        ------
        IcefloeError
            If the link is unknown, used or too old, or the password unfit.
        """
        with self.database.reading() as connection:
            person = self._owner(connection, link)
        check_password(password, person.name)
        hashed = hash_password(password)  # outside the transaction: it takes longer than others should wait
        with self.database.writing() as connection:
            person = self._owner(connection, link)
            values = {"password": hashed, "revision": person.revision + 1}
            connection.execute(update(people).where(people.c.id == person.id).values(values))
            for table in (links, sessions):
                connection.execute(delete(table).where(table.c.person == person.id))
            audit.record(connection, self._clock(), person.name, "chose password", person.name)
            return find_person(connection, person.id)

    def first_link(self) -> str | None:
        """Secret of a link for the first admin while nobody can sign in as one; else None."""
        with self.database.writing() as connection:
            if _has_admin(connection, with_password=True):
                return None
            row = connection.execute(select(people.c.id).where(people.c.name == FIRST)).first()
            person_id = row.id if row else insert_person(connection, FIRST, Role.ADMIN, self._clock()).id
            # Nobody who knew this account's password before becomes admin by it.
            values = {"role": Role.ADMIN, "active": True, "password": None}
            connection.execute(update(people).where(people.c.id == person_id).values(values))
            for table in (sessions, tokens):
                connection.execute(delete(table).where(table.c.person == person_id))
            audit.record(connection, self._clock(), SERVICE, "made link", FIRST)
            return self._new_link(connection, person_id)

    def _owner(self, connection: Connection, link: str) -> Person:
        person = owner(connection, links, link, self._clock())
        if person is None:
            raise IcefloeError("This link was used or is too old. Ask an admin for a new one.")
        return person

    def _new_link(self, connection: Connection, person_id: int) -> str:
        link = new_secret()
        connection.execute(delete(links).where(links.c.person == person_id))
        row = {"sha256": digest(link), "person": person_id, "expires": self._clock() + LINK_SECONDS}
        connection.execute(insert(links), row)
        return link


def owner(connection: Connection, table: Table, secret: str, now: float) -> Person | None:
    """Whose secret this is in `links`, `sessions` or `tokens`; None if it ended or the account is closed."""
    row = connection.execute(_OWNER[table.name], {"secret": digest(secret), "now": now}).mappings().first()
    return None if row is None else Person.model_validate(dict(row))


def find_person(connection: Connection, person_id: int) -> Person:
    """One account, in a transaction; errors as of `People.person`."""
    row = connection.execute(select(*COLUMNS).where(people.c.id == person_id)).mappings().first()
    if row is None:
        raise MissingError(f"Person {person_id}: no such account. List the people to see who is there.")
    return Person.model_validate(dict(row))


def insert_person(connection: Connection, name: str, role: Role, now: float) -> Person:
    """Make an account whose name is free, in a transaction."""
    row = {"name": name, "role": role, "active": True, "revision": 1, "created": now}
    person_id = connection.execute(insert(people).returning(people.c.id), row).scalar_one()
    return find_person(connection, person_id)


def _has_admin(connection: Connection, with_password: bool) -> bool:
    chosen = select(people.c.id).where(people.c.role == Role.ADMIN, people.c.active)
    if with_password:
        chosen = chosen.where(people.c.password.is_not(None))
    return connection.execute(chosen).first() is not None
