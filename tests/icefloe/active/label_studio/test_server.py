"""Words for what goes wrong between here and Label Studio; the key stays between the two."""

import logging
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from icefloe.active.label_studio.server import Server
from icefloe.errors import IcefloeError

KEY = "s3cret0123456789"

Answering = Callable[..., tuple[str, list[str]]]


@pytest.fixture
def answering() -> Iterator[Answering]:
    """Start servers that answer one thing to everything; their addresses, and what they were asked for."""
    servers = []

    def start(status: int, body: str, **headers: str) -> tuple[str, list[str]]:
        asked: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}", asked

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def refusal(url: str) -> str:
    with pytest.raises(IcefloeError) as error:
        Server(url, KEY).project("Icefloe study")
    assert KEY not in str(error.value)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_label_studio_that_is_not_there_is_said(caplog):
    caplog.set_level(logging.DEBUG)
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    assert refusal(url).startswith(f"{url}: Label Studio can't be reached (")
    assert KEY not in caplog.text


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, '{"detail": "Invalid token."}', "Label Studio refuses the API key. Copy it again"),
        (403, "{}", "Label Studio does not let you do that. Ask its administrator."),
        (500, "<h1>Server\n Error</h1>", "Label Studio answered 500: <h1>Server Error</h1>. See its log"),
        (200, "<html>a router's page</html>", "does not answer as Label Studio does. Correct the address."),
        (200, "[1, 2]", "does not answer as Label Studio does. Correct the address."),
    ],
)
def test_a_refusal_is_one_line_that_says_what_to_do(answering, caplog, status, body, words):
    caplog.set_level(logging.DEBUG)
    url, asked = answering(status, body)
    assert words in refusal(url)
    assert asked
    assert KEY not in caplog.text


def test_the_key_does_not_follow_a_redirect_to_another_host(answering):
    elsewhere, asked = answering(200, "{}")
    url, _ = answering(302, "", Location=f"{elsewhere}/api/projects/")
    assert refusal(url) == f"{url}: answers from another address. Give that one: --url."
    assert asked == []


@pytest.mark.parametrize("url", ["labels.example.org", "ftp://a", "http://", "http://ann:word@labels.org"])
def test_what_is_no_address_is_refused(url):
    said = refusal(url)
    assert said.endswith(": not Label Studio's address. Give it as https://labels.example.org.")
    assert "word" not in said


def test_a_missing_key_is_said():
    with pytest.raises(IcefloeError, match=r"API key is missing. Copy it there .* LABEL_STUDIO_API_KEY"):
        Server("http://127.0.0.1:9", " ")


def test_a_missing_sdk_is_said_with_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "label_studio_sdk", None)
    monkeypatch.setitem(sys.modules, "label_studio_sdk.client", None)
    assert refusal("http://127.0.0.1:9") == (
        "Label Studio's SDK is not installed. Install it: pip install 'icefloe[label-studio]'."
    )
