"""Who reaches what: roles, hosts, other sites, sizes."""

import errno
import json

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from icefloe.errors import IcefloeError
from serving.app import create_app, routes_of
from serving.auth.roles import NEEDED, Role
from serving.headers import MAX_BODY_BYTES
from serving.options import Options
from tests.serving.conftest import URL

NAMES = {
    **{f"{{{name}}}": "999" for name in ("token_id", "person_id", "item_id", "job_id", "session_id")},
    "{which}": "a",
    "{format}": "png",
    **{f"{{{name}}}": "nothing" for name in ("dataset", "stem", "name", "version")},
}


def filled(path: str) -> str:
    for name, value in NAMES.items():
        path = path.replace(name, value)
    return path


def refused_to(browser: TestClient, method: str, path: str) -> int | None:
    """401 or 403 if the route is closed to a browser; None if it is open, whatever it answers."""
    headers = {"Accept": "application/json"}
    answer = browser.request(method, filled(path), headers=headers, follow_redirects=False)
    return answer.status_code if answer.status_code in (401, 403) else None


def test_every_route_has_its_role_in_the_table(app):
    assert set(routes_of(app)) == set(NEEDED)


@pytest.mark.parametrize("role", [None, *Role])
def test_every_route_is_open_to_its_role_and_above_only(client, signed_in, role):
    browser = client if role is None else signed_in(role)
    signing_out = ("DELETE", "/api/v1/sessions/current")
    found = {route: refused_to(browser, *route) for route in sorted(NEEDED, key=signing_out.__eq__)}
    expected = {
        route: None if needed is None or (role and role.includes(needed)) else 401 if role is None else 403
        for route, needed in NEEDED.items()
    }
    assert found == expected


def test_a_program_gets_by_token_what_its_person_may_do(client, signed_in):
    secret = signed_in(Role.LABELER).post("/api/v1/tokens", json={"title": "script"}).json()["secret"]
    bearer = {"Authorization": f"Bearer {secret}"}
    assert client.get("/api/v1/me", headers=bearer).json()["role"] == "labeler"
    refusal = client.get("/api/v1/people", headers=bearer)
    assert refusal.status_code == 403
    assert refusal.json()["detail"] == "This needs the role admin; yours is labeler. Ask an admin."


def test_a_wrong_token_is_nobody_even_beside_a_right_cookie(signed_in):
    browser = signed_in(Role.ADMIN)
    assert browser.get("/api/v1/me", headers={"Authorization": "Bearer wrong"}).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "", "Origin": "http://127.0.0.1.example.org:8080"},
    ],
)
def test_another_site_changes_nothing_with_a_persons_cookie(signed_in, headers):
    browser = signed_in(Role.ADMIN)
    answer = browser.post("/api/v1/people", json={"name": "Eve", "role": "admin"}, headers=headers)
    assert answer.status_code == 403
    assert "did not come from a page of this service" in answer.json()["detail"]
    assert "Eve" not in browser.get("/people", headers={"Accept": "text/html"}).text


def test_a_browser_without_fetch_metadata_is_known_by_its_origin(app, browse, signed_in):
    cookies = signed_in(Role.ADMIN).cookies
    old = browse(app, cookies=cookies, headers={})
    assert old.post("/api/v1/tokens", json={"title": "a"}, headers={"Origin": URL}).status_code == 201
    assert old.post("/api/v1/tokens", json={"title": "a"}).status_code == 403


def test_a_foreign_site_cannot_sign_somebody_in(client):
    answer = client.post(
        "/api/v1/sessions", json={"name": "a", "password": "b"}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403


@pytest.mark.parametrize("host", ["evil.example.org", "127.0.0.1.example.org:8080", "", "localhost.:8080"])
def test_a_host_name_that_is_not_the_services_is_refused(client, host):
    answer = client.get("/healthz", headers={"Host": host})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8080", "LOCALHOST", "[::1]:8080"])
def test_the_services_own_names_are_taken_with_and_without_port(client, host):
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


def test_a_body_too_large_is_refused_by_its_header(client):
    answer = client.post(
        "/api/v1/sessions", content=b"{}", headers={"Content-Length": str(MAX_BODY_BYTES + 1)}
    )
    assert answer.status_code == 413
    assert answer.json()["detail"] == "The body is larger than 64 MiB. Send it in parts."


def test_a_body_too_large_without_a_length_is_refused_as_it_comes(client):
    chunks = (b"x" * 2**20 for _ in range(65))
    answer = client.post("/api/v1/sessions", content=chunks, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert client.get("/readyz").status_code == 200


def test_every_answer_forbids_scripts_from_elsewhere(client, signed_in):
    admin = signed_in(Role.ADMIN)
    for answer in (
        client.get("/sign-in"),
        client.get("/nothing"),
        admin.get("/people"),
        client.get("/web/style.css"),
    ):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe-inline" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_pages_have_nothing_inline(client, signed_in):
    admin = signed_in(Role.ADMIN)
    for path in ("/sign-in", "/welcome", "/account", "/people", "/api"):
        page = admin.get(path, headers={"Accept": "text/html"})
        assert page.status_code == 200
        for forbidden in ("<style", " style=", " onclick", "javascript:", "<script>"):
            assert forbidden not in page.text


def test_a_person_who_is_not_signed_in_is_led_to_the_sign_in_and_back(client):
    answer = client.get("/people", headers={"Accept": "text/html"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in#/people")


@pytest.mark.parametrize(
    "path", ["/web/../app.py", "/web/%2e%2e/app.py", "/web/..%2fapp.py", "/api/v1/people/%00"]
)
def test_no_file_outside_the_pages_own_is_read(client, signed_in, path):
    answer = signed_in(Role.ADMIN).get(path)
    assert answer.status_code in (404, 422)
    assert "import" not in answer.text


def test_many_requests_in_a_minute_are_asked_to_wait(app, client):
    from serving.auth.rates import Rates

    app.state.rates = Rates(per_minute=5)
    answers = [client.get("/healthz") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60


def test_requests_of_the_last_minute_count_by_sender_and_no_others():
    from serving.auth.rates import Rates
    from serving.problems import RefusedError

    now = 1000.0
    rates = Rates(per_minute=2, clock=lambda: now)

    def ask(token: str) -> None:
        rates.check(Request({"type": "http", "headers": [(b"authorization", token.encode())]}))

    ask("Bearer a")
    now += 40
    ask("Bearer a")
    ask("Bearer b")
    with pytest.raises(RefusedError, match="Wait 20 s") as refused:
        ask("Bearer a")
    assert refused.value.headers["Retry-After"] == "20"
    now += 20.5
    ask("Bearer a")
    with pytest.raises(RefusedError, match="Wait 40 s"):
        ask("Bearer a")
    now += 61
    ask("Bearer c")
    assert len(rates._times) == 1  # those who ask no more take no room


def test_no_auth_lets_everybody_on_this_machine_in(settings, browse):
    browser = browse(create_app(settings, Options(no_auth=True)))
    assert browser.get("/api/v1/people").json() == []
    assert browser.post("/api/v1/people", json={"name": "Ann", "role": "viewer"}).status_code == 201
    assert browser.post("/api/v1/tokens", json={"title": "script"}).status_code == 409
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert (
        browser.post("/api/v1/people", json={"name": "Eve", "role": "admin"}, headers=foreign).status_code
        == 403
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"host": "0.0.0.0"}, "would cross the network unencrypted"),
        ({"host": "0.0.0.0", "no_auth": True}, "asks nobody who they are"),
        ({"host": "0.0.0.0", "certificate": "a.pem", "key": "b.pem"}, "by which name it is reached"),
        ({"certificate": "a.pem"}, "Name both files"),
    ],
)
def test_a_service_that_others_could_listen_in_on_is_not_started(options, words):
    with pytest.raises(IcefloeError, match=words):
        Options(**options)


def test_under_tls_the_cookie_is_the_hosts_own(settings, browse, monkeypatch):
    options = Options(host="0.0.0.0", names=("segment.example.org",), behind_proxy=True)
    app = create_app(settings, options)
    _, link = app.state.people.add("Ann", Role.VIEWER, actor="test")
    browser = browse(app, "https://segment.example.org")
    answer = browser.post("/api/v1/passwords", json={"link": link, "password": "four words in a row"})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-icefloe=")
    for part in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert part in cookie
    assert "max-age" in answer.headers["strict-transport-security"]


def test_an_unforeseen_failure_says_its_request_and_nothing_else(app, client, caplog):
    def break_down() -> FastAPI:
        raise RuntimeError("secret path /etc/x")

    app.state.sessions.sign_in = lambda *_: break_down()
    answer = client.post("/api/v1/sessions", json={"name": "a", "password": "b"})
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert json.loads(answer.text)["request_id"] in caplog.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_full_disk_is_507_and_says_so(app, client):
    def fill_up(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    app.state.sessions.sign_in = fill_up
    answer = client.post("/api/v1/sessions", json={"name": "a", "password": "b"})
    assert answer.status_code == 507
    assert "Make room there" in answer.json()["detail"]
