"""The page of the labelers: each database, web processes, and a worker that segments or none."""

import itertools
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import requests
from pydantic import SecretStr

from benchmarks.service.labelers import SHAPE, Crowd, check, fill, label_together
from benchmarks.service.page import write_page
from benchmarks.service.postgresql import PostgreSQL
from benchmarks.service.running import serving, tokens_of
from benchmarks.service.workspace import DATASET, VERSION, add_champion, make_workspace
from icefloe.errors import IcefloeError
from icefloe.settings import Settings
from icefloe.tables import Table

LABELERS = 50
SERIES = 500
"""Images of the stack that a worker segments; more than it can in the time."""

ABOUT = """\
50 people label at once: each leases an image, thinks for 0.5 to 1.5 s, and hands in a mask of 512 x 512
pixels. Those who label, the service and its database share the machine, and so does a worker that segments a
stack of 512 x 512 images where it says so. The aim is 150 ms for lease and mask together in 95 % of cases."""

NOTES = """\
After each row the queue was looked through: no image was leased twice, and every mask that was acknowledged
is there as it was sent. *Server* is the processor time of all web processes for one image, *labelers* that of
the 50 themselves, who are threads of one program with Python's own HTTP client.

An image is two requests. Whose token it is, each web process asks the database once in 5 s; the lease is
one transaction of three statements, the mask one of five after its lease was read, and both are on the disk
before they are acknowledged. A mask is decoded, checked and written anew before it waits for its turn. The
next image is found by index, so it does not matter how many wait. What a worker segments gives way to web
processes."""


def measure_labelers(seconds: float) -> Path:
    """Measure, and write the page; its path."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="icefloe-labelers-") as scratch, _postgresql() as server:
        rng = np.random.default_rng(0)
        series = {f"frame_{n}": rng.integers(0, 4000, SHAPE).astype(np.uint16) for n in range(SERIES)}
        template = make_workspace(Path(scratch) / "workspace", series)
        add_champion(template, size=512)
        ways = itertools.product(("SQLite", "PostgreSQL"), (1, 2), (False, True))
        for number, (database, web, segments) in enumerate(ways):
            place: dict[str, object] = {"queue_path": Path(scratch) / f"{number}.db"}
            if database == "PostgreSQL":
                url = server.new_url().render_as_string(hide_password=False)
                place = {"database_url": SecretStr(url)}
            settings = template.model_copy(update=place)
            crowd, n_segmented, server_ms, labelers_ms = _one_way(settings, web, segments, seconds)
            rows.append(
                {
                    "database": database,
                    "web processes": web,
                    "worker": f"segments, {n_segmented / crowd.seconds:.1f} images/s" if segments else "idle",
                    "images/s": len(crowd.labelled) / crowd.seconds,
                    "lease + mask, median ms": crowd.percentile_ms(50),
                    "95 %, ms": crowd.percentile_ms(95),
                    "99 %, ms": crowd.percentile_ms(99),
                    "lease 95 %": crowd.percentile_ms(95, lambda one: one.lease_s),
                    "mask 95 %": crowd.percentile_ms(95, lambda one: one.submit_s),
                    "server, ms": server_ms,
                    "labelers, ms": labelers_ms,
                }
            )
            print(rows[-1], flush=True)
    numbers = [name for name in rows[0] if "ms" in name or "%" in name]
    table = Table.of(rows, dict.fromkeys(numbers, ".0f") | {"images/s": ".1f"})
    command = f"python -m benchmarks.service labelers --seconds {seconds:g}"
    return write_page("labelers", "Fifty labelers at once", command, ABOUT, [table], NOTES)


def _one_way(settings: Settings, web: int, segments: bool, seconds: float) -> tuple[Crowd, int, float, float]:
    """The crowd, images that the worker segmented meanwhile, ms of web processes and of crowd an image."""
    shutil.rmtree(settings.state / "served", ignore_errors=True)  # so that all is to be segmented again
    queue = fill(settings, int(LABELERS * (seconds + 10) * 1.2))
    tokens = tokens_of(settings, [f"labeler {n}" for n in range(LABELERS)])
    with serving(settings, web=web, workers=int(segments)) as running:
        first = label_together(running.url, tokens, 3, 0.5)  # all is loaded then
        segmented = _ask_for_series(running.url, tokens[0]) if segments else lambda: 0
        before, own, n_before = running.web_cpu_seconds(), time.process_time(), segmented()
        crowd = label_together(running.url, tokens, seconds)
        server_s, labelers_s = running.web_cpu_seconds() - before, time.process_time() - own
        n_segmented = segmented() - n_before
    check(queue, [*first.labelled, *crowd.labelled])
    queue.database.close()
    an_image = 1000 / len(crowd.labelled)
    return crowd, n_segmented, server_s * an_image, labelers_s * an_image


def _ask_for_series(url: str, token: str) -> Callable[[], int]:
    """Have the series segmented; once that has begun, a function that says how many images are done."""
    with requests.Session() as browser:
        browser.headers["Authorization"] = f"Bearer {token}"
        while requests.get(f"{url}/readyz", timeout=60).json()["champion"] is None:
            time.sleep(0.5)
        wanted = {"dataset": DATASET, "version": VERSION}
        answer = browser.post(f"{url}/api/v1/segmentations", json=wanted, headers={"Prefer": "wait=0"})
        answer.raise_for_status()
        place = url + answer.headers["location"].replace("segmentations", "jobs")

        def done() -> int:
            job = browser.get(place).json()
            if job["state"] != "running":
                raise IcefloeError(
                    f"The worker was not at it to the end: {job['state']}. Make SERIES larger."
                )
            return int(job["done"])

        while browser.get(place).json()["done"] == 0:
            time.sleep(0.2)
        return done


@contextmanager
def _postgresql() -> Iterator[PostgreSQL]:
    with tempfile.TemporaryDirectory(prefix="icefloe-postgresql-") as folder:
        server = PostgreSQL(Path(folder), fsync=True)
        try:
            yield server
        finally:
            server.stop()
