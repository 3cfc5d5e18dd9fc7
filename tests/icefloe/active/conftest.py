"""A small dataset of ice in water, predictions of it, and a queue over both."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile

from icefloe.active.items import NewItem, Purpose
from icefloe.active.queue import Queue
from icefloe.active.uploads import encode_png
from icefloe.database.engine import Database
from icefloe.datasets.dataset import Dataset, DatasetInfo
from icefloe.datasets.labels import write_mask
from icefloe.ensemble.prediction import SCORES
from icefloe.ensemble.predictions import PredictionSet
from icefloe.ensemble.rows import ImageRow
from tests.clock import Clock

SHAPE = (96, 128)


def ice(radius: float, hole: float = 0.0, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    y, x = np.mgrid[: shape[0], : shape[1]]
    distance = np.hypot(y - shape[0] / 2, (x - shape[1] / 2) / 1.2)
    return ((distance < radius) & (distance >= hole)).astype(np.uint8)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(database: Database, clock: Clock) -> Queue:
    return Queue(database, clock)


@pytest.fixture
def write_dataset(tmp_path: Path) -> Callable[..., Dataset]:
    def write(name: str = "D3", count: int = 4, **info) -> Dataset:
        folder = tmp_path / "workspace" / "data" / name
        (folder / "images").mkdir(parents=True)
        noise = np.random.default_rng(3)
        for number in range(count):
            truth = ice(20 + number)
            image = 1000 + 200.0 * truth + noise.normal(0, 20, SHAPE)
            tifffile.imwrite(folder / "images" / f"stack_{number}.tif", image.astype(np.uint16))
            write_mask(folder / "truth" / f"stack_{number}.png", truth)
        DatasetInfo(name=name, experiment=name, **info).save(folder)
        return Dataset.load(folder)

    return write


@pytest.fixture
def make_predictions(tmp_path: Path) -> Callable[..., PredictionSet]:
    def make(names_counts: dict[str, int], features: np.ndarray | None = None, **columns) -> PredictionSet:
        rng = np.random.default_rng(7)
        images = [(name, index) for name, count in names_counts.items() for index in range(count)]
        table = np.column_stack(
            [np.asarray(columns.get(column, rng.random(len(images)))) for column in SCORES]
        )
        rows = [
            ImageRow(name, f"stack_{index}", index, dict(zip(SCORES, map(float, values), strict=True)))
            for (name, index), values in zip(images, table, strict=True)
        ]
        if features is None:
            features = rng.normal(size=(len(rows), 5))
        return PredictionSet(tmp_path, tuple(rows), features.astype(np.float32))

    return make


@pytest.fixture
def filled(database: Database, write_dataset) -> Queue:
    """Three items of D3 with pre-segmentations, one of them with a hole."""
    write_dataset()
    queue = Queue(database)
    masks = [ice(20), ice(25, hole=8), ice(30)]
    queue.add(
        NewItem(
            dataset="D3",
            stem=f"stack_{number}",
            round="EA-T1",
            shape=SHAPE,
            classes=("background", "ice"),
            purpose=Purpose("mean-uq", 0.03, number + 1, "mean uncertainty 0.03, rank 1 of 4 images"),
            presegmentation=encode_png(mask),
        )
        for number, mask in enumerate(masks)
    )
    return queue
