"""People who sign in at an identity provider: sign-ins under way, and who is who here."""

from collections.abc import Callable

from authlib.common.security import generate_token
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, delete, insert, select, update

from icefloe.database.engine import Database
from icefloe.database.schema import identities, people, sign_ins
from serving.auth import audit
from serving.auth.oidc import Identity
from serving.auth.people import Person, find_person, insert_person
from serving.auth.secret import digest, new_secret
from serving.problems import RefusedError

UNDER_WAY_SECONDS = 10 * 60.0
"""Long enough to type a password and look for a telephone."""


class SignIn(BaseModel):
    """A sign-in under way.

    Attributes
    ----------
    state, browser
        Secrets: the one goes to the provider and comes back, the other stays in the browser.
    nonce, verifier
        By which the provider's answer is known to be for this sign-in.
    target
        Path of the page that the person wants.
    """

    model_config = ConfigDict(frozen=True)

    state: str
    browser: str
    nonce: str
    verifier: str
    target: str


class Identities:
    """Who is who: (issuer, subject) of a provider -> account.

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

    def begin(self, provider: str, target: str) -> SignIn:
        """Begin a sign-in at a provider, for somebody who wants the page `target`."""
        begun = SignIn(
            state=new_secret(),
            browser=new_secret(),
            nonce=new_secret(),
            verifier=generate_token(64),
            target=target,
        )
        now = self._clock()
        row = {"sha256": digest(begun.state), "browser": digest(begun.browser), "provider": provider}
        row |= {"nonce": begun.nonce, "verifier": begun.verifier, "target": target}
        with self.database.writing(durable=False) as connection:
            connection.execute(delete(sign_ins).where(sign_ins.c.expires <= now))
            connection.execute(insert(sign_ins), {**row, "expires": now + UNDER_WAY_SECONDS})
        return begun

    def take(self, provider: str, state: str, browser: str) -> SignIn:
        """The sign-in that a browser comes back with; it is taken once.

        Raises
        ------
        RefusedError
            If none was begun in this browser, or it is too old or was taken before.
        """
        this = (
            (sign_ins.c.sha256 == digest(state))
            & (sign_ins.c.browser == digest(browser))
            & (sign_ins.c.provider == provider)
            & (sign_ins.c.expires > self._clock())
        )
        with self.database.writing() as connection:
            row = connection.execute(delete(sign_ins).where(this).returning(sign_ins)).mappings().first()
        if row is None:
            raise RefusedError(
                403,
                "This sign-in was not begun in this browser, or was used, or is more than 10 min old. "
                "Begin again on the page Sign in.",
            )
        return SignIn(
            state=state,
            browser=browser,
            nonce=row["nonce"],
            verifier=row["verifier"],
            target=row["target"],
        )

    def person(self, identity: Identity, provider: str) -> Person:
        """The account of an identity, made at its first sign-in, with the role that its groups give now.

        An account is never found by name or e-mail address: whoever can choose these at a provider could
        choose somebody else's.

        Raises
        ------
        RefusedError
            If no group gives a role, or the account is closed.
        """
        if identity.role is None:
            raise RefusedError(
                403,
                f"{identity.name}: no group that you are in at {provider} gives a role here. Ask an admin to "
                "put you in one that does.",
            )
        whose = (identities.c.issuer == identity.issuer) & (identities.c.subject == identity.subject)
        with self.database.writing() as connection:
            person_id = connection.execute(select(identities.c.person).where(whose)).scalar()
            if person_id is None:
                return self._add(connection, identity, provider)
            person = find_person(connection, person_id)
            if not person.active:
                raise RefusedError(403, f"{person.name}: the account is closed. Ask an admin.")
            if person.role != identity.role:
                values = {"role": identity.role, "revision": person.revision + 1}
                connection.execute(update(people).where(people.c.id == person.id).values(values))
                audit.record(
                    connection, self._clock(), provider, "changed person", person.name, role=identity.role
                )
            return find_person(connection, person.id)

    def people(self) -> set[int]:
        """Numbers of the accounts that sign in at a provider."""
        with self.database.reading() as connection:
            return set(connection.execute(select(identities.c.person)).scalars())

    def _add(self, connection: Connection, identity: Identity, provider: str) -> Person:
        assert identity.role is not None
        name, number = identity.name, 2
        while connection.execute(select(people.c.id).where(people.c.name == name)).first():
            name, number = f"{identity.name} ({number})", number + 1
        now = self._clock()
        person = insert_person(connection, name, identity.role, now)
        row = {"issuer": identity.issuer, "subject": identity.subject, "person": person.id}
        connection.execute(insert(identities), row)
        audit.record(connection, now, provider, "added person", name, role=identity.role)
        return person
