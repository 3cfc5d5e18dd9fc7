"""A Ray cluster of several raylets on this machine, with a dashboard that asks for a token."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import requests

TOKEN = "0123456789abcdef" * 4


@dataclass
class Cluster:
    """The head and the other nodes.

    Attributes
    ----------
    address
        Of the dashboard.
    seconds
        It took to start.
    """

    address: str
    gcs: str
    environment: dict[str, str]
    folder: Path
    nodes: list[subprocess.Popen] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, n_cpus: int, *options: str) -> subprocess.Popen:
        """Start a node, as the main process of a pod would be."""
        name = self.folder / f"node{len(self.nodes)}.log"
        ports = [f"--{port}-port={free_port()}" for port in ("dashboard-agent-listen", "metrics-export")]
        command = [str(Path(sys.executable).with_name("ray")), "start", "--block", "--disable-usage-stats"]
        command += [f"--num-cpus={n_cpus}", "--object-store-memory=100000000", *ports, *options]
        with name.open("wb") as log:
            node = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        self.nodes.append(node)
        return node

    def ask(self, path: str) -> requests.Response:
        """An answer of the dashboard."""
        return requests.get(self.address + path, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=20)

    def jobs(self) -> dict[str, str]:
        """All jobs that were submitted, and what became of them."""
        return {job["submission_id"]: job["status"] for job in self.ask("/api/jobs/").json()}

    def n_alive(self) -> int:
        """Number of nodes that the cluster has."""
        nodes = self.ask("/nodes?view=summary").json()["data"]["summary"]
        return sum(node["raylet"]["state"] == "ALIVE" for node in nodes)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def raylet_of(node: subprocess.Popen) -> psutil.Process:
    """The raylet that a node's main process has started."""
    (raylet,) = [child for child in psutil.Process(node.pid).children() if child.name() == "raylet"]
    return raylet


def wait_for(condition, what: str, seconds: float = 120.0):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(0.2)
    raise AssertionError(f"{what}: not within {seconds:.0f} s")


@contextmanager
def ray_cluster(**environment: str) -> Iterator[Cluster]:
    """A head with one CPU while the block runs; its nodes, jobs and workers have this environment, too."""
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="ray", dir="/tmp"))  # Ray's sockets have room for short paths only
    gcs, dashboard = free_port(), free_port()
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "MLFLOW_"))
    }
    own = {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": TOKEN,
        "RAY_worker_niceness": "0",  # a busy machine leaves nothing for the 15 that is usual
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    cluster = Cluster(
        f"http://127.0.0.1:{dashboard}", f"127.0.0.1:{gcs}", inherited | own | environment, folder
    )
    try:
        cluster.add(
            1,
            *("--head", f"--port={gcs}", f"--dashboard-port={dashboard}", f"--temp-dir={folder}"),
            *("--include-dashboard=true", "--node-ip-address=127.0.0.1"),
        )
        wait_for(lambda: _is_up(cluster), "Ray's dashboard", 600)
        cluster.seconds = time.monotonic() - began
        yield cluster
    finally:
        processes = []
        for node in reversed(cluster.nodes):
            if node.poll() is None:
                processes += [psutil.Process(node.pid), *psutil.Process(node.pid).children(recursive=True)]
                node.send_signal(signal.SIGTERM)
        _, alive = psutil.wait_procs(processes, timeout=30)
        for process in alive:
            process.kill()
        for node in cluster.nodes:
            node.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _is_up(cluster: Cluster) -> bool:
    assert cluster.nodes[0].poll() is None, (cluster.folder / "node0.log").read_text()
    try:
        return cluster.ask("/api/jobs/").ok and cluster.n_alive() == 1
    except (requests.RequestException, KeyError, ValueError):
        return False
