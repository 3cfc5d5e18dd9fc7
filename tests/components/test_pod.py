"""Steps as in a pod of a cluster: no workspace, only the repository, the store, the database and MLflow's."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile

from components.collect_labels.component import collect_labels
from components.get_data.component import get_data
from components.label_from_truth.component import label_from_truth
from components.resolve.component import resolve
from components.select_images.component import select_images
from components.start_run.component import start_run
from icefloe.datasets.bundle import Bundle
from icefloe.datasets.dataset import DatasetInfo
from icefloe.datasets.labels import write_mask
from icefloe.datasets.versions import init_workspace
from icefloe.ensemble.prediction import Prediction
from icefloe.ensemble.predictions import save_predictions
from icefloe.registry.registry import Registry
from icefloe.settings import load_settings
from tests.shared_repository import publish
from tests.stores import new_store

SHAPE = (48, 64)


@pytest.fixture
def pod(tmp_path, bucket, monkeypatch, rng):
    """A study of six images whose labels are held back, of which this machine has nothing left."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "none"))
    workspace = tmp_path / "workspace"
    init_workspace(workspace, "presets: {}\n")
    dataset = workspace / "data" / "D7"
    (dataset / "images").mkdir(parents=True)
    for number in range(6):
        image = rng.integers(0, 60_000, SHAPE).astype(np.uint16)
        tifffile.imwrite(dataset / "images" / f"s{number}.tif", image)
        write_mask(dataset / "truth" / f"s{number}.png", (image > 30_000).astype(np.uint8))
    DatasetInfo(name="D7", experiment="D7").save(dataset)
    url = publish(workspace, f"s3://{bucket.name}/dvc", tmp_path / "origin" / "study.git")
    shutil.rmtree(workspace)

    (tmp_path / "pod").mkdir()
    monkeypatch.chdir(tmp_path / "pod")
    monkeypatch.delenv("ICEFLOE_WORKSPACE", raising=False)
    for name, value in {
        "PROFILE": "cluster",
        "DATA_REPO": url,
        "TRACKING_URI": new_store(tmp_path / "mlflow"),
        "ARTIFACT_URI": (tmp_path / "mlflow" / "files").as_uri(),
        "CHECKPOINTS": f"s3://{bucket.name}/checkpoints",
        "PIPELINE_RUN": "8f14e45f",
        "DATABASE_URL": f"sqlite:///{tmp_path}/queue.db",
    }.items():
        monkeypatch.setenv(f"ICEFLOE_{name}", value)
    return tmp_path


def artifact(path: Path) -> SimpleNamespace:
    return SimpleNamespace(path=str(path), metadata={})


def data_of(folder: Path, names: list[str], version: str = "") -> tuple[str, Bundle]:
    found = version or resolve.python_func().data
    md5 = get_data.python_func(version=found, names=names, split={}, data=artifact(folder))
    return md5, Bundle.load(folder)


def test_images_are_chosen_labelled_and_collected_without_a_workspace(pod, monkeypatch, rng):
    start_run.python_func(name="loop", about="D7")
    before, bundle = data_of(pod / "before", ["D7"])
    prediction = Prediction.from_members(
        rng.random((2, *SHAPE)).astype(np.float32), 0.5, np.ones(2, np.float32)
    )
    save_predictions(((sample, prediction) for sample in bundle.samples), pod / "predictions")
    monkeypatch.setattr(Registry, "newest", lambda self: SimpleNamespace(name="EA-T1"))

    chosen = select_images.python_func(
        predictions=artifact(pod / "predictions"),
        data=artifact(pod / "before"),
        sampling={"k": 2},
        reasons=artifact(pod / "reasons.md"),
        pictures=artifact(pod / "pictures.html"),
    )
    minutes = label_from_truth.python_func(dataset="D7")
    collected = collect_labels.python_func(dataset="D7")
    after, labelled = data_of(pod / "after", [])

    assert (chosen, minutes) == (2, 6.0)
    assert before != collected
    # A later step of the same run takes what the run began with, which is no more the last.
    assert data_of(pod / "again", ["D7"], bundle.version.rev)[0] == before
    assert collected == after
    assert len(labelled.only.labelled) == 2
    for sample in labelled.only.labelled:
        np.testing.assert_array_equal(sample.mask(), sample.truth())
    assert labelled.version.rev != bundle.version.rev
    assert list((pod / "pod").iterdir()) == []
    assert json.loads((pod / "after" / "bundle.json").read_text())["version"]["md5"] == after
    assert load_settings().folder is None
