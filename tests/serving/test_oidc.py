"""Signing in at an identity provider, and everything that may go wrong on the way there and back."""

import logging
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import httpx2
import oidc_provider_mock
import pytest
from pydantic import ValidationError

from icefloe.errors import IcefloeError
from icefloe.settings import IdentityProvider, load_settings
from serving.app import attach, create_app
from serving.auth.identities import UNDER_WAY_SECONDS, Identities
from serving.auth.oidc import providers_of
from serving.auth.roles import Role
from serving.options import Options
from tests.serving.conftest import URL

SECRET = "nobody may read this in a log"
ROLES = {"microscopists": "labeler", "staff": "operator", "lab": "viewer"}
PAGE = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def issuer():
    with oidc_provider_mock.run_server_in_thread() as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture(scope="module")
def late_issuer():
    """A provider whose tokens were out of date ten minutes before it gives them."""
    with oidc_provider_mock.run_server_in_thread(access_token_max_age=timedelta(minutes=-10)) as server:
        yield f"http://localhost:{server.server_port}"


def provider(issuer, **changes):
    known = {"issuer": issuer, "client_id": "icefloe", "client_secret": SECRET, "title": "Campus"}
    return IdentityProvider.model_validate(known | {"roles": ROLES} | changes)


@pytest.fixture
def app(app, settings, issuer):
    attach(app, settings.model_copy(update={"oidc": {"campus": provider(issuer)}}))
    return app


def knows(issuer, subject, **claims):
    """Tell the provider of somebody."""
    assert httpx2.put(f"{issuer}/users/{subject}", json=claims).status_code == 204


def leave(browser, to=None, provider="campus"):
    """Where the button leads."""
    answer = browser.get(
        f"/sign-in/{provider}", params={"to": to} if to else {}, headers=PAGE, follow_redirects=False
    )
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def with_query(address, **changes):
    parts = urlsplit(address)
    query = {key: values[0] for key, values in parse_qs(parts.query).items()} | changes
    return urlunsplit(parts._replace(query=urlencode(query)))


def prove(address, subject):
    """What the provider sends the browser back to once the person has proved who she is."""
    answer = httpx2.post(address, data={"sub": subject})
    assert answer.status_code in (302, 303), answer.text
    return answer.headers["location"]


def come_back(browser, address):
    return browser.get(address, headers=PAGE | {"Sec-Fetch-Site": "cross-site"}, follow_redirects=False)


def sign_in(browser, subject, to=None):
    return come_back(browser, prove(leave(browser, to), subject))


def test_a_person_signs_in_with_the_role_of_her_groups_and_gets_the_page_she_wanted(client, app, issuer):
    knows(issuer, "ana", groups=["lab", "staff", "other"], preferred_username="Ana Silva")
    page = client.get("/sign-in", headers=PAGE).text
    assert 'href="/sign-in/campus"' in page
    assert "Sign in with Campus" in page
    answer = sign_in(client, "ana", "/queue?state=waiting")
    assert (answer.status_code, answer.headers["location"]) == (303, "/queue?state=waiting")
    me = client.get("/api/v1/me").json()
    assert (me["name"], me["role"], me["has_password"]) == ("Ana Silva", "operator", False)
    assert "form-action 'self'" in client.get("/sign-in").headers["content-security-policy"]
    assert client.delete("/api/v1/sessions/current").status_code == 204
    assert client.get("/api/v1/me").status_code == 401


def test_the_provider_is_asked_by_code_with_pkce_state_and_nonce(client, issuer):
    query = parse_qs(urlsplit(leave(client)).query)
    assert query["response_type"] == ["code"]
    assert query["code_challenge_method"] == ["S256"]
    assert query["redirect_uri"] == [f"{URL}/sign-in/campus/callback"]
    assert all(len(query[name][0]) >= 43 for name in ("state", "nonce", "code_challenge"))
    again = parse_qs(urlsplit(leave(client)).query)
    assert all(query[name] != again[name] for name in ("state", "nonce", "code_challenge"))


def test_the_same_person_is_the_same_account_and_her_role_follows_her_groups(client, app, issuer):
    knows(issuer, "bob", groups=["lab"], preferred_username="Bob")
    sign_in(client, "bob")
    first = client.get("/api/v1/me").json()
    knows(issuer, "bob", groups=["microscopists"], preferred_username="Robert", email="new@example.org")
    sign_in(client, "bob")
    second = client.get("/api/v1/me").json()
    assert (second["id"], second["name"], second["role"]) == (first["id"], "Bob", "labeler")


def test_nobody_gets_an_account_by_its_name_or_address(client, app, issuer):
    app.state.people.add("Carla", Role.ADMIN, actor="test")
    knows(issuer, "mallory", groups=["lab"], preferred_username="Carla", email="carla@example.org")
    sign_in(client, "mallory")
    me = client.get("/api/v1/me").json()
    assert (me["name"], me["role"]) == ("Carla (2)", "viewer")


@pytest.mark.parametrize("groups", [[], ["other"], None, "other", [["staff"]], {"staff": True}])
def test_a_person_whose_groups_give_no_role_is_refused_in_words(client, app, issuer, groups):
    knows(issuer, "eve", preferred_username="Eve", **({} if groups is None else {"groups": groups}))
    answer = sign_in(client, "eve")
    assert answer.status_code == 403
    assert "Eve: no group that you are in at Campus gives a role here." in answer.text
    assert client.get("/api/v1/me").status_code == 401
    assert app.state.people.all() == []


def test_a_closed_account_stays_closed(client, app, issuer, signed_in):
    signed_in(Role.ADMIN)
    knows(issuer, "dan", groups=["lab"], preferred_username="Dan")
    sign_in(client, "dan")
    me = client.get("/api/v1/me").json()
    app.state.people.change(me["id"], me["revision"], "test", active=False)
    answer = sign_in(client, "dan")
    assert (answer.status_code, "the account is closed" in answer.text) == (403, True)


def is_refused(browser, answer, words="was not begun in this browser"):
    assert (answer.status_code, words in answer.text) == (403, True), answer.text
    assert browser.get("/api/v1/me").status_code == 401


def test_a_wrong_state_is_refused(client, issuer):
    knows(issuer, "ana", groups=["staff"])
    back = prove(leave(client), "ana")
    is_refused(client, come_back(client, with_query(back, state="x" * 43)))
    is_refused(client, come_back(client, with_query(back, state="")))


def test_an_answer_to_another_sign_in_is_refused_by_its_nonce(client, issuer):
    knows(issuer, "ana", groups=["staff"])
    back = prove(with_query(leave(client), nonce="another"), "ana")
    is_refused(client, come_back(client, back), "its ID token is not good")


def test_a_code_without_its_verifier_or_made_up_is_refused(client, issuer):
    knows(issuer, "ana", groups=["staff"])
    other = prove(leave(client), "ana")
    code = parse_qs(urlsplit(other).query)["code"][0]
    for wrong in ("made-up", code[:-1]):
        back = prove(leave(client), "ana")
        is_refused(client, come_back(client, with_query(back, code=wrong)), "it did not take the sign-in")


def test_a_way_back_that_another_browser_began_is_refused(client, app, browse, issuer):
    """Somebody who is led to an attacker's way back would work in the attacker's account."""
    knows(issuer, "mallory", groups=["staff"])
    back = prove(leave(browse(app)), "mallory")
    is_refused(client, come_back(client, back))
    leave(client)  # even if she has begun a sign-in of her own
    is_refused(client, come_back(client, back))


def test_a_way_back_is_good_once(client, issuer):
    knows(issuer, "ana", groups=["staff"])
    back = prove(leave(client), "ana")
    assert come_back(client, back).status_code == 303
    client.delete("/api/v1/sessions/current")
    is_refused(client, come_back(client, back))


def test_a_sign_in_that_takes_too_long_is_refused(client, app, issuer):
    knows(issuer, "ana", groups=["staff"])
    back = prove(leave(client), "ana")
    now = app.state.identities._clock()
    app.state.identities = Identities(app.state.database, lambda: now + UNDER_WAY_SECONDS + 1)
    is_refused(client, come_back(client, back))


def test_a_token_out_of_date_is_refused(settings, browse, late_issuer):
    late = settings.model_copy(update={"oidc": {"campus": provider(late_issuer)}})
    browser = browse(create_app(late, Options()))
    knows(late_issuer, "ana", groups=["staff"])
    is_refused(browser, sign_in(browser, "ana"), "expired")


def test_a_token_for_somebody_else_is_refused(client, app, issuer):
    """The provider signs for every service that it knows."""
    knows(issuer, "ana", groups=["staff"])
    back = prove(leave(client), "ana")
    (found,) = app.state.providers.values()
    found._settings = found._settings.model_copy(update={"issuer": f"{issuer}/other"})
    is_refused(client, come_back(client, back), "its ID token is not good")


def test_a_provider_that_calls_itself_something_else_is_not_believed(settings, browse, issuer):
    named = issuer.replace("localhost", "LOCALHOST")
    other = settings.model_copy(update={"oidc": {"campus": provider(named)}})
    browser = browse(create_app(other, Options()))
    answer = browser.get("/sign-in/campus", headers=PAGE, follow_redirects=False)
    assert answer.status_code == 403
    assert f"it calls itself {issuer}, not {named}" in answer.text


def test_a_provider_whose_addresses_anybody_could_listen_in_on_is_not_asked(client, app, monkeypatch, issuer):
    (found,) = app.state.providers.values()
    about = httpx2.get(f"{issuer}/.well-known/openid-configuration").json()
    about["token_endpoint"] = "http://id.example.org/token"
    monkeypatch.setattr(found, "_get", lambda _: about)
    answer = client.get("/sign-in/campus", headers=PAGE, follow_redirects=False)
    assert (answer.status_code, "has no token_endpoint that is private" in answer.text) == (403, True)


def test_a_provider_that_is_not_there_is_a_word_and_no_failure(client, settings, browse):
    assert client.get("/sign-in/other", headers=PAGE).status_code == 404
    gone = settings.model_copy(update={"oidc": {"campus": provider("http://localhost:9")}})
    answer = browse(create_app(gone, Options())).get("/sign-in/campus", headers=PAGE)
    assert (answer.status_code, "Campus cannot be reached now" in answer.text) == (503, True)


def test_an_answer_of_another_provider_is_refused_where_it_says_so(client, issuer):
    knows(issuer, "ana", groups=["staff"])
    back = prove(leave(client), "ana")
    is_refused(client, come_back(client, with_query(back, iss="https://evil.example")), "another provider")


def test_a_person_who_declines_is_told(client, issuer):
    address = leave(client)
    state = parse_qs(urlsplit(address).query)["state"][0]
    answer = come_back(client, f"/sign-in/campus/callback?error=access_denied&state={state}")
    is_refused(client, answer, "Campus did not sign you in (access_denied)")
    state = parse_qs(urlsplit(leave(client)).query)["state"][0]
    answer = come_back(client, f"/sign-in/campus/callback?error=<b>call+me</b>&state={state}")
    assert "call" not in answer.text


@pytest.mark.parametrize(
    "to",
    ["https://evil.example", "//evil.example", "/\\evil.example", "/a\\b", "javascript:x", "/ b", "/a\r\nb"],
)
def test_nobody_is_led_elsewhere_afterwards(client, issuer, to):
    knows(issuer, "ana", groups=["staff"])
    assert sign_in(client, "ana", to).headers["location"] == "/"


def test_the_secret_is_in_no_log_and_on_no_page(client, issuer, caplog):
    caplog.set_level(logging.DEBUG)
    knows(issuer, "ana", groups=["staff"])
    back = prove(leave(client), "ana")
    refused = come_back(client, with_query(back, code="made-up"))
    sign_in(client, "ana")
    assert SECRET not in caplog.text + refused.text + client.get("/sign-in").text
    assert SECRET not in repr(client.app.state.settings)


def test_providers_are_read_from_the_workspace_and_the_secret_from_the_environment(tmp_path, monkeypatch):
    (tmp_path / "icefloe.toml").write_text(
        '[oidc.campus]\nissuer = "https://id.example.org"\nclient_id = "icefloe"\n'
        'roles = { staff = "operator" }\n'
    )
    monkeypatch.setenv("ICEFLOE_OIDC__CAMPUS__CLIENT_SECRET", SECRET)
    found = load_settings(tmp_path).oidc["campus"]
    assert found.client_secret.get_secret_value() == SECRET
    assert (found.issuer, found.roles) == ("https://id.example.org", {"staff": "operator"})


def test_a_role_that_is_none_is_refused_before_the_service_starts(settings):
    wrong = provider("https://id.example.org", roles={"staff": "boss"})
    with pytest.raises(IcefloeError, match=r"oidc.campus.roles: 'boss' .* Choose of viewer, labeler"):
        providers_of(settings.model_copy(update={"oidc": {"campus": wrong}}))


def test_a_provider_is_not_asked_unencrypted():
    with pytest.raises(ValidationError, match="not an https address"):
        provider("http://id.example.org")
