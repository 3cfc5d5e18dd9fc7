"""The process that steps are forked from: it imports once, and serves until its driver ends."""

from __future__ import annotations

import atexit
import importlib
import json
import os
import select
import signal
import socket
import sys
import tempfile
import threading
import traceback
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

PROGRAM = "ephemeral_component.py"
"""The file that a lightweight component's shell command writes its source to, and then executes."""

DONE = b"done"
"""Answer of a step that succeeded; one that failed or was killed closes the connection."""

PRELOADED = (
    "kfp.dsl.executor_main",
    "mlflow",
    "mlflow.store.tracking.sqlalchemy_store",
    "mlflow.store.model_registry.sqlalchemy_store",
    "icefloe.workflow.runs",
    "icefloe.workflow.data",
    "torch",
    "icefloe.models.zoo",
    "icefloe.workflow.versions",
    "icefloe.workflow.prediction",
    "icefloe.workflow.drift",
    "scipy.stats",
    "icefloe.workflow.selection",
    "scipy.cluster",
    "icefloe.workflow.labels",
    "icefloe.workflow.evaluation",
    "icefloe.workflow.registration",
    "icefloe.report.page",
    "matplotlib.pyplot",
    "mlflow.pyfunc",
    "icefloe.training.assembly",
    "icefloe.training.tracking",
)
"""Modules that steps use, in the order in which a pipeline needs them, and their late imports.

Not Ray: it reads how to authenticate from the environment when it is imported, and the Ray of this run is
started, with a token of its own, only after this process.
"""


def serve(control: socket.socket) -> None:
    """Fork a process for every step requested; return when the driver has closed its socket.

    A request is one byte with two file descriptors: a socket that the step's description, as JSON, comes from
    and `DONE` goes to, and a pipe for all that it prints.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is for the step, and the driver's to report
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # this process does not wait for its steps
    to_import = list(PRELOADED)
    while True:
        # A step that is asked for early is forked early: it imports what it lacks, while this goes on here.
        if to_import and not select.select([control], [], [], 0)[0]:
            with suppress(ImportError):  # the step that needs it says so better
                importlib.import_module(to_import.pop(0))
            continue
        asked, descriptors, *_ = socket.recv_fds(control, 1, 2)
        if not asked:
            return
        if os.fork() == 0:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            control.close()
            answer, output = descriptors
            try:
                _step(socket.socket(fileno=answer), output)
            except BaseException:  # a step's exit, too: an answer that does not come is its failure
                traceback.print_exc()
            _leave()
        for descriptor in descriptors:
            os.close(descriptor)


def _step(answer: socket.socket, output: int) -> None:
    """Run a lightweight component as its shell command does, in this process."""
    os.dup2(output, sys.stdout.fileno())
    os.dup2(output, sys.stderr.fileno())
    os.close(output)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # progress appears when printed
    with answer.makefile("rb") as stream:
        request = json.load(stream)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["directory"])
    from kfp.dsl.executor_main import executor_main

    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / PROGRAM
        program.write_text(request["source"], encoding="utf-8")
        sys.argv = [sys.argv[0], "--component_module_path", str(program), *request["arguments"]]
        executor_main()
    answer.sendall(DONE)


def _leave() -> NoReturn:
    """End as an interpreter does, but leave memory to the system: taking all modules apart takes seconds."""
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
