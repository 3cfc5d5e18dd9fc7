"""What every request passes first, and every answer carries: hosts, sizes, numbers, security headers."""

import json
import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES = 64 * 2**20

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "connect-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types icefloe",  # by which the mask editor names its worker, and nothing else
    )
)
"""Nothing from elsewhere, nothing inline: what somebody smuggles into a page does not run."""

SECURITY = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
TLS_ONLY = {"Strict-Transport-Security": "max-age=31536000"}


class Gate:
    """The outermost layer of the service.

    It refuses requests for hosts that the service does not go by (a foreign page could otherwise reach a
    service on 127.0.0.1 by a name of its own: DNS rebinding) and bodies over 64 MiB, by their header before
    a byte is read, or as soon as that much came without one.

    Parameters
    ----------
    app
        The application.
    hosts
        Names by which the service is reached, without port.
    secure
        Whether browsers reach it by TLS.
    on_failure
        Makes the answer to an error that the application lets through.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: Iterable[str],
        secure: bool,
        on_failure: Callable[[Request, Exception], Response],
    ) -> None:
        self._app, self._on_failure = app, on_failure
        self._hosts = frozenset(host.casefold() for host in hosts)
        self._headers: Mapping[str, str] = SECURITY | (TLS_ONLY if secure else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["request_id"] = secrets.token_hex(8)
        headers = Headers(scope=scope)
        answer = self._answering(scope, send)
        if _host(headers.get("host", "")) not in self._hosts:
            detail = "The service does not go by this host name. Use the address that it was started with."
            await _refuse(answer, 400, detail, scope)
        elif _announced(headers) > MAX_BODY_BYTES:
            await _refuse(answer, 413, _TOO_LARGE, scope)
        else:
            await self._within_size(scope, receive, answer)

    async def _within_size(self, scope: Scope, receive: Receive, send: Send) -> None:
        taken, begun = 0, False

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > MAX_BODY_BYTES:
                raise HTTPException(413, _TOO_LARGE)
            return message

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, counted, noted)
        except Exception as error:
            if begun:
                raise
            await self._on_failure(Request(scope), error)(scope, receive, send)

    def _answering(self, scope: Scope, send: Send) -> Callable[[Message], Awaitable[None]]:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                headers["X-Request-ID"] = scope["request_id"]
                # What people see is theirs; files of the service itself say otherwise.
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        return answer


_TOO_LARGE = f"The body is larger than {MAX_BODY_BYTES >> 20} MiB. Send it in parts."


def _host(header: str) -> str:
    """The name in a Host header, without its port and an IPv6 address's brackets."""
    name, _, port = header.rpartition(":")
    if not name or not port.isdecimal():
        name = header
    return name.strip("[]").casefold()


def _announced(headers: Headers) -> int:
    length = headers.get("content-length", "0")
    return int(length) if length.isdecimal() else 0


async def _refuse(send: Send, status: int, detail: str, scope: Scope) -> None:
    from serving.problems import problem_body

    media_type, content = problem_body(scope["path"], status, detail, scope["request_id"])
    body = json.dumps(content).encode()
    headers = [(b"content-type", media_type.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
