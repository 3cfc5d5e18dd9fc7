"""Rounds of labelling: one choice a round, and a new round after each version, also one that was refused."""

from types import SimpleNamespace

import numpy as np
import pytest
import tifffile

from components.select_images.component import select_images
from icefloe.active.queue import open_queue
from icefloe.datasets.bundle import Bundle
from icefloe.datasets.dataset import DatasetInfo
from icefloe.datasets.splits import SplitConfig
from icefloe.datasets.versions import commit, init_workspace
from icefloe.ensemble.prediction import Prediction
from icefloe.ensemble.predictions import save_predictions
from icefloe.registry.registry import Registry
from icefloe.registry.runs import RunRecord
from icefloe.settings import RUN_VARIABLE, load_settings

SHAPE = (48, 64)


@pytest.fixture
def settings(tmp_path, monkeypatch, rng):
    """A workspace with six images of D7, none labelled."""
    workspace = tmp_path / "workspace"
    init_workspace(workspace, "presets: {}\n")
    images = workspace / "data" / "D7" / "images"
    images.mkdir(parents=True)
    for number in range(6):
        tifffile.imwrite(images / f"s{number}.tif", rng.integers(0, 60_000, SHAPE).astype(np.uint16))
    DatasetInfo(name="D7", experiment="D7").save(images.parent)
    commit(workspace, "D7")
    monkeypatch.setenv("ICEFLOE_WORKSPACE", str(workspace))
    return load_settings(workspace)


@pytest.fixture
def ask(settings, tmp_path, monkeypatch, rng):
    """Run the step when `newest` is the version registered last; the stems that wait for a label."""
    bundle = Bundle.make(settings.workspace, ["D7"], SplitConfig(), tmp_path / "data")
    members = rng.random((2, *SHAPE)).astype(np.float32)
    prediction = Prediction.from_members(members, 0.5, np.ones(2, np.float32))
    save_predictions(((sample, prediction) for sample in bundle.samples), tmp_path / "predictions")
    RunRecord.start(settings, "drift_check", key="run-7")
    monkeypatch.setenv(RUN_VARIABLE, "run-7")

    def step(newest):
        monkeypatch.setattr(Registry, "newest", lambda self: SimpleNamespace(name=newest))
        artifacts = {
            name: SimpleNamespace(path=str(tmp_path / name))
            for name in ("predictions", "data", "reasons", "pictures")
        }
        assert select_images.python_func(**artifacts, sampling={"k": 2}) == 2
        return [item.stem for item in open_queue(settings).items()]

    return step


def test_a_version_that_was_refused_is_followed_by_a_round_of_further_images(ask):
    first = ask("EA-T1")
    assert ask("EA-T1") == first
    further = ask("EA-T2")

    assert len(first) == 2
    assert len(set(further)) == 4
    assert further[:2] == first
