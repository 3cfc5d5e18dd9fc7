"""Numbers for Prometheus: what each process counts, and what the database knows.

A web process counts its own requests. Several share their counts through files in a folder that
`prometheus_client` finds by its variable, so that whichever answers `/metrics` tells of all of them. What all
processes have in common, jobs, workers and the queue, is read from the database when it is asked for.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from icefloe.active.queue import Queue
from icefloe.settings import Settings
from serving.jobs.table import Jobs
from serving.jobs.workers import Workers
from serving.room import free_bytes

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

REQUESTS = Counter("icefloe_requests", "Requests answered", ("method", "route", "status"))
SECONDS = Histogram(
    "icefloe_request_seconds", "Time until an answer begins", ("method", "route"), buckets=BUCKETS
)
FAILED_SIGN_INS = Counter("icefloe_failed_sign_ins", "Attempts to sign in that were refused")

OTHER = "other"
"""Whatever is no route: names that strangers try must not become names of series."""


class Measured:
    """Counts requests and the time until their answers begin, by route.

    Parameters
    ----------
    app
        The application.
    paths
        Function that answers -> path of its route.
    """

    def __init__(self, app: ASGIApp, paths: Mapping[Callable[..., Any], str]) -> None:
        self._app, self._paths = app, paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                method = scope["method"] if scope["method"] in METHODS else OTHER
                endpoint = scope.get("endpoint")
                route = OTHER if endpoint is None else self._paths.get(endpoint, OTHER)
                REQUESTS.labels(method, route, str(message["status"])).inc()
                SECONDS.labels(method, route).observe(time.perf_counter() - began)
            await send(message)

        await self._app(scope, receive, noted)


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class WorkspaceCollector(Collector):
    """What the database and the disk know.

    Parameters
    ----------
    settings, jobs, workers, queue
        Of the workspace.
    """

    def __init__(self, settings: Settings, jobs: Jobs, workers: Workers, queue: Queue) -> None:
        self._settings, self._jobs, self._workers, self._queue = settings, jobs, workers, queue

    def collect(self) -> Iterator[GaugeMetricFamily]:
        jobs = GaugeMetricFamily("icefloe_jobs", "Jobs in the table", labels=("kind", "state"))
        for (kind, state), number in self._jobs.counts().items():
            jobs.add_metric((kind, state), number)
        yield jobs
        items = GaugeMetricFamily("icefloe_queue_items", "Images of the labelling queue", labels=("state",))
        status = self._queue.status()
        for name in ("waiting", "leased", "submitted", "skipped", "imported"):
            items.add_metric((name,), getattr(status, name))
        yield items
        ages = GaugeMetricFamily(
            "icefloe_worker_heartbeat_age_seconds",
            "Time since a worker's last sign of life",
            labels=("worker",),
        )
        serving = GaugeMetricFamily(
            "icefloe_worker_version",
            "1 for the version that a worker has loaded",
            labels=("worker", "version"),
        )
        for worker, age in self._workers.ages().items():
            ages.add_metric((worker,), age)
        for living in self._workers.living():
            if living.champion is not None:
                serving.add_metric((living.name, living.champion), 1)
        yield from (ages, serving)
        yield GaugeMetricFamily(
            "icefloe_disk_free_bytes", "Room on the workspace's disk", free_bytes(self._settings)
        )


def exposition(app: FastAPI) -> bytes:
    """All numbers in Prometheus' text format."""
    state = app.state
    workspace = CollectorRegistry(auto_describe=False)
    workspace.register(WorkspaceCollector(state.settings, state.jobs, state.workers, state.queue))
    counted: CollectorRegistry = REGISTRY
    if FOLDER_VARIABLE in os.environ:
        counted = CollectorRegistry()
        MultiProcessCollector(counted)
    return generate_latest(counted) + generate_latest(workspace)
