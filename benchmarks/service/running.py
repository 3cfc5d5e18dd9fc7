"""A service to measure: `icefloe serve` in processes of its own, and people with tokens for it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import requests

from icefloe.database.open import open_database
from icefloe.settings import Settings
from serving.auth.people import People
from serving.auth.roles import Role
from serving.auth.tokens import Tokens
from serving.options import Options

START_SECONDS = 300.0


@dataclass(frozen=True)
class Running:
    """A service that answers: its address, and the process that all its others descend from."""

    url: str
    process: "subprocess.Popen[bytes]"

    def web_cpu_seconds(self) -> float:
        """Processor time that the web processes have had, in s."""
        first = psutil.Process(self.process.pid)
        others = [each for each in first.children() if "serving.worker" not in each.cmdline()]
        return sum(each.cpu_times().user + each.cpu_times().system for each in (first, *others))


@contextmanager
def serving(
    settings: Settings, *, web: int = 1, workers: int = 0, auth: bool = True, port: int | None = None
) -> Iterator[Running]:
    """Serve a workspace until the block ends.

    Parameters
    ----------
    settings
        Of the workspace; its database is handed on, wherever it is.
    web, workers
        Processes of each kind.
    auth
        Whether it asks people who they are.
    port
        None: a free one.
    """
    options = Options(port=port or free_port())
    command = [sys.executable, "-m", "icefloe.cli", "-C", str(settings.workspace), "serve"]
    command += ["--port", str(options.port), "--web", str(web), "--workers", str(workers)]
    command += [] if auth else ["--no-auth"]
    environment = {**os.environ, "ICEFLOE_QUEUE_PATH": str(settings.queue_path)}
    if settings.database_url is not None:
        environment["ICEFLOE_DATABASE_URL"] = settings.database_url.get_secret_value()
    with answering(command, f"{options.url}/healthz", environment) as process:
        yield Running(options.url, process)


@contextmanager
def answering(
    command: list[str],
    url: str,
    environment: Mapping[str, str],
    seconds: float = START_SECONDS,
    log: Path | None = None,
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a server until the block ends, which begins once it answers.

    Parameters
    ----------
    command, environment
        How it is started.
    url
        Where it answers.
    seconds
        It has to begin.
    log
        Where what it prints goes; None: errors to this terminal, the rest nowhere.
    """
    with ExitStack() as stack:
        output = subprocess.DEVNULL if log is None else stack.enter_context(log.open("wb"))
        errors = None if log is None else subprocess.STDOUT
        process = stack.enter_context(
            subprocess.Popen(command, env=dict(environment), stdout=output, stderr=errors)
        )
        try:
            _wait(url, process, seconds)
            yield process
        finally:
            with suppress(psutil.NoSuchProcess):
                for child in psutil.Process(process.pid).children(recursive=True):
                    child.kill()
            process.kill()


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port: int = free.getsockname()[1]
        return port


def tokens_of(settings: Settings, names: list[str], role: Role = Role.LABELER) -> list[str]:
    """Make an account and a token for each name; the tokens' secrets."""
    database = open_database(settings)
    people, tokens = People(database), Tokens(database)
    secrets = [
        tokens.add(people.add(name, role, actor="benchmark")[0], "benchmark", days=1)[1] for name in names
    ]
    database.close()
    return secrets


def _wait(url: str, process: "subprocess.Popen[bytes]", seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            requests.get(url, timeout=5)
            return
        except (requests.ConnectionError, requests.Timeout):
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
