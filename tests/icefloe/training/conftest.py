"""Small things to train on: bright discs in noise, 64 px, and the smallest network of the zoo."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from icefloe.datasets.dataset import Dataset, DatasetInfo
from icefloe.datasets.splits import Split
from icefloe.imaging.augment import Augmentation
from icefloe.imaging.preprocess import Preprocessing
from icefloe.models.spec import MemberSpec
from icefloe.training.config import RetrainingConfig, TrainingConfig
from icefloe.training.data import PreparedImages, TrainingData

SIZE = 64


def discs(n_images: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.mgrid[:SIZE, :SIZE]
    masks = np.empty((n_images, SIZE, SIZE), np.uint8)
    for mask in masks:
        (row, column), radius = rng.uniform(20, 44, 2), rng.uniform(8, 16)
        mask[:] = (rows - row) ** 2 + (columns - column) ** 2 < radius**2
    images = 1.5 * masks + rng.normal(0, 0.3, masks.shape)
    return images.astype(np.float32), masks


@pytest.fixture
def spec() -> MemberSpec:
    return MemberSpec(encoder="mobilenet_v2", decoder_channels=(16, 16, 8, 8, 8))


@pytest.fixture
def config(spec: MemberSpec) -> TrainingConfig:
    return TrainingConfig(
        members=(spec, spec.model_copy(update={"seed": 1})),
        preprocessing=Preprocessing(size=SIZE),
        augmentation=Augmentation(elastic=2.0),
        epochs=3,
        patience=3,
        batch_size=4,
        learning_rate=3e-3,
        precision="fp32",
        retraining=RetrainingConfig(epochs=1, patience=1),
    )


@pytest.fixture
def data(rng: np.random.Generator) -> TrainingData:
    images, masks = discs(12, rng)
    keys = tuple(f"D1/image_{index}" for index in range(12))
    return TrainingData(
        train=PreparedImages(keys[:8], tuple(images[:8]), tuple(masks[:8])),
        validation=PreparedImages(keys[8:], tuple(images[8:]), tuple(masks[8:])),
        classes=("background", "ice"),
        is_new=np.zeros(8, bool),
    )


@pytest.fixture
def make_dataset(tmp_path: Path) -> Callable[..., Dataset]:
    """Write a dataset of discs to disk."""

    def make(name: str = "D1", n_images: int = 12, **info: object) -> Dataset:
        folder = tmp_path / "data" / name
        images, masks = discs(n_images, np.random.default_rng(0))
        for part in ("images", "masks"):
            (folder / part).mkdir(parents=True)
        for index in range(n_images):
            tifffile.imwrite(folder / f"images/image_{index}.tif", images[index])
            Image.fromarray(masks[index]).save(folder / f"masks/image_{index}.png")
        DatasetInfo(name=name, experiment=name, **info).save(folder)
        return Dataset.load(folder)

    return make


@pytest.fixture
def split() -> Split:
    keys = tuple(f"D1/image_{index}" for index in range(12))
    return Split(train=keys[:8], validation=keys[8:], test=())
