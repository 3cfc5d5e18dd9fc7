"""A worker beside web processes, as `icefloe serve` starts it: `python -m serving.worker WORKSPACE N`."""

import logging
import os
import signal
import sys
import threading
from pathlib import Path

from icefloe.settings import load_settings
from serving.worker.worker import run_worker


def main() -> None:
    """Work until standard input ends."""
    workspace, n_workers = sys.argv[1:]

    def watch() -> None:
        sys.stdin.read()
        os.kill(os.getpid(), signal.SIGTERM)

    logging.basicConfig(level=logging.WARNING, format="worker: %(message)s")
    threading.Thread(target=watch, daemon=True).start()
    run_worker(load_settings(Path(workspace)), int(n_workers), logging.getLogger("icefloe").info)


if __name__ == "__main__":
    main()
