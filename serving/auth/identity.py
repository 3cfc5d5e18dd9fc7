"""Who a request is from, and whether it may do what it asks for."""

import base64
import binascii
from functools import partial
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool

from serving.auth.people import Person
from serving.auth.roles import Role
from serving.problems import RefusedError, SignInNeededError

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
BEARER = "bearer "
BASIC, WITH_BASIC = "basic ", "/label-studio/"
"""Label Studio knows no other way to sign in to a backend; browsers must not send it along elsewhere."""

ANYBODY = Person(
    id=0, name="local", role=Role.ADMIN, active=True, has_password=False, revision=0, created=0.0
)
"""Whoever uses a service that was started with --no-auth."""


def cookie_name(secure: bool) -> str:
    """Name of the session's cookie; the prefix makes browsers refuse one that another host has set."""
    return "__Host-icefloe" if secure else "icefloe"


async def authorise(request: Request) -> None:
    """Refuse a request whose person lacks the role that its route needs, or that another site has sent.

    Raises
    ------
    RefusedError
        401, 403.
    """
    state = request.app.state
    needed: Role | None = state.needed[request.scope["endpoint"]]
    by_cookie = False
    person: Person | None = None
    authorization = request.headers.get("authorization", "")
    if state.options.no_auth:
        person, by_cookie = ANYBODY, True
    elif authorization.casefold().startswith(BEARER):
        person = await _token_owner(request, authorization[len(BEARER) :].strip())
    elif authorization.casefold().startswith(BASIC) and request.url.path.startswith(WITH_BASIC):
        person = await _token_owner(request, _basic_password(authorization[len(BASIC) :]))
    elif secret := request.cookies.get(cookie_name(state.options.secure)):
        find = partial(run_in_threadpool, state.sessions.person)
        person, by_cookie = await state.known.person("session", secret, find), True
    if request.method not in SAFE_METHODS and (by_cookie or needed is None):
        _check_origin(request)
    request.state.person = person
    if needed is None:
        return
    if person is None:
        raise SignInNeededError
    if not person.role.includes(needed):
        raise RefusedError(403, f"This needs the role {needed}; yours is {person.role}. Ask an admin.")


async def _token_owner(request: Request, token: str) -> Person | None:
    state = request.app.state
    find = partial(run_in_threadpool, state.tokens.person)
    person: Person | None = await state.known.person("token", token, find)
    return person


def _basic_password(credentials: str) -> str:
    """The password in credentials of HTTP's basic kind: an API token, which knows whose it is."""
    try:
        decoded = base64.b64decode(credentials.strip(), validate=True).decode("latin-1")
    except (binascii.Error, ValueError):
        return ""
    return decoded.partition(":")[2]


async def current_person(request: Request) -> Person:
    """The person that `authorise` found."""
    person: Person = request.state.person
    return person


CurrentPerson = Annotated[Person, Depends(current_person)]


def _check_origin(request: Request) -> None:
    """Another site can make a browser send its cookie along, but not a header that says "same origin"."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        same = site == "same-origin"
    elif origin is not None:
        same = urlsplit(origin).netloc == request.headers.get("host")
    else:
        same = False
    if not same:
        raise RefusedError(
            403, "This did not come from a page of this service. Use its pages or an API token."
        )
