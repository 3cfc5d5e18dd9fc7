"""Starting a worker as `icefloe serve` does, and waiting for what it does."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

HURRIED = 120  # s; nothing takes as long unless something is wrong


def start(workspace: Path) -> subprocess.Popen[bytes]:
    # As one of two, whose networks take half of the cores: other tests run meanwhile.
    command = [sys.executable, "-m", "serving.worker", str(workspace), "2"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(Path.cwd())})


def until(is_so: Callable[[], object], seconds: float = HURRIED) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)
