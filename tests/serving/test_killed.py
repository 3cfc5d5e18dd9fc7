"""Web processes that are killed while masks arrive: what was acknowledged is there, whole and once."""

import random
import subprocess
import time

import numpy as np
import pytest
import requests

from benchmarks.service.running import free_port, serving
from icefloe.active.items import NewItem, Purpose
from icefloe.active.queue import Queue
from icefloe.active.uploads import decode_png, encode_png
from icefloe.database.open import open_database
from tests.serving.conftest import SAME_ORIGIN

pytestmark = pytest.mark.integration

KILLS = 20
SHAPE = (256, 256)
CLASSES = ("background", "ice")


def test_no_acknowledged_mask_is_lost_and_none_is_half_written(settings):
    queue = Queue(open_database(settings))
    rng, chance = np.random.default_rng(0), random.Random(0)
    purpose = Purpose("bald", 0.5, 1, "members disagree")
    queue.add(NewItem("D1", str(n), "round", SHAPE, CLASSES, purpose) for n in range(2000))
    port = free_port()
    url, acknowledged, sent = f"http://127.0.0.1:{port}/api/v1/queue", {}, {}
    for _ in range(KILLS):
        with serving(settings, auth=False, port=port) as service, requests.Session() as browser:
            browser.headers.update(SAME_ORIGIN)
            until = time.monotonic() + chance.uniform(0.05, 0.6)
            try:
                while True:
                    held = browser.get(f"{url}/leases").json() or [
                        browser.post(f"{url}/leases", json={}).json()
                    ]
                    item = held[0]["item"]["id"]
                    png = encode_png((rng.random(SHAPE) < 0.3).astype(np.uint8))
                    sent.setdefault(item, []).append(png)
                    headers = {"Content-Type": "image/png", "Icefloe-Seconds": "1"}
                    headers["Icefloe-Lease"] = held[0]["token"]
                    if time.monotonic() > until:
                        # The mask is on its way when the process dies, sooner or later.
                        subprocess.Popen(
                            ["sh", "-c", f"sleep {chance.uniform(0, 0.02)}; kill -9 {service.process.pid}"]
                        )
                        until = float("inf")
                    answer = browser.put(f"{url}/items/{item}/label", data=png, headers=headers)
                    assert answer.status_code == 200, answer.text
                    acknowledged[item] = png
            except requests.RequestException:
                pass  # the process is gone
    labels = {label.item_id: label.png for label in queue.labels()}
    assert len(acknowledged) > KILLS
    for item, png in acknowledged.items():
        assert np.array_equal(decode_png(labels[item]), decode_png(png))
    for item, png in labels.items():  # also of those that were not acknowledged any more
        assert any(np.array_equal(decode_png(png), decode_png(one)) for one in sent[item])
    assert len(queue.labels()) == len(labels)
