"""Ray for a training: the one that is there, a cluster's, or one started for the run."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import ray

from icefloe.errors import IcefloeError
from icefloe.machine import usable_cores
from icefloe.training.ray_api import is_dashboard

ADDRESS_VARIABLE = "RAY_ADDRESS"

_OF_NODE = {"num_cpus": "CPU", "num_gpus": "GPU"}

MOST_SHARING = 2
"""Members a CPU: with more, memory would be short before time is saved."""


def start_ray(address: str | None = None, worker_niceness: int = 0) -> str:
    """Connect this process to a cluster, or start a Ray on this machine; return its address.

    A Ray started here ends with this process, also if that is killed. Other processes use it in the meantime
    when `RAY_ADDRESS` is the address returned.

    Parameters
    ----------
    address
        Address of the cluster; None: start one with the CPUs and GPUs that this process may use.
    worker_niceness
        By how much the workers of a Ray started here are nicer than this process. Ray's own 15 leaves them a
        thirtieth of a core that anything else wants.

    Raises
    ------
    IcefloeError
        If the cluster cannot be connected to, or none starts on this machine.
    """
    options: dict[str, Any] = {"address": address} if address else {"address": "local"}
    if not address:
        options |= {
            "num_cpus": usable_cores(),
            "include_dashboard": False,
            "_system_config": {"worker_niceness": worker_niceness},
        }
    on_end = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(**options, log_to_driver=False, logging_level=logging.ERROR)
    except Exception as error:  # Ray raises a bare one where it does not start in time
        reason = " ".join(str(error).split())[:200]
        if address is None:
            raise IcefloeError(
                f"Ray did not start on this machine ({reason}). Try again when it is less busy."
            ) from error
        raise IcefloeError(
            f"{address}: the connection failed ({reason}). "
            "Start Ray, or leave ray_address empty to train on this machine."
        ) from error
    if threading.current_thread() is threading.main_thread():
        # Ray would end its workers first, and so before their trainings can save an epoch.
        signal.signal(signal.SIGTERM, on_end if callable(on_end) else _exit)
    return str(ray.get_runtime_context().gcs_address)


def _exit(number: int, frame: object) -> None:
    sys.exit(128 + number)


def stop_ray() -> None:
    """Leave the cluster, or stop the Ray that was started here."""
    ray.shutdown()


@contextmanager
def connected(address: str | None, worker_niceness: int = 0) -> Iterator[None]:
    """A connection to Ray while the block runs; what was connected before stays so.

    Parameters
    ----------
    address
        Address of a cluster; None: that of `RAY_ADDRESS`, or without one a Ray for this block. One that is
        reached by its dashboard gets jobs, and nothing is connected to it.
    worker_niceness
        As of `start_ray`.
    """
    address = address or os.environ.get(ADDRESS_VARIABLE)
    if ray.is_initialized() or is_dashboard(address):
        yield
        return
    start_ray(address, worker_niceness)
    try:
        yield
    finally:
        stop_ray()


def member_resources(n_members: int, gpu_share: float) -> dict[str, Any]:
    """CPUs and GPUs for each member, so that as many as possible run at once and none is idle.

    A few members more than CPUs share them, all at once: three on two CPUs would else train two and then one,
    with a CPU idle for half of the time.

    Parameters
    ----------
    n_members
        Number of members, finished ones too: a resumed run then computes with as many threads as the one that
        was interrupted.
    gpu_share
        Part of a GPU that each member is given, where there is one.

    Returns
    -------
    dict
        `num_cpus`, a fraction where CPUs are shared, and `num_gpus` where the cluster has any.
    """
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    n_cpus = int(sum(node.get("CPU", 0) for node in nodes))
    n_gpus = int(sum(node.get("GPU", 0) for node in nodes))
    largest_node = int(max(node.get("CPU", 0) for node in nodes))
    if n_gpus:
        n_parallel = min(n_members, n_gpus * int(1 / gpu_share + 1e-3))
        return {"num_cpus": _whole_cpus(n_cpus, n_parallel, largest_node), "num_gpus": gpu_share}
    if n_cpus < n_members <= MOST_SHARING * n_cpus:
        return {"num_cpus": n_cpus / n_members}
    return {"num_cpus": _whole_cpus(n_cpus, min(n_members, n_cpus), largest_node)}


def has_gpus() -> bool:
    """Whether Ray has a GPU."""
    return any(node["Resources"].get("GPU", 0) for node in ray.nodes() if node["Alive"])


def threads(resources: Mapping[str, Any]) -> int:
    """CPU threads of a member with these resources."""
    return max(1, int(resources["num_cpus"]))


def members_at_once(resources: Mapping[str, float]) -> int:
    """Number of members with these resources that run side by side where nothing else does; at least one."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    at_once = (
        min(int(node.get(_OF_NODE[name], 0) / needed + 1e-3) for name, needed in resources.items())
        for node in nodes
    )
    return max(1, sum(at_once))


def _whole_cpus(n_cpus: int, n_parallel: int, largest_node: int) -> int:
    return max(1, min(n_cpus // max(1, n_parallel), largest_node))
