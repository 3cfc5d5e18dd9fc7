"""A small ensemble of real networks, with random weights."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from safetensors.torch import save_file

from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.manifest import Manifest, Member
from icefloe.files import sha256_file
from icefloe.imaging.preprocess import Preprocessing
from icefloe.models.spec import MemberSpec
from icefloe.models.zoo import build

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
