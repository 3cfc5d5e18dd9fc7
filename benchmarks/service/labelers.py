"""Many labelers at once: each leases an image, thinks, hands its mask in, and begins anew."""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection
from urllib.parse import urlsplit

import numpy as np

from benchmarks.service.workspace import CLASSES, DATASET
from icefloe.active.items import NewItem, Purpose
from icefloe.active.queue import Queue, open_queue
from icefloe.active.uploads import decode_png, encode_png
from icefloe.errors import IcefloeError
from icefloe.settings import Settings
from icefloe.typing import MaskArray

SHAPE = (512, 512)
PATIENCE_SECONDS = 120.0


@dataclass(frozen=True)
class Labelled:
    """One image that somebody labelled.

    Attributes
    ----------
    item
        Its number in the queue.
    mask : uint8, shape SHAPE
        As it was handed in.
    lease_s, submit_s
        How long the service took for the lease and for the mask, in s.
    """

    item: int
    mask: MaskArray
    lease_s: float
    submit_s: float


@dataclass(frozen=True)
class Crowd:
    """What a crowd of labelers did.

    Attributes
    ----------
    labelled
        All that was acknowledged.
    seconds
        How long it went on.
    """

    labelled: tuple[Labelled, ...]
    seconds: float

    def percentile_ms(self, share: float, part: Callable[[Labelled], float] | None = None) -> float:
        """Percentile of lease and submit together, or of a part, in ms."""
        part = part or (lambda one: one.lease_s + one.submit_s)
        return 1000 * float(np.percentile([part(one) for one in self.labelled], share))


def fill(settings: Settings, n_items: int) -> Queue:
    """Queue images; the workspace's queue."""
    queue = open_queue(settings)
    purpose = Purpose("bald", 0.5, 1, "its members disagree")
    queue.add(NewItem(DATASET, str(number), "round", SHAPE, CLASSES, purpose) for number in range(n_items))
    return queue


def crystal(chance: random.Random) -> MaskArray:
    """A blob of a crystal's size with a rough edge, another one each time."""
    rows, columns = np.indices(SHAPE)
    angles = np.arctan2(rows - 256, columns - 256)
    waves = sum(chance.uniform(0, 12) * np.cos(k * angles + chance.uniform(0, 7)) for k in range(2, 9))
    return (np.hypot(rows - 256, columns - 256) < 120 + waves).astype(np.uint8)


@cache
def _masks() -> list[MaskArray]:
    return [crystal(random.Random(seed)) for seed in range(20)]


def label_together(url: str, tokens: Sequence[str], seconds: float, think_s: float = 1.0) -> Crowd:
    """Have somebody at each token label until the time is over.

    Parameters
    ----------
    url
        The service.
    tokens
        API tokens, one a labeler.
    seconds
        How long images are begun.
    think_s
        Mean time between lease and mask, in s; between half and one and a half of it.

    Raises
    ------
    IcefloeError
        If the service refuses any request.
    """
    sent = [(mask, encode_png(mask)) for mask in _masks()]
    place = urlsplit(url).netloc
    began = time.monotonic()
    ready = threading.Barrier(len(tokens))

    def label(number: int) -> list[Labelled]:
        chance = random.Random(number)
        done = []
        # The machine is the service's, too: requests takes more of it than Python's own client.
        with closing(HTTPConnection(place, timeout=PATIENCE_SECONDS)) as browser:
            ready.wait()
            until = time.monotonic() + seconds
            time.sleep(chance.uniform(0, think_s))  # people do not begin at one moment
            while time.monotonic() < until:
                think = chance.uniform(0.5, 1.5) * think_s
                done.append(_label_one(browser, tokens[number], *chance.choice(sent), think))
        return done

    with ThreadPoolExecutor(len(tokens)) as pool:
        labelled = [one for each in pool.map(label, range(len(tokens))) for one in each]
    return Crowd(tuple(labelled), time.monotonic() - began)


def _label_one(browser: HTTPConnection, token: str, mask: MaskArray, png: bytes, think_s: float) -> Labelled:
    mine = {"Authorization": f"Bearer {token}"}
    began = time.perf_counter()
    answer = _asked(browser, "POST", "leases", b"{}", mine | {"Content-Type": "application/json"})
    leased_s = time.perf_counter() - began
    lease = json.loads(answer)
    item = lease["item"]["id"]
    time.sleep(think_s)
    headers = {"Content-Type": "image/png", "Icefloe-Lease": lease["token"], "Icefloe-Seconds": f"{think_s}"}
    began = time.perf_counter()
    _asked(browser, "PUT", f"items/{item}/label", png, mine | headers)
    return Labelled(item, mask, leased_s, time.perf_counter() - began)


def _asked(browser: HTTPConnection, method: str, place: str, body: bytes, headers: dict[str, str]) -> bytes:
    """Ask as the pages do: again later where the service is busy; the wait counts."""
    while True:
        browser.request(method, f"/api/v1/queue/{place}", body, headers)
        answer = browser.getresponse()
        content = answer.read()
        if answer.status in (200, 201):
            return content
        if answer.status != 503:
            raise IcefloeError(f"{method} {place}: {answer.status} {content.decode(errors='replace')}")
        browser.close()  # the service does not keep an idle connection that long
        time.sleep(float(answer.getheader("Retry-After", "1")))


def check(queue: Queue, labelled: Iterable[Labelled]) -> None:
    """No image was leased twice, and every mask that was acknowledged is kept as it was sent.

    Parameters
    ----------
    queue
        That was labelled.
    labelled
        All that was acknowledged.

    Raises
    ------
    AssertionError
        If not.
    """
    handed_in = {one.item: one.mask for one in labelled}
    leased = Counter(event.item_id for event in queue.history() if event.what == "leased")
    assert set(leased.values()) == {1}, "an image was leased twice"
    kept = queue.labels()
    assert sorted(label.item_id for label in kept) == sorted(handed_in), "a mask was lost, or is there twice"
    for label in kept:
        assert np.array_equal(decode_png(label.png), handed_in[label.item_id]), "a mask was changed"
    assert queue.refused_labels() == []
