"""Small ensembles of real networks with random weights, images to show them, and evaluations to judge."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import save_file
from skimage.draw import disk

from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.manifest import Manifest, Member
from icefloe.evaluation.evaluate import Evaluation
from icefloe.evaluation.scores import Baseline, ImageScores
from icefloe.files import sha256_file
from icefloe.imaging.preprocess import Preprocessing
from icefloe.models.spec import MemberSpec
from icefloe.models.zoo import build
from icefloe.typing import FloatArray, MaskArray

MakeEnsemble = Callable[..., Ensemble]


def untrained_specs(seeds: tuple[int, ...]) -> tuple[MemberSpec, ...]:
    channels = (16, 16, 8, 8, 8)
    return tuple(MemberSpec(encoder="mobilenet_v2", seed=seed, decoder_channels=channels) for seed in seeds)


@pytest.fixture(scope="session")
def member_weights(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[Path]]:
    """Weights files of untrained members, for a number of classes."""

    @cache
    def make(n_classes: int, seeds: tuple[int, ...] = (0, 1)) -> list[Path]:
        folder = tmp_path_factory.mktemp("members")
        paths = []
        for spec in untrained_specs(seeds):
            paths.append(folder / f"{spec.name}.safetensors")
            save_file(build(spec, n_classes).state_dict(), paths[-1])
        return paths

    return make


@pytest.fixture(scope="session")
def make_ensemble(member_weights: Callable[..., list[Path]]) -> MakeEnsemble:
    """An ensemble of untrained members at 64 px; keywords go to its manifest."""

    @cache
    def plain(n_classes: int, seeds: tuple[int, ...]) -> Ensemble:
        paths = member_weights(n_classes, seeds)
        members = tuple(
            Member(spec=spec, sha256=sha256_file(path))
            for spec, path in zip(untrained_specs(seeds), paths, strict=True)
        )
        manifest = Manifest(
            name="EA-T1",
            members=members,
            preprocessing=Preprocessing(size=64),
            classes=("background", "ice", "gas", "grid")[:n_classes],
        )
        return Ensemble(manifest, paths, device="cpu")

    def make(n_classes: int = 2, seeds: tuple[int, ...] = (0, 1), **entries: object) -> Ensemble:
        ensemble = plain(n_classes, seeds)
        return ensemble.with_manifest(ensemble.manifest.model_copy(update=entries))

    return make


@pytest.fixture(scope="session")
def ensemble(make_ensemble: MakeEnsemble) -> Ensemble:
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


@pytest.fixture
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
