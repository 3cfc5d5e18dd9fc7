"""A store that misbehaves: a proxy before a real one that answers some requests as networks and stores do."""

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_BODY = "<?xml version='1.0'?><Error><Code>{}</Code><Message>{}</Message></Error>"
_ANSWERS = {
    "busy": (503, _BODY.format("SlowDown", "Please reduce your request rate.")),
    "skewed": (
        403,
        _BODY.format(
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
        ),
    ),
    "changed": (412, _BODY.format("PreconditionFailed", "A precondition you specified did not hold.")),
    "expired": (400, _BODY.format("ExpiredToken", "The provided token has expired.")),
}

SLOW_SECONDS = 3.0

Matches = Callable[[str, str], bool]


@dataclass
class Request:
    """A request as it came in."""

    method: str
    path: str
    headers: dict[str, str]


@dataclass
class FaultyStore:
    """Faults, each for the next `times` requests that match.

    `busy`, `skewed` (a clock is wrong), `expired`, `changed` (a condition does not hold): answered so.
    `silent`: never answered. `short`: half of the answer's body. `wrong`: a byte of it changed. `lost`: the
    connection closed when the request was half read. `unheard`: the request is carried out, and the
    connection closed without an answer. `slow`: carried
    out after 3 s.
    """

    address: str = ""
    requests: list[Request] = field(default_factory=list)
    faults: list[list] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def fail(self, fault: str, times: int, matches: Matches = lambda method, path: True) -> None:
        self.faults.append([fault, times, matches])

    def next_fault(self, method: str, path: str) -> str:
        for entry in self.faults:
            if entry[1] > 0 and entry[2](method, path):
                entry[1] -= 1
                return entry[0]
        return ""


@contextmanager
def faulty_store(target: str, serial: bool = False) -> Iterator[FaultyStore]:
    """Serve a proxy before the store at `target` while the block runs.

    `serial`: one request at a time, as moto needs it: its first look at an object's ETag and a reading of the
    object at the same time move the same file, and both come out wrong.
    """
    store = FaultyStore()
    lock, one_by_one = threading.Lock(), threading.Lock() if serial else nullcontext()

    class Proxy(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            with lock:
                store.requests.append(Request(self.command, self.path, dict(self.headers)))
                fault = store.next_fault(self.command, self.path)
            length = int(self.headers.get("Content-Length", 0))
            if fault == "lost":
                self.rfile.read(length // 2)
                self._hang_up()
                return
            body = self.rfile.read(length)
            if fault in _ANSWERS:
                status, text = _ANSWERS[fault]
                self._send(status, [("Content-Type", "application/xml")], text.encode())
            elif fault == "silent":
                store.ended.wait(30)
                self._hang_up()
            else:
                if fault == "slow":
                    time.sleep(SLOW_SECONDS)
                self._forward(body, fault)

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = answer  # noqa: N815

        def _forward(self, body: bytes, fault: str) -> None:
            connection = http.client.HTTPConnection(urlsplit(target).netloc)
            with one_by_one:
                connection.request(self.command, self.path, body, dict(self.headers))
                response = connection.getresponse()
                content = response.read()
            connection.close()
            if fault == "unheard":
                self._hang_up()
                return
            if fault == "wrong" and content:
                content = bytes([content[0] ^ 1]) + content[1:]
            headers = [
                (name, value)
                for name, value in response.getheaders()
                if name.lower() not in ("connection", "transfer-encoding", "server", "date")
            ]
            if "content-length" not in {name.lower() for name, _ in headers}:
                headers.append(("Content-Length", str(len(content))))
            self._send(response.status, headers, content, half=fault == "short")

        def _send(self, status: int, headers: list[tuple[str, str]], body: bytes, half: bool = False) -> None:
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            if "content-length" not in {name.lower() for name, _ in headers}:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body[: len(body) // 2] if half else body)
            if half:
                self._hang_up()

        def _hang_up(self) -> None:
            self.wfile.flush()
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

        def handle(self) -> None:
            try:
                super().handle()
            except (BrokenPipeError, ConnectionResetError):  # the client gave up, as it should
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    server.daemon_threads = True
    store.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield store
    finally:
        store.ended.set()
        server.shutdown()
        server.server_close()
