"""Starting the service."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import closing, contextmanager

import pytest

from icefloe.errors import IcefloeError
from serving.auth.roles import Role
from serving.options import Options
from serving.serve import serve
from tests.serving.test_metrics import numbers, value


@pytest.fixture
def taken():
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        yield listening.getsockname()[1]


def test_a_port_that_is_taken_is_refused_before_any_link_is_made(settings, taken):
    said = []
    with pytest.raises(
        IcefloeError, match=rf"127.0.0.1:{taken}: cannot listen there .* Choose a free --port"
    ):
        serve(settings, Options(port=taken), 1, 0, said.append)
    assert said == []
    assert not settings.queue_path.exists()


def test_a_host_that_is_not_this_machines_is_refused(settings):
    with pytest.raises(IcefloeError, match="cannot listen there"):
        serve(settings, Options(host="192.0.2.1", names=("a.example",), behind_proxy=True), 1, 0, print)


def get(url, **headers):
    """Text of an answer, over a connection of its own, so that all processes get some."""
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
        return answer.read().decode()


@contextmanager
def serving(workspace, queue_path, processes):
    """Run the command, and check how it starts and that it ends when it is interrupted; give its URL."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, "-m", "icefloe.cli", "-C", str(workspace), "serve"]
    command += ["--port", url.rpartition(":")[2], "--web", str(processes), "--workers", "0"]
    environment = {**os.environ, "ICEFLOE_QUEUE_PATH": str(queue_path), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == f"Icefloe: {url}\n"
            assert "works once" in process.stdout.readline()
            assert f"{url}/welcome#" in process.stdout.readline()
            deadline = time.monotonic() + 120
            while True:
                try:
                    assert json.loads(get(f"{url}/readyz"))["status"] == "ready"
                    break
                except (urllib.error.URLError, ConnectionError):
                    assert time.monotonic() < deadline
                    time.sleep(0.2)
            yield url
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=60) in (0, 130)
        finally:
            process.kill()


def test_the_command_serves_until_it_is_interrupted(workspace_settings, tmp_path):
    with serving(workspace_settings.workspace, tmp_path / "queue.db", 1) as url:
        assert get(f"{url}/healthz")


def test_two_web_processes_tell_of_all_requests_whichever_is_asked(app, settings):
    person, _ = app.state.people.add("Greta Garbo", Role.VIEWER, actor="test")
    token = app.state.tokens.add(person, "test", 1)[1]
    with serving(settings.workspace, settings.queue_path, 2) as url:
        for _ in range(40):
            get(f"{url}/healthz")
        told = [numbers(get(f"{url}/metrics", Authorization=f"Bearer {token}")) for _ in range(6)]
    healthy = {"method": "GET", "route": "/healthz", "status": "200"}
    assert [value(each, "icefloe_requests_total", **healthy) for each in told] == [40] * 6
