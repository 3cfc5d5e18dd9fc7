"""Fixtures that every test may use, small ensembles of real networks with random weights among them."""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import save_file

from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.manifest import Manifest, Member
from icefloe.files import sha256_file
from icefloe.imaging.preprocess import Preprocessing
from icefloe.models.spec import MemberSpec
from icefloe.models.zoo import build

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def real_data() -> Path:
    """The real micrographs beside the project; tests that need them are skipped where they are absent."""
    folder = Path(os.environ.get("ICEFLOE_REAL_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("the real micrographs are not on this machine (set ICEFLOE_REAL_DATA)")
    return folder


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
def make_ensemble(member_weights: Callable[..., list[Path]]) -> Callable[..., Ensemble]:
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
