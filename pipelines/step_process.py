"""The process that a local run's steps are forked from. Importing this module costs nothing."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def step_process() -> Iterator[socket.socket]:
    """Start the process, and end it with the block; yield the socket for requests.

    It makes its imports in the background, so what the block does before its first step costs no time.
    """
    control, served = socket.socketpair()
    process = subprocess.Popen(
        [sys.executable, "-m", "pipelines.step_server", str(served.fileno())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=[served.fileno()],
        env=os.environ | {"PYTHONIOENCODING": "utf-8:backslashreplace"},  # what steps print goes to a log
    )
    served.close()
    try:
        yield control
    finally:
        control.close()
        process.kill()  # it has nothing to tidy up; were this process killed, it would end by itself
        process.wait()
