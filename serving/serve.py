"""Start the service: web processes, workers, and the link for its first admin."""

import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from icefloe.database.open import open_database
from icefloe.errors import IcefloeError
from icefloe.settings import Settings
from serving.app import OPTIONS_VARIABLE
from serving.auth.people import FIRST, LINK_SECONDS, People
from serving.metrics import FOLDER_VARIABLE
from serving.options import Options

LOOK_SECONDS = 1.0
STOP_SECONDS = 15.0


def serve(
    settings: Settings, options: Options, processes: int, workers: int, say: Callable[[str], None]
) -> None:
    """Serve a workspace until interrupted.

    Parameters
    ----------
    settings
        Settings of the workspace.
    options
        How the service is reached.
    processes
        Web processes that share the port.
    workers
        Workers on this machine.
    say
        Told the address, and the first admin's link while nobody can sign in as one.

    Raises
    ------
    IcefloeError
        If the database cannot be opened, or the port is taken.
    """
    import uvicorn

    _check_free(options)
    database = open_database(settings)
    link = None if options.no_auth else People(database).first_link()
    database.close()
    say(f"Icefloe: {options.url}")
    if link is not None:
        days = LINK_SECONDS / 86400
        say(f"Nobody can sign in as {FIRST} yet. Open this link within {days:.0f} days; it works once:")
        say(f"  {options.url}/welcome#{link}")
    os.environ["ICEFLOE_WORKSPACE"] = str(settings.workspace)
    os.environ[OPTIONS_VARIABLE] = options.model_dump_json()
    with ExitStack() as running:
        if processes > 1:  # they count requests together
            folder = tempfile.TemporaryDirectory(prefix="icefloe-metrics-")
            os.environ[FOLDER_VARIABLE] = running.enter_context(folder)
        running.enter_context(_working(settings, workers))
        uvicorn.run(
            "serving.app:from_environment",
            factory=True,
            host=options.host,
            port=options.port,
            workers=processes,
            ssl_certfile=options.certificate,
            ssl_keyfile=options.key,
            proxy_headers=options.behind_proxy,
            server_header=False,
            log_level="warning",
            access_log=False,  # below that level anyway, and each line is put together first
        )


@contextmanager
def _working(settings: Settings, n_workers: int) -> Iterator[None]:
    """Keep workers running meanwhile: one that dies is started again."""
    command = [sys.executable, "-m", "serving.worker", str(settings.workspace), str(n_workers)]
    # Libraries that a worker's runs use would write their numbers among the web processes'.
    environment = {name: value for name, value in os.environ.items() if name != FOLDER_VARIABLE}

    def start() -> "subprocess.Popen[bytes]":
        # A worker ends when its standard input does: with this process, however that ends.
        return subprocess.Popen(command, stdin=subprocess.PIPE, env=environment)

    workers = [start() for _ in range(n_workers)]
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(LOOK_SECONDS):
            for position, worker in enumerate(workers):
                if worker.poll() is not None and not stop.is_set():
                    workers[position] = start()

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield
    finally:
        stop.set()
        watching.join()
        for worker in workers:
            worker.terminate()
        for worker in workers:
            try:
                worker.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                worker.kill()


def _check_free(options: Options) -> None:
    """Refuse an address that cannot be bound, before a link is made that would end an earlier one."""
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((options.host, options.port))
        except OSError as error:
            place = f"{options.host}:{options.port}"
            raise IcefloeError(
                f"{place}: cannot listen there ({error.strerror}). Choose a free --port."
            ) from error
