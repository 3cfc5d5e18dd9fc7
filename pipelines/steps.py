"""Starting a local run's steps as forks of one process that has imported what they all need.

`kfp.local` starts a new interpreter for each step. A loop has more than forty, and importing torch, MLflow and
SciPy took most of them longer than their work did. Each step still is a process of its own.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from kfp.local import subprocess_task_handler

PRELOADED = [
    "kfp.dsl.executor_main",
    "mlflow.pyfunc",
    "matplotlib.pyplot",
    "ray",
    "icefloe.active.request",
    "icefloe.active.collect",
    "icefloe.drift.gate",
    "icefloe.registry.submission",
    "icefloe.report.page",
    "icefloe.training.parallel",
    "icefloe.training.assembly",
]
"""What the process imports that steps are forked from: the rooms they use, and what those import only late."""

_PROGRAM = "ephemeral_component.py"
"""The file that a lightweight component's shell command writes its source to, and then executes."""


@contextmanager
def forked_steps() -> Iterator[None]:
    """Let `kfp.local.SubprocessRunner` fork its steps while the block runs.

    The imports are made in the background and begin at once.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    context.Process(target=_nothing).start()

    def run(full_command: list[str], env_vars: Mapping[str, str] | None = None) -> int:
        source, arguments = _component(full_command)
        environment = {**os.environ, **(env_vars or {}), "_KFP_RUNTIME": "true"}
        reader, writer = context.Pipe(duplex=False)
        step = context.Process(target=_run_step, args=(source, arguments, environment, os.getcwd(), writer))
        step.start()
        writer.close()
        with open(os.dup(reader.fileno()), encoding="utf-8", errors="replace") as output:
            for line in output:
                print(line, end="")
        print("\n")  # as kfp does, so that logs of steps stand apart
        step.join()
        return step.exitcode or 0

    in_kfp = subprocess_task_handler.run_local_subprocess
    subprocess_task_handler.run_local_subprocess = run
    try:
        yield
    finally:
        subprocess_task_handler.run_local_subprocess = in_kfp


def _component(command: Sequence[str]) -> tuple[str, list[str]]:
    """Source and arguments of a lightweight component, from the shell command that would run it."""
    script = next(index for index, part in enumerate(command) if _PROGRAM in part)
    return command[script + 1], list(command[script + 2 :])


def _run_step(
    source: str, arguments: list[str], environment: dict[str, str], directory: str, output: Connection
) -> None:
    """What the shell command does, in a process that is there already."""
    os.dup2(output.fileno(), sys.stdout.fileno())
    os.dup2(output.fileno(), sys.stderr.fileno())
    output.close()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(directory)
    from kfp.dsl.executor_main import executor_main

    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / _PROGRAM
        program.write_text(source, encoding="utf-8")
        sys.argv = ["executor_main", "--component_module_path", str(program), *arguments]
        executor_main()


def _nothing() -> None:
    """The first process asked for is what starts the imports."""
