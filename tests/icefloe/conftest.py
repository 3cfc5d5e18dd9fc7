"""A small ensemble, images to show it, and evaluations to judge."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from skimage.draw import disk

from icefloe.ensemble.ensemble import Ensemble
from icefloe.evaluation.evaluate import Evaluation
from icefloe.evaluation.scores import Baseline, ImageScores
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


@pytest.fixture(scope="session")
def evaluation_of():
    """Build an evaluation: dataset -> (mean Dice, number of images), scattering about the means."""

    def build(dice, seed=0, spread=0.005, uq=0.01, baseline=0.3):
        rng = np.random.default_rng(seed)
        images = [
            ImageScores(
                dataset=dataset,
                stem=f"frame_{index}",
                index=index,
                dice=float(np.clip(mean + spread * rng.normal(), 0, 1)),
                pca=0.98 + 0.001 * rng.normal(),
                ece=0.01 + 0.001 * rng.normal(),
                uq=uq + 0.0001 * rng.normal(),
                iou=0.9,
                brier=0.01,
                mae=0.02,
                uq_boundary=0.1,
                uq_foreground=0.05,
            )
            for dataset, (mean, n_images) in dice.items()
            for index in range(n_images)
        ]
        trivial = {
            "all background": Baseline(pca=0.9, iou=0.0, dice=0.0),
            "Otsu": Baseline(pca=0.9, iou=baseline / (2 - baseline), dice=baseline),
        }
        return Evaluation(
            ensemble="EA",
            classes=("background", "ice"),
            threshold=0.4,
            images=tuple(images),
            datasets={},
            baselines=dict.fromkeys(dice, trivial),
        )

    return build
