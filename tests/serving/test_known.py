"""People by their tokens: asked for once in some seconds, and never after their rights have changed here."""

import asyncio

import pytest

from serving.auth.known import KNOWN_SECONDS, Known
from serving.auth.people import Person
from serving.auth.roles import Role
from serving.auth.tokens import Tokens
from tests.clock import Clock

ANN = Person(id=1, name="Ann", role=Role.LABELER, active=True, has_password=True, revision=1, created=0.0)


@pytest.fixture
def clock():
    return Clock(0.0)


@pytest.fixture
def known(clock):
    return Known(clock)


class Database:
    """Answers what it is told to, and counts."""

    def __init__(self, *answers):
        self.answers = list(answers)

    async def __call__(self, secret):
        return self.answers.pop(0)


def who(known, find, kind="token", secret="secret"):
    return asyncio.run(known.person(kind, secret, find))


def test_the_database_is_asked_once_in_some_seconds(known, clock):
    find = Database(ANN, None)
    assert who(known, find) == ANN
    clock.now += KNOWN_SECONDS - 0.1
    assert who(known, find) == ANN
    clock.now += 0.2
    assert who(known, find) is None


def test_a_cookie_is_no_token(known):
    assert who(known, Database(ANN)) == ANN
    assert who(known, Database(None), kind="session") is None


def test_who_is_not_known_is_asked_for_again(known):
    find = Database(None, ANN)
    assert who(known, find) is None
    assert who(known, find) == ANN


def test_what_was_asked_before_a_change_is_not_believed_after_it(known):
    async def find(secret):
        known.forget()  # meanwhile
        return ANN

    assert who(known, find) == ANN
    assert who(known, Database(None)) is None


def test_a_token_that_another_process_revoked_is_good_for_some_seconds_only(app, clock, signed_in, browse):
    app.state.known = Known(clock)
    ann = signed_in(Role.LABELER)
    made = ann.post("/api/v1/tokens", json={"title": "a script"}).json()
    program = browse(app, headers={"Authorization": f"Bearer {made['secret']}"})
    assert program.get("/api/v1/me").status_code == 200
    person = Person.model_validate(ann.get("/api/v1/me").json())
    Tokens(app.state.database).revoke(person, made["id"])
    clock.now += KNOWN_SECONDS
    assert program.get("/api/v1/me").status_code == 401
