"""Accounts: links, passwords, sessions, tokens, and the log of what was changed."""

from http import HTTPStatus

import pytest
from argon2 import extract_parameters
from sqlalchemy.exc import IntegrityError

from icefloe.database.open import open_database
from icefloe.errors import IcefloeError
from serving.auth import audit, passwords
from serving.auth.passwords import hash_password, verify_password
from serving.auth.people import LINK_SECONDS, People
from serving.auth.roles import Role
from serving.auth.sessions import MOST_FAILURES, SESSION_SECONDS, WINDOW_SECONDS, Sessions
from serving.auth.tokens import DAY_SECONDS, Tokens
from tests.clock import Clock
from tests.serving.conftest import PASSWORD


@pytest.fixture
def clock():
    return Clock(1000.0)


@pytest.fixture
def people(app, clock):
    return People(app.state.database, clock)


def change(admin, person, **entries):
    headers = {"If-Match": f'"{person["revision"]}"'}
    return admin.patch(f"/api/v1/people/{person['id']}", json=entries, headers=headers)


def sign_in(browser, name, password=PASSWORD):
    return browser.post("/api/v1/sessions", json={"name": name, "password": password})


def test_the_first_admin_gets_a_link_until_there_is_one_who_can_sign_in(app, client):
    people = app.state.people
    unused, link = people.first_link(), people.first_link()
    refused = client.post("/api/v1/passwords", json={"link": unused, "password": PASSWORD})
    assert refused.json()["detail"] == "This link was used or is too old. Ask an admin for a new one."
    made = client.post("/api/v1/passwords", json={"link": link, "password": PASSWORD}).json()
    assert (made["name"], made["role"]) == ("admin", "admin")
    assert people.first_link() is None
    assert client.get("/api/v1/me").json()["name"] == "admin"


def test_an_account_of_the_first_admins_name_is_not_promoted_with_its_password(app, client, people):
    _, link = people.add("admin", Role.VIEWER, "test")
    people.choose_password(link, PASSWORD)
    assert sign_in(client, "admin").status_code == 201
    assert app.state.people.first_link() is not None
    assert client.get("/api/v1/me").status_code == 401
    assert sign_in(client, "admin").status_code == 401


def test_a_link_works_once_and_for_three_days(people, clock):
    _, link = people.add("Ann", Role.LABELER, "admin")
    clock.now += LINK_SECONDS - 1
    people.choose_password(link, PASSWORD)
    with pytest.raises(IcefloeError, match="used or is too old"):
        people.choose_password(link, PASSWORD)
    late = people.new_link(1, "admin")
    clock.now += LINK_SECONDS
    with pytest.raises(IcefloeError, match="used or is too old"):
        people.choose_password(late, PASSWORD)


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("too short", "has 9 characters. Choose one of 10 to 256"),
        ("x" * 257, "has 257 characters"),
        ("ANN ANDERSEN", "is your name"),
    ],
)
def test_a_poor_password_is_refused_and_the_link_stays(people, password, words):
    _, link = people.add("Ann Andersen", Role.LABELER, "admin")
    with pytest.raises(IcefloeError, match=words):
        people.choose_password(link, password)
    assert people.choose_password(link, PASSWORD).has_password


def test_nothing_secret_is_stored_or_logged(app, client, signed_in, settings):
    browser = signed_in(Role.ADMIN, "Ann")
    token = browser.post("/api/v1/tokens", json={"title": "script"}).json()["secret"]
    cookie = browser.cookies["icefloe"]
    link = browser.post("/api/v1/people", json={"name": "Bob", "role": "viewer"}).json()["link"]
    app.state.database.close()
    stored = b"".join(path.read_bytes() for path in settings.queue_path.parent.glob("queue.db*"))
    for secret in (PASSWORD, token, cookie, link.partition("#")[2]):
        assert secret.encode() not in stored
    assert b"$argon2id$" in stored


def test_an_unknown_name_a_wrong_password_and_a_closed_account_read_the_same(app, client, signed_in):
    signed_in(Role.VIEWER, "Ann")
    signed_in(Role.VIEWER, "Bob")
    admin = signed_in(Role.ADMIN, "Eve")
    bob = next(person for person in admin.get("/api/v1/people").json() if person["name"] == "Bob")
    assert change(admin, bob, active=False).status_code == 200
    answers = [
        sign_in(client, "nobody"),
        sign_in(client, "Ann", "wrong password"),
        sign_in(client, "Bob"),
        sign_in(client, "Ann", "x" * 200),
    ]
    assert {answer.status_code for answer in answers} == {401}
    words = "Name or password is wrong. Type them again, or ask an admin for a new link."
    assert {answer.json()["detail"] for answer in answers} == {words}


def test_a_password_of_nobody_takes_as_long_to_check(people, monkeypatch):
    checked = []

    class Noting(passwords.PasswordHasher):
        def verify(self, hash, password):
            checked.append(extract_parameters(hash))
            return super().verify(hash, password)

    monkeypatch.setattr(passwords, "_hasher", Noting(time_cost=1, memory_cost=8, parallelism=1))
    for hashed in (None, hash_password(PASSWORD)):
        assert not verify_password(hashed, "wrong password")
    # One hash each, at the same cost: what takes the time.
    assert len(checked) == 2
    assert checked[0] == checked[1]


def test_failed_sign_ins_close_the_door_for_a_while(app, browse, clock, people):
    _, link = people.add("Ann", Role.VIEWER, "admin")
    people.choose_password(link, PASSWORD)
    browser = browse(app)
    app.state.sessions = Sessions(app.state.database, clock)
    for _ in range(MOST_FAILURES):
        assert sign_in(browser, "Ann", "wrong password").status_code == 401
    closed = sign_in(browser, "Ann")
    assert closed.status_code == 429
    assert closed.headers["retry-after"] == str(int(WINDOW_SECONDS))
    assert closed.json()["detail"] == "Too many failed attempts. Wait 15 min, then try again."
    clock.now += WINDOW_SECONDS + 1
    assert sign_in(browser, "Ann").status_code == 201


def test_failures_of_many_names_from_one_address_count_together(app, browse):
    browser = browse(app)
    codes = [sign_in(browser, f"guess {number}").status_code for number in range(MOST_FAILURES + 1)]
    assert codes == [401] * MOST_FAILURES + [429]


def test_a_session_ends_by_signing_out_and_by_time(app, clock, people, signed_in):
    browser = signed_in(Role.VIEWER, "Ann")
    secret = browser.cookies["icefloe"]
    assert browser.delete("/api/v1/sessions/current").status_code == 204
    assert browser.cookies.get("icefloe") is None
    assert app.state.sessions.person(secret) is None
    sessions = Sessions(app.state.database, clock)
    later = sessions.begin(people.all()[0])
    clock.now += SESSION_SECONDS
    assert sessions.person(later) is None


def test_closing_an_account_ends_its_sessions_and_tokens_at_once(client, signed_in):
    admin, browser = signed_in(Role.ADMIN), signed_in(Role.LABELER, "Ann")
    secret = browser.post("/api/v1/tokens", json={"title": "script"}).json()["secret"]
    me = browser.get("/api/v1/me").json()
    closed = change(admin, me, active=False)
    assert closed.json()["active"] is False
    assert browser.get("/api/v1/me").status_code == 401
    assert client.get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"}).status_code == 401
    # Opening it again brings none of them back.
    assert change(admin, closed.json(), active=True).status_code == 200
    assert browser.get("/api/v1/me").status_code == 401
    assert sign_in(browser, "Ann").status_code == 201


def test_a_new_role_holds_at_once_and_a_new_password_ends_sessions(app, browse, signed_in):
    admin, browser = signed_in(Role.ADMIN), signed_in(Role.LABELER, "Ann")
    me = browser.get("/api/v1/me").json()
    change(admin, me, role="admin")
    assert browser.get("/api/v1/people").status_code == 200
    link = admin.post(f"/api/v1/people/{me['id']}/links").json()["link"].partition("#")[2]
    other = browse(app)
    assert other.post("/api/v1/passwords", json={"link": link, "password": PASSWORD}).status_code == 201
    assert browser.get("/api/v1/me").status_code == 401


def test_a_change_needs_the_state_that_it_is_based_on(signed_in):
    admin = signed_in(Role.ADMIN)
    made = admin.post("/api/v1/people", json={"name": "Ann", "role": "viewer"})
    path = made.headers["location"]
    assert admin.get(path).headers["etag"] == made.headers["etag"] == '"1"'
    assert admin.patch(path, json={"role": "labeler"}).status_code == 428
    assert admin.patch(path, json={"role": "labeler"}, headers={"If-Match": '"1"'}).status_code == 200
    stale = admin.patch(path, json={"role": "operator"}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    assert stale.headers["etag"] == '"2"'
    assert stale.json()["current"]["role"] == "labeler"
    assert admin.patch(path, json={"role": "viewer"}, headers={"If-Match": "*"}).status_code == 412


@pytest.mark.parametrize("entries", [{"role": "operator"}, {"active": False}])
def test_the_only_admin_stays(signed_in, entries):
    admin = signed_in(Role.ADMIN, "Ann")
    admin.post("/api/v1/people", json={"name": "Bob", "role": "admin"})  # has not chosen a password
    me = admin.get("/api/v1/me").json()
    answer = change(admin, me, **entries)
    assert answer.status_code == 422
    assert answer.json()["detail"] == "Ann: the only admin. Make somebody else admin first."
    assert admin.get("/api/v1/me").json() == me


@pytest.mark.parametrize("name", ["", " ", "x" * 129, "two\nlines", 7])
def test_what_is_no_name_is_refused(signed_in, name):
    answer = signed_in(Role.ADMIN).post("/api/v1/people", json={"name": name, "role": "viewer"})
    assert answer.status_code == 422


def test_a_name_is_given_once(signed_in):
    admin = signed_in(Role.ADMIN, "Ann")
    answer = admin.post("/api/v1/people", json={"name": "Ann", "role": "viewer"})
    assert answer.json()["detail"] == "Ann: there is an account of this name. Choose another."


def test_who_is_not_there_is_404(signed_in):
    admin = signed_in(Role.ADMIN)
    assert admin.get("/api/v1/people/99").status_code == 404
    assert admin.post("/api/v1/people/99/links").status_code == 404
    assert admin.delete("/api/v1/tokens/99").status_code == 404


def test_a_token_is_its_persons_alone_and_ends(app, clock, people, signed_in):
    ann, bob = signed_in(Role.LABELER, "Ann"), signed_in(Role.LABELER, "Bob")
    made = ann.post("/api/v1/tokens", json={"title": "script", "days": 7}).json()
    assert [token["title"] for token in ann.get("/api/v1/tokens").json()] == ["script"]
    assert "secret" not in ann.get("/api/v1/tokens").text
    assert bob.get("/api/v1/tokens").json() == []
    assert bob.delete(f"/api/v1/tokens/{made['id']}").status_code == 404
    assert ann.delete(f"/api/v1/tokens/{made['id']}").status_code == 204
    assert app.state.tokens.person(made["secret"]) is None
    tokens = Tokens(app.state.database, clock)
    _, secret = tokens.add(people.all()[0], "short", days=1)
    assert tokens.person(secret) is not None
    clock.now += DAY_SECONDS
    assert tokens.person(secret) is None


def test_the_log_says_who_changed_what_and_cannot_be_rewritten(app, signed_in):
    admin = signed_in(Role.ADMIN, "Ann")
    admin.post("/api/v1/people", json={"name": "Bob", "role": "viewer"})
    admin.post("/api/v1/tokens", json={"title": "script"})
    entries = admin.get("/api/v1/audit").json()
    assert [(entry["actor"], entry["what"], entry["target"]) for entry in entries[:2]] == [
        ("Ann", "added token", "script"),
        ("Ann", "added person", "Bob"),
    ]
    assert entries[1]["detail"] == {"role": "viewer"}
    assert [entry.id for entry in audit.read(app.state.database, before=entries[0]["id"], limit=1)] == [
        entries[1]["id"]
    ]
    for statement in ("DELETE FROM audit", "UPDATE audit SET actor = 'Eve'"):
        with pytest.raises(IntegrityError, match="append-only"), app.state.database.writing() as connection:
            connection.exec_driver_sql(statement)


def test_what_bad_input_gets_is_a_problem_that_says_what_to_do(client):
    answer = client.post("/api/v1/sessions", json={"name": "Ann"})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["title"] == HTTPStatus(422).phrase
    assert problem["detail"] == "password: Field required. Correct it and send it again."
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert client.get("/api/v1/nothing").json()["status"] == 404
    assert client.put("/api/v1/sessions").status_code == 405


def test_readiness_says_when_the_database_does_not_answer(app, settings, client):
    assert client.get("/readyz").json()["status"] == "ready"
    settings.queue_path.write_bytes(b"no database at all" * 100)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["detail"].endswith("Restore the file from a backup.")
    assert client.get("/healthz").status_code == 200


def test_another_process_sees_the_same_people(app, settings, signed_in):
    signed_in(Role.ADMIN, "Ann")
    assert [person.name for person in People(open_database(settings)).all()] == ["Ann"]
