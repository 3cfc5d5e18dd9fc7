"""Signing in and out, choosing a password, who I am."""

import math
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from serving.auth.identity import CurrentPerson, cookie_name
from serving.auth.passwords import LONGEST
from serving.auth.people import People, Person
from serving.auth.sessions import SESSION_SECONDS, Sessions, TooManyFailuresError, WrongPasswordError
from serving.metrics import FAILED_SIGN_INS
from serving.problems import RefusedError

router = APIRouter(tags=["sessions"])


class Credentials(BaseModel):
    """Name and password."""

    name: Annotated[str, Field(max_length=256)]
    password: Annotated[str, Field(max_length=LONGEST)]


class NewPassword(BaseModel):
    """A one-time link's secret, and the password that its owner chooses."""

    link: Annotated[str, Field(max_length=128)]
    password: str


@router.post("/sessions", status_code=201)
def sign_in(credentials: Credentials, request: Request, response: Response) -> Person:
    """Sign in; the answer sets the session's cookie."""
    sessions: Sessions = request.app.state.sessions
    address = request.client.host if request.client else ""
    try:
        person, secret = sessions.sign_in(credentials.name, credentials.password, address)
    except WrongPasswordError as error:
        FAILED_SIGN_INS.inc()
        raise RefusedError(401, str(error), {"WWW-Authenticate": "Bearer"}) from error
    except TooManyFailuresError as error:
        FAILED_SIGN_INS.inc()
        raise RefusedError(429, str(error), {"Retry-After": str(math.ceil(error.wait_s))}) from error
    set_cookie(request, response, secret)
    return person


@router.delete("/sessions/current", status_code=204)
def sign_out(request: Request, response: Response) -> None:
    """Sign out: the session ends here and in the browser."""
    secure = request.app.state.options.secure
    name = cookie_name(secure)
    if secret := request.cookies.get(name):
        request.app.state.sessions.end(secret)
        request.app.state.known.forget()
    response.delete_cookie(name, httponly=True, samesite="lax", secure=secure)


@router.post("/passwords", status_code=201)
def choose_password(chosen: NewPassword, request: Request, response: Response) -> Person:
    """Choose a password with a one-time link, and be signed in."""
    people: People = request.app.state.people
    person = people.choose_password(chosen.link, chosen.password)
    request.app.state.known.forget()
    set_cookie(request, response, request.app.state.sessions.begin(person))
    return person


@router.get("/me")
def me(person: CurrentPerson) -> Person:
    """The account that the request is made with."""
    return person


def set_cookie(request: Request, response: Response, secret: str) -> None:
    """Give the browser the cookie of its session."""
    secure = request.app.state.options.secure
    response.set_cookie(
        cookie_name(secure),
        secret,
        max_age=int(SESSION_SECONDS),
        httponly=True,
        samesite="lax",
        secure=secure,
    )
