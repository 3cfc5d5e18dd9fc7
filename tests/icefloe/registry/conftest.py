"""A real MLflow registry on SQLite, and versions to put in it."""

from itertools import count
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_torch_file

from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.manifest import Manifest, Member
from icefloe.evaluation.compare import compare
from icefloe.evaluation.rule import PromotionRule
from icefloe.files import sha256_file
from icefloe.imaging.preprocess import Preprocessing
from icefloe.models.spec import MemberSpec
from icefloe.models.zoo import build
from icefloe.registry.lineage import DataState, LabelledImage, Lineage, member_hashes
from icefloe.registry.registry import Registry
from tests.stores import new_store

RULE = PromotionRule(n_resamples=1000)
STUDIES = count()


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    """One SQLite store for all tests; each test has its own study."""
    folder = tmp_path_factory.mktemp("mlflow")
    return {"tracking_uri": new_store(folder), "artifact_uri": (folder / "files").as_uri()}


@pytest.fixture
def settings(store):
    return SimpleNamespace(**store, registered_model=f"study-{next(STUDIES)}", experiment="icefloe")


@pytest.fixture
def registry(settings):
    return Registry(settings)


@pytest.fixture(scope="session")
def save_ensemble():
    """Write weights of two members; the registry reads bytes, not networks."""

    def save(folder, seed):
        folder.mkdir()
        rng = np.random.default_rng(seed)
        for member in ("resnet18-unet-s0", "mobilenet_v2-unet-s0"):
            save_file({"w": rng.normal(size=4).astype(np.float32)}, folder / f"{member}.safetensors")
        (folder / "ensemble.yaml").write_text(f"seed: {seed}\n")
        return folder

    return save


@pytest.fixture(scope="session")
def lineage_of():
    """A lineage of a saved ensemble: one image of each dataset, labelled by Ada."""

    def make(ensemble, datasets, parent=None, parent_name=None, **changes):
        content = {
            "data": DataState(rev="rev-" + "-".join(datasets), md5="md5-" + "-".join(datasets)),
            "git_sha": "c0de",
            "parameters": {"epochs": 3},
            "seeds": {"training": 0},
            "packages": {"python": "3.11"},
            "images": tuple(
                LabelledImage(
                    key=f"{d}/train_0",
                    role="train",
                    image_sha256="i",
                    mask_sha256="m",
                    author="ada",
                    labelled_at="2026-01-01",
                    made_from="EA-T9 3f9a2c81d4e0",
                    made_with="label-studio, icefloe 0.1",
                )
                for d in datasets
            ),
            "weights_sha256": member_hashes(ensemble),
            "start_sha256": parent.weights_sha256 if parent else {},
            "parent": parent.as_parent(parent_name) if parent else None,
            "created": "2026-01-01T00:00:00+00:00",
        }
        return Lineage(**content | changes)

    return make


@pytest.fixture
def first(registry, tmp_path, evaluation_of, save_ensemble, lineage_of):
    """EA-T1, registered and champion."""
    evaluation = evaluation_of({"D1": (0.95, 8), "D2": (0.94, 8)})
    ensemble = save_ensemble(tmp_path / "T1", 1)
    lineage = lineage_of(ensemble, ["D1", "D2"])
    registry.register(ensemble, lineage, evaluation, compare(evaluation, None, RULE))
    registry.promote("EA-T1", by="ada")
    return lineage


@pytest.fixture
def retrain(registry, first, tmp_path, evaluation_of, save_ensemble, lineage_of):
    """Register a version trained from EA-T1 and D3, its gate judged against a champion."""

    def build(seed, dice_on_d3=0.92, against="EA-T1", **changes):
        ensemble = save_ensemble(tmp_path / f"retrained-{seed}", seed)
        lineage = lineage_of(ensemble, ["D1", "D2", "D3"], first, "EA-T1").model_copy(update=changes)
        scores = {"D1": (0.95, 8), "D2": (0.94, 8)}
        evaluation = evaluation_of(scores | {"D3": (dice_on_d3, 8)}, seed=seed)
        champion = evaluation_of(scores | {"D3": (0.7, 8)})
        report = compare(evaluation, champion, RULE, new_dataset="D3", champion_version=against)
        return registry.register(ensemble, lineage, evaluation, report)

    return build


@pytest.fixture
def real_ensemble(tmp_path):
    """Two small networks with random weights, saved."""
    specs = [
        MemberSpec(encoder="mobilenet_v2", seed=seed, decoder_channels=(8, 8, 8, 8, 8)) for seed in (0, 1)
    ]
    paths = [tmp_path / f"{spec.name}.safetensors" for spec in specs]
    for spec, path in zip(specs, paths, strict=True):
        save_torch_file(build(spec, 2).state_dict(), path)
    manifest = Manifest(
        name="EA-T1",
        members=[
            Member(spec=spec, sha256=sha256_file(path)) for spec, path in zip(specs, paths, strict=True)
        ],
        preprocessing=Preprocessing(size=64),
        classes=("background", "ice"),
        threshold=0.4,
    )
    ensemble = Ensemble(manifest, paths)
    ensemble.save(tmp_path / "EA-T1")
    return ensemble
