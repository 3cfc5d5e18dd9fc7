"""Start of a local run's steps as forks of a process that has made the imports.

`kfp.local` starts a new interpreter for each step. A loop has more than forty, and most of them imported
torch, MLflow and SciPy for longer than they worked. Each step still is a process of its own.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from pipelines.kfp_hook import steps_run_by
from pipelines.step_server import DONE, PROGRAM


@contextmanager
def forked_steps(process: socket.socket) -> Iterator[None]:
    """Let `kfp.local.SubprocessRunner` fork its steps from a `step_process` while the block runs."""

    def run(full_command: list[str], env_vars: Mapping[str, str] | None = None) -> int:
        return _run_step(process, full_command, {**os.environ, **(env_vars or {})})

    with steps_run_by(run):
        yield


def _run_step(control: socket.socket, command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run the component that a shell command stands for, print what it prints, return an exit status."""
    script = next(index for index, part in enumerate(command) if PROGRAM in part)
    request = {
        "source": command[script + 1],
        "arguments": command[script + 2 :],
        "environment": {**environment, "_KFP_RUNTIME": "true"},  # as that shell command sets it
        "directory": str(Path.cwd()),
    }
    driver_end, server_end = socket.socketpair()
    reader, writer = os.pipe()
    with driver_end:
        with server_end:
            socket.send_fds(control, [b"!"], [server_end.fileno(), writer])
        os.close(writer)
        driver_end.sendall(json.dumps(request).encode())
        driver_end.shutdown(socket.SHUT_WR)
        with os.fdopen(reader, encoding="utf-8", errors="replace") as output:
            for line in output:
                print(line, end="")
        print("\n")  # as kfp does, to separate the steps' logs
        return 0 if driver_end.recv(len(DONE)) == DONE else 1
