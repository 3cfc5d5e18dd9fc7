"""A queue of two small images of dataset Q, for inputs made by hand."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from icefloe.active.exchange.transfer import import_labels
from icefloe.active.items import NewItem, Purpose
from icefloe.active.queue import Queue
from icefloe.active.uploads import decode_png, encode_png
from icefloe.database.open import open_url
from icefloe.database.url import sqlite_url

SHAPE = (64, 80)

Taken = tuple[dict[str, np.ndarray], tuple[str, ...]]


@pytest.fixture
def square() -> np.ndarray:
    """Ice at rows 8 to 30, columns 10 to 40; bool, shape (64, 80)."""
    mask = np.zeros(SHAPE, bool)
    mask[8:31, 10:41] = True
    return mask


@pytest.fixture
def make_queue(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Callable[..., Queue]:
    """A queue of images of 80x64, by default Q/c_1 and Q/c_2, with predicted ice in one corner."""

    def make(
        *keys: str, classes: tuple[str, ...] = ("background", "ice"), premask: np.ndarray | None = None
    ) -> Queue:
        if premask is None:
            premask = np.zeros(SHAPE, np.uint8)
            premask[:5, :5] = 1
        folder = tmp_path_factory.mktemp("queue")
        queue = Queue(open_url(sqlite_url(shutil.copy(empty_database, folder))))
        purpose = Purpose("random", 0.5, 1, "drawn at random")
        names = [key.split("/") for key in keys or ("Q/c_1", "Q/c_2")]
        queue.add(
            NewItem(dataset, stem, "EA-T1", SHAPE, classes, purpose, encode_png(premask))
            for dataset, stem in names
        )
        return queue

    return make


@pytest.fixture
def take(make_queue: Callable[..., Queue]) -> Callable[..., Taken]:
    """Import into a new queue; the labels' masks by sample key, and what the import says."""

    def run(source: Path, format_name: str, queue: Queue | None = None, **options) -> Taken:
        queue = make_queue() if queue is None else queue
        result = import_labels(queue, source, format_name, **{"author": "Ana", **options})
        keys = {item.id: item.key for item in queue.items()}
        return {keys[label.item_id]: decode_png(label.png) for label in queue.labels()}, result.sentences()

    return run
