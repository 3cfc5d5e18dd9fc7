"""`mlflow server`, on any stores, that can be stopped and started again."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import requests

from tests.ray_cluster import free_port, wait_for


class Server:
    """`mlflow server` on this machine.

    Parameters
    ----------
    folder
        That it works in and that its log is written to.
    store, artifacts
        Database of runs and versions, and where artifacts go, which are passed on by the server.

    Attributes
    ----------
    seconds
        The last start took.
    """

    def __init__(self, folder: Path, store: str, artifacts: str) -> None:
        self.address = f"http://127.0.0.1:{free_port()}"
        self.seconds = 0.0
        self._folder = folder
        self._stores = [f"--backend-store-uri={store}", f"--artifacts-destination={artifacts}"]
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        began = time.monotonic()
        command = [sys.executable, "-m", "mlflow", "server", "--host=127.0.0.1", "--workers=1"]
        command += [f"--port={self.address.rpartition(':')[2]}", *self._stores]
        with (self._folder / "mlflow.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, start_new_session=True, cwd=self._folder
            )
        wait_for(self._answers, "mlflow server", 600)
        self.seconds = time.monotonic() - began

    def stop(self) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.address}/health", timeout=5).ok
        except requests.RequestException:
            return False
