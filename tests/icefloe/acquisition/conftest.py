"""A real small ensemble."""

from pathlib import Path

import pytest
from safetensors.torch import save_file

from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.manifest import Manifest, Member
from icefloe.files import sha256_file
from icefloe.imaging.preprocess import Preprocessing
from icefloe.models.spec import MemberSpec
from icefloe.models.zoo import build

SPECS = tuple(
    MemberSpec(encoder="mobilenet_v2", seed=seed, decoder_channels=(16, 16, 8, 8, 8)) for seed in (0, 1)
)


@pytest.fixture(scope="session")
def ensemble(tmp_path_factory: pytest.TempPathFactory) -> Ensemble:
    folder: Path = tmp_path_factory.mktemp("ensemble")
    paths = [folder / f"{spec.name}.safetensors" for spec in SPECS]
    for spec, path in zip(SPECS, paths, strict=True):
        save_file(build(spec, 2).state_dict(), path)
    members = tuple(Member(spec=s, sha256=sha256_file(p)) for s, p in zip(SPECS, paths, strict=True))
    manifest = Manifest(
        name="EA-T1",
        members=members,
        preprocessing=Preprocessing(size=64, region=False),
        classes=("background", "ice"),
    )
    return Ensemble(manifest, paths, device="cpu")
