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
from contextlib import closing

import pytest

from icefloe.errors import IcefloeError
from serving.options import Options
from serving.serve import serve


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


def get(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return json.load(answer)


@pytest.mark.parametrize("processes", [1, 2])
def test_the_command_serves_until_it_is_interrupted(workspace_settings, tmp_path, processes):
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-c", "from icefloe.cli import main; main()"]
    command += ["-C", str(workspace_settings.workspace), "serve"]
    command += ["--port", str(port), "--web", str(processes), "--workers", "0"]
    environment = {**os.environ, "ICEFLOE_QUEUE_PATH": str(tmp_path / "queue.db"), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == f"Icefloe: http://127.0.0.1:{port}\n"
            assert "works once" in process.stdout.readline()
            assert f"http://127.0.0.1:{port}/welcome#" in process.stdout.readline()
            deadline = time.monotonic() + 120
            while True:
                try:
                    assert get(f"http://127.0.0.1:{port}/readyz")["status"] == "ready"
                    break
                except urllib.error.URLError:
                    assert time.monotonic() < deadline
                    time.sleep(0.2)
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=60) in (0, 130)
        finally:
            process.kill()
