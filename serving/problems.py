"""Errors as clients and people get them: problem details (RFC 9457), or a page in a browser."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from icefloe.errors import (
    BusyError,
    ConflictError,
    IcefloeError,
    MissingError,
    NoRoomError,
    TooLargeError,
    explain_system_error,
    is_disk_full,
)
from serving.pages.render import render, wants_page

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"

PROBLEM: dict[str, Any] = {
    "description": "A problem: `detail` says what happened and what to do, the log knows `request_id`",
    "content": {
        MEDIA_TYPE: {
            "schema": {
                "type": "object",
                "properties": {
                    "type": {"type": "string"},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "detail": {"type": "string"},
                    "request_id": {"type": "string"},
                },
                "required": ["type", "title", "status", "detail", "request_id"],
            }
        }
    },
}
"""Every answer but those that a route documents, in the service's document."""

PROTOCOL = "/v2"
"""Paths of the Open Inference Protocol, which has a form of its own for errors."""

PROTOCOL_ERROR: dict[str, Any] = {
    "description": "An error: what happened and what to do",
    "content": {
        "application/json": {
            "schema": {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}
        }
    },
}
"""As `PROBLEM`, of routes of the Open Inference Protocol."""


class RefusedError(Exception):
    """A request that is refused.

    Parameters
    ----------
    status
        HTTP status.
    detail
        What happened and what to do.
    headers
        Of the answer, such as Retry-After.
    more
        Further members of the problem object.
    """

    def __init__(
        self, status: int, detail: str, headers: Mapping[str, str] | None = None, **more: object
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers, self.more = status, detail, dict(headers or {}), more


class SignInNeededError(RefusedError):
    """Nobody is signed in: a page leads to the sign-in, a program gets 401."""

    def __init__(self) -> None:
        super().__init__(
            401,
            "You are not signed in. Sign in, or send an API token: `Authorization: Bearer TOKEN`.",
            {"WWW-Authenticate": "Bearer"},
        )


def problem_body(
    path: str, status: int, detail: str, request_id: str, **more: object
) -> tuple[str, dict[str, Any]]:
    """Media type and content of an answer that is an error, in the form that a path's clients expect.

    The problem object's type is `about:blank`, so its title is the status's own name.
    """
    if path == PROTOCOL or path.startswith(f"{PROTOCOL}/"):
        return "application/json", {"error": detail}
    title = HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return MEDIA_TYPE, {**body, "request_id": request_id, **more}


def add_handlers(app: FastAPI) -> None:
    """Answer every error of an application in one form."""

    def on_problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, RefusedError)
        if isinstance(error, SignInNeededError) and wants_page(request):
            return RedirectResponse(f"/sign-in#{request.url.path}", status_code=303)
        return _answer(request, error.status, error.detail, error.headers, **error.more)

    def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        words = {
            404: f"{request.url.path}: there is nothing here. See the page API for what there is.",
            405: f"{request.method} is not what {request.url.path} is for. See the page API.",
        }
        return _answer(request, error.status_code, words.get(error.status_code, error.detail), error.headers)

    def on_invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
        return _answer(request, 422, f"{place}: {first['msg']}. Correct it and send it again.")

    def on_refusal(request: Request, error: Exception) -> Response:
        meanings = (
            (MissingError, 404),
            (ConflictError, 409),
            (TooLargeError, 413),
            (BusyError, 503),
            (NoRoomError, 507),
            (IcefloeError, 422),
        )
        status = next(status for kind, status in meanings if isinstance(error, kind))
        return _answer(request, status, str(error), {"Retry-After": "10"} if status == 503 else None)

    app.add_exception_handler(RefusedError, on_problem)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(IcefloeError, on_refusal)


def failure(request: Request, error: Exception) -> Response:
    """The answer to an error that nobody foresaw: what the system refused, or where the log has it."""
    explained = explain_system_error(error, "the workspace")
    if explained is not None:
        return _answer(request, 507 if is_disk_full(error) else 500, explained)
    logger.error("Request %s failed.", request_id(request), exc_info=error)
    return _answer(request, 500, "The service failed. Tell its operator the request id; the log has it.")


def request_id(request: Request) -> str:
    """The number under which the log knows a request."""
    return str(request.scope.get("request_id", ""))


def _answer(
    request: Request, status: int, detail: str, headers: Mapping[str, str] | None = None, **more: object
) -> Response:
    if wants_page(request):
        page = render(request, "error.html", title=HTTPStatus(status).phrase, detail=detail)
        page.status_code = status
        return page
    media_type, body = problem_body(request.url.path, status, detail, request_id(request), **more)
    return JSONResponse(body, status, headers=dict(headers or {}), media_type=media_type)
