"""Label Studio itself, from an environment of its own: on this machine only, and silent to the world."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.service.running import answering, free_port
from icefloe.errors import MissingError

PROGRAM = Path(__file__).resolve().parents[2] / ".venv-label-studio" / "bin" / "label-studio"
KEY, EMAIL, PASSWORD = "abcdef0123456789abcdef0123456789abcdef01", "ann@lab.org", "four words in a row"
STARTING_SECONDS = 1800.0
"""The first start makes all its tables."""


@contextmanager
def label_studio(folder: Path) -> Iterator[str]:
    """Label Studio with one account, until the block ends; its address.

    Parameters
    ----------
    folder
        Where it keeps everything, and its log.

    Raises
    ------
    MissingError
        If it is not installed.
    """
    if not PROGRAM.is_file():
        raise MissingError(f"{PROGRAM} is missing. Install it: make {PROGRAM.parents[1].name}.")
    url = f"http://127.0.0.1:{free_port()}"
    command = [str(PROGRAM), "start", "--no-browser", "--internal-host", "127.0.0.1", "--host", url]
    command += ["--port", url.rpartition(":")[2], "--data-dir", str(folder), "--user-token", KEY]
    command += ["--username", EMAIL, "--password", PASSWORD]
    environment = os.environ | {
        "COLLECT_ANALYTICS": "false",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
        "LATEST_VERSION_CHECK": "false",
        "LABEL_STUDIO_BASE_DATA_DIR": str(folder),
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
        "ML_TIMEOUT_HEALTH": "30",  # this machine may be busy
        "ML_TIMEOUT_SETUP": "30",
        # The service is on this machine, and Label Studio makes a webhook of every backend.
        "ML_BLOCK_LOCAL_IP": "false",
        "SSRF_PROTECTION_ENABLED": "false",
    }
    with answering(command, f"{url}/health", environment, STARTING_SECONDS, folder / "log"):
        yield url
