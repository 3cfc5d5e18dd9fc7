"""What a Ray node does before its pod goes: `python -m icefloe.training.node_end`, a hook of Kubernetes.

Kubernetes tells a pod's main process only. That ends its workers at once, with the epochs that they have not
saved.
"""

import argparse
import time

import psutil

MEMBER = "member "
"""Begins the name of a training's task, and so the title of its process: `ray::member NAME`."""

GRACE_SECONDS = 20.0
"""In which workers that are to end write their checkpoints; Kubernetes gives a pod 30 s."""

HEARD_SECONDS = 1.0
"""In which Ray hears that the node goes; a member that ends sooner could begin anew on it."""


def main() -> None:
    """End the members that train on this node, once each has saved its last epoch."""
    parser = argparse.ArgumentParser(prog="node_end")
    parser.add_argument("--main", type=int, default=1, help="Number of the node's main process.")
    processes = psutil.Process(parser.parse_args().main).children(recursive=True)
    for raylet in processes:
        if raylet.name() == "raylet":
            raylet.parent().terminate()  # `ray start`, which takes no more tasks, and ends when all are over
    time.sleep(HEARD_SECONDS)
    members = [process for process in processes if _title(process).startswith(f"ray::{MEMBER}")]
    for member in members:
        member.terminate()
    psutil.wait_procs(members, timeout=GRACE_SECONDS)


def _title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


if __name__ == "__main__":
    main()
