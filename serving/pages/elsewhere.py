"""Signing in at an identity provider: there, and back."""

import re
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse

from icefloe.errors import MissingError
from serving.api.sessions import set_cookie
from serving.auth.identities import UNDER_WAY_SECONDS, Identities
from serving.auth.identity import cookie_name
from serving.auth.oidc import Provider
from serving.metrics import FAILED_SIGN_INS
from serving.problems import RefusedError

router = APIRouter(include_in_schema=False)

_OURS = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")
"""A path of this service: no other host, no backslash, no blank, no line end."""

Text = Annotated[str, Query(max_length=4096)]


@router.get("/sign-in/{provider}")
def leave(provider: str, request: Request, to: Text = "/") -> RedirectResponse:
    """Send the browser to a provider. A link leads here and no form: `form-action` holds for redirects."""
    found = _provider(request, provider)
    identities: Identities = request.app.state.identities
    begun = identities.begin(provider, to if _OURS.fullmatch(to) else "/")
    address = found.address(_back(request, provider), begun.state, begun.nonce, begun.verifier)
    response = RedirectResponse(address, status_code=303)
    secure = request.app.state.options.secure
    response.set_cookie(
        _cookie(secure),
        begun.browser,
        max_age=int(UNDER_WAY_SECONDS),
        httponly=True,
        samesite="lax",  # it has to come along from the provider's page
        secure=secure,
    )
    return response


@router.get("/sign-in/{provider}/callback")
def come_back(
    provider: str,
    request: Request,
    state: Text = "",
    code: Text = "",
    error: Text = "",
    iss: Text | None = None,
) -> RedirectResponse:
    """Begin the session of whom the provider has proved somebody to be."""
    found = _provider(request, provider)
    try:
        return _signed_in(request, found, state, code, error, iss)
    except RefusedError:
        FAILED_SIGN_INS.inc()
        raise


def _signed_in(
    request: Request, found: Provider, state: str, code: str, error: str, iss: str | None
) -> RedirectResponse:
    identities: Identities = request.app.state.identities
    secure = request.app.state.options.secure
    provider = found.key
    begun = identities.take(provider, state, request.cookies.get(_cookie(secure), ""))
    if error or not code:
        word = error if re.fullmatch(r"[a-z_]{1,50}", error) else "no code"
        raise RefusedError(
            403, f"{found.title} did not sign you in ({word}). Begin again on the page Sign in."
        )
    if iss is not None and iss != found.issuer:  # RFC 9207
        raise RefusedError(403, f"This came from another provider than {found.title}. Begin again.")
    identity = found.identify(code, _back(request, provider), begun.nonce, begun.verifier)
    person = identities.person(identity, found.title)
    request.app.state.known.forget()  # its role may be another
    response = RedirectResponse(begun.target, status_code=303)
    set_cookie(request, response, request.app.state.sessions.begin(person))
    response.delete_cookie(_cookie(secure), httponly=True, samesite="lax", secure=secure)
    return response


def _provider(request: Request, key: str) -> Provider:
    providers: dict[str, Provider] = request.app.state.providers
    if key not in providers:
        raise MissingError(f"{key}: no such identity provider. See the page Sign in.")
    return providers[key]


def _back(request: Request, provider: str) -> str:
    """Address of the way back, by the name that this browser uses; the gate has checked it."""
    scheme = "https" if request.app.state.options.secure else "http"
    return f"{scheme}://{request.headers['host']}/sign-in/{provider}/callback"


def _cookie(secure: bool) -> str:
    return f"{cookie_name(secure)}-sign-in"
