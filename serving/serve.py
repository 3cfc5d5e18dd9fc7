"""Start the service: web processes, and the link for its first admin."""

import os
import socket
from collections.abc import Callable

from icefloe.database.open import open_database
from icefloe.errors import IcefloeError
from icefloe.settings import Settings
from serving.app import OPTIONS_VARIABLE
from serving.auth.people import FIRST, LINK_SECONDS, People
from serving.options import Options


def serve(settings: Settings, options: Options, processes: int, say: Callable[[str], None]) -> None:
    """Serve a workspace until interrupted.

    Parameters
    ----------
    settings
        Settings of the workspace.
    options
        How the service is reached.
    processes
        Web processes that share the port.
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
    )


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
