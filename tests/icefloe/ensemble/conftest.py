"""Small ensembles of real networks, with random weights, and images to show them."""

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
from icefloe.files import sha256_file
from icefloe.imaging.preprocess import Preprocessing
from icefloe.models.spec import MemberSpec
from icefloe.models.zoo import build
from icefloe.typing import FloatArray, MaskArray

SPECS = tuple(
    MemberSpec(encoder="mobilenet_v2", seed=seed, decoder_channels=(16, 16, 8, 8, 8)) for seed in (0, 1)
)


@dataclass(frozen=True, eq=False)
class ArraySample:
    """A sample whose image and mask are in memory."""

    dataset: str
    stem: str
    index: int
    pixels: FloatArray
    label: MaskArray

    @property
    def key(self) -> str:
        return f"{self.dataset}/{self.stem}"

    def image(self) -> FloatArray:
        return self.pixels

    def mask(self) -> MaskArray:
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


MakeEnsemble = Callable[..., Ensemble]


@pytest.fixture(scope="session")
def member_weights(tmp_path_factory) -> Callable[[int], list[Path]]:
    """Weights files of `SPECS` for a number of classes."""

    @cache
    def make(n_classes: int) -> list[Path]:
        folder = tmp_path_factory.mktemp("members")
        paths = []
        for spec in SPECS:
            paths.append(folder / f"{spec.name}.safetensors")
            save_file(build(spec, n_classes).state_dict(), paths[-1])
        return paths

    return make


@pytest.fixture(scope="session")
def make_ensemble(member_weights) -> MakeEnsemble:
    """An ensemble of `SPECS` at 64 px; keywords go to its manifest."""

    @cache
    def plain(n_classes: int) -> Ensemble:
        paths = member_weights(n_classes)
        members = tuple(
            Member(spec=spec, sha256=sha256_file(path)) for spec, path in zip(SPECS, paths, strict=True)
        )
        manifest = Manifest(
            name="EA-T1",
            members=members,
            preprocessing=Preprocessing(size=64),
            classes=("background", "ice", "gas", "grid")[:n_classes],
        )
        return Ensemble(manifest, paths, device="cpu")

    def make(n_classes: int = 2, **entries) -> Ensemble:
        ensemble = plain(n_classes)
        return ensemble.with_manifest(ensemble.manifest.model_copy(update=entries))

    return make


@pytest.fixture(scope="session")
def ensemble(make_ensemble) -> Ensemble:
    return make_ensemble()


@pytest.fixture
def samples(rng) -> list[ArraySample]:
    return disk_samples(rng)
