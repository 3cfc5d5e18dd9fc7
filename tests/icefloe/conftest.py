"""A small ensemble, and images to show it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from skimage.draw import disk

from icefloe.ensemble.ensemble import Ensemble
from icefloe.typing import FloatArray, MaskArray


@pytest.fixture(scope="session")
def ensemble(make_ensemble: Callable[..., Ensemble]) -> Ensemble:
    return make_ensemble()


@dataclass(frozen=True, eq=False)
class ArraySample:
    """A sample whose image and mask are in memory."""

    dataset: str
    stem: str
    index: int
    pixels: FloatArray
    label: MaskArray
    experiment: str = "melting"
    steps_done: tuple[str, ...] = ()
    pixel_size_nm: float | None = None

    @property
    def key(self) -> str:
        return f"{self.dataset}/{self.stem}"

    def image(self) -> FloatArray:
        return self.pixels

    def mask(self) -> MaskArray:
        return self.label

    def reference(self) -> MaskArray:
        return self.label


def disk_samples(
    rng: np.random.Generator, dataset: str = "D1", n: int = 4, shape: tuple[int, int] = (80, 60)
) -> list[ArraySample]:
    """Dark noisy disks on a bright ground; the disks are class 1."""
    samples = []
    for index in range(n):
        label = np.zeros(shape, np.uint8)
        label[disk(rng.uniform(0.4, 0.6, 2) * shape, 8 + 3 * index)] = 1
        pixels = (200 - 80 * label + rng.normal(0, 20, shape)).astype(np.float32)
        samples.append(ArraySample(dataset, f"stack_{index}", index, pixels, label))
    return samples


@pytest.fixture
def samples(rng) -> list[ArraySample]:
    return disk_samples(rng)
