"""A session over HTTP: how long it takes to a result, and after a changed support."""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import requests

from benchmarks.service.running import serving
from benchmarks.service.workspace import DATASET, make_workspace
from icefloe.tables import Table

ROWS, EDGE = 32, 64
"""Of the grid: 1,024 chips."""

FIRST_SUPPORTS = 5
PATIENCE_S = 60


@dataclass(frozen=True)
class ServiceSpeed:
    """Seconds on the clock, as whoever asks sees them.

    Attributes
    ----------
    embedding
        From the grid that is used until all chips have vectors.
    first
        From the request to the first result.
    changed
        Median from a changed support to the new result: sets sent, result received.
    """

    embedding: float
    first: float
    changed: float

    def table(self) -> Table:
        """One row a step."""
        steps = {
            "vectors of 1,024 chips of 64 px, begun by the grid": self.embedding,
            "from *classify* to the first result": self.first,
            "after a changed support, sets sent and result received": self.changed,
        }
        return Table.of([{"step": step, "s": seconds} for step, seconds in steps.items()], {"s": ".3f"})


def measure_service(n_changes: int) -> ServiceSpeed:
    """Classify noise of three brightnesses, and change a support again and again."""
    side = ROWS * EDGE
    rng = np.random.default_rng(0)
    counts = 2000 * (1 + np.arange(side) * 3 // side) + rng.normal(0, 300, (side, side))
    with tempfile.TemporaryDirectory(prefix="icefloe-fewshot-") as scratch:
        settings = make_workspace(Path(scratch) / "workspace", {"noise": counts.astype(np.uint16)})
        with serving(settings, workers=1, auth=False) as running:
            return _measured(_Session(f"{running.url}/api/v1/fewshot/sessions"), n_changes)


def _measured(session: "_Session", n_changes: int) -> ServiceSpeed:
    began = time.perf_counter()
    session.change("grid", {"edge": EDGE})
    while (state := session.state()["embedding"]["state"]) != "done":
        assert state in ("waiting", "running"), state
        time.sleep(0.02)
    embedding = time.perf_counter() - began
    supports = [[column + ROWS * row for row in range(FIRST_SUPPORTS)] for column in (2, 15, 29)]
    session.choose(supports)
    began = time.perf_counter()
    session.classify()
    first = time.perf_counter() - began
    taken = []
    for number in range(n_changes):
        supports[0].append(2 + ROWS * (FIRST_SUPPORTS + number))
        began = time.perf_counter()
        session.choose(supports)
        session.classify()
        taken.append(time.perf_counter() - began)
    return ServiceSpeed(embedding, first, median(taken))


class _Session:
    def __init__(self, sessions: str) -> None:
        self._asking = requests.Session()
        self._asking.headers["Sec-Fetch-Site"] = "same-origin"
        deadline = time.monotonic() + 3 * PATIENCE_S
        while True:  # the worker has its imports before it
            answer = self._asking.post(sessions, json={"dataset": DATASET, "stem": "noise"})
            if answer.status_code != 503 or time.monotonic() > deadline:
                break
            time.sleep(1)
        answer.raise_for_status()
        self._url, self._etag = f"{sessions}/{answer.json()['id']}", answer.headers["ETag"]

    def change(self, what: str, content: dict[str, Any]) -> None:
        answer = self._asking.put(f"{self._url}/{what}", json=content, headers={"If-Match": self._etag})
        answer.raise_for_status()
        self._etag = answer.headers["ETag"]

    def choose(self, supports: list[list[int]]) -> None:
        sets = [
            {"name": f"set {style}", "chips": chips, "style": style} for style, chips in enumerate(supports)
        ]
        self.change("sets", {"sets": sets})

    def classify(self) -> None:
        headers = {"Prefer": f"wait={PATIENCE_S}"}
        answer = self._asking.post(f"{self._url}/classification", headers=headers)
        assert answer.status_code == 200, answer.text

    def state(self) -> dict[str, Any]:
        answer = self._asking.get(self._url)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found
