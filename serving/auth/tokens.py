"""API tokens: with one a program acts as the person who made it."""

from collections.abc import Callable

from pydantic import BaseModel, ConfigDict
from sqlalchemy import delete, insert, select

from icefloe.database.engine import Database
from icefloe.database.schema import tokens
from icefloe.errors import MissingError
from serving.auth import audit
from serving.auth.people import Person, owner
from serving.auth.secret import digest, new_secret

DAY_SECONDS = 24 * 3600.0
PREFIX = "icefloe_"
"""By which a token is known where it was left lying, such as in a repository."""


class Token(BaseModel):
    """A token as lists show it, without its secret; times in s since the epoch."""

    model_config = ConfigDict(frozen=True)

    id: int
    title: str
    created: float
    expires: float


class Tokens:
    """The tokens of a workspace's people.

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

    def add(self, person: Person, title: str, days: int) -> tuple[Token, str]:
        """Make a token that is valid for `days`; return it and its secret, which is not shown again."""
        secret, now = PREFIX + new_secret(), self._clock()
        row = {"sha256": digest(secret), "person": person.id, "title": title}
        row |= {"created": now, "expires": now + days * DAY_SECONDS}
        with self.database.writing() as connection:
            token_id = connection.execute(insert(tokens).returning(tokens.c.id), row).scalar_one()
            audit.record(connection, now, person.name, "added token", title, days=days)
        return Token(id=token_id, title=title, created=now, expires=row["expires"]), secret

    def of(self, person: Person) -> list[Token]:
        """The valid tokens of a person, oldest first."""
        chosen = select(tokens.c.id, tokens.c.title, tokens.c.created, tokens.c.expires).where(
            tokens.c.person == person.id, tokens.c.expires > self._clock()
        )
        with self.database.reading() as connection:
            rows = connection.execute(chosen.order_by(tokens.c.id)).mappings().all()
        return [Token.model_validate(dict(row)) for row in rows]

    def revoke(self, person: Person, token_id: int) -> None:
        """End one of a person's own tokens.

        Raises
        ------
        MissingError
            If the person has no such token.
        """
        mine = (tokens.c.id == token_id) & (tokens.c.person == person.id)
        with self.database.writing() as connection:
            ended = connection.execute(delete(tokens).where(mine).returning(tokens.c.title)).first()
            if ended is None:
                raise MissingError(f"Token {token_id}: you have no such token. List yours to see them.")
            audit.record(connection, self._clock(), person.name, "revoked token", ended.title)

    def person(self, secret: str) -> Person | None:
        """Who made a token; None if it is unknown or too old, or the account is closed."""
        with self.database.reading(once=True) as connection:
            return owner(connection, tokens, secret, self._clock())
