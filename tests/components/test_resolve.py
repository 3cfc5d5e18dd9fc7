"""What is current, by name: the data version's commit, and the version that an alias stands for."""

from types import SimpleNamespace

import numpy as np
import pytest
import tifffile

from benchmarks.service.untrained import register_untrained
from components.get_data.component import get_data
from components.resolve.component import resolve
from icefloe.datasets.dataset import DatasetInfo
from icefloe.datasets.versions import commit, current_version, init_workspace
from icefloe.errors import IcefloeError
from tests.stores import new_store


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    folder = tmp_path / "workspace"
    init_workspace(folder, "presets: {}\n")
    new_store(folder / ".icefloe")
    add_image(folder, "a")
    monkeypatch.setenv("ICEFLOE_WORKSPACE", str(folder))
    return folder


def add_image(workspace, stem):
    images = workspace / "data" / "D7" / "images"
    images.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(images / f"{stem}.tif", np.arange(1024, dtype=np.uint16).reshape(32, 32))
    DatasetInfo(name="D7", experiment="D7").save(images.parent)
    commit(workspace, stem)


def test_the_data_version_and_the_champion_are_named(workspace, make_ensemble):
    register_untrained(workspace, make_ensemble()).promote("EA-T1", force=True, reason="for the test")

    rev = current_version(workspace).rev
    assert tuple(resolve.python_func(version="champion")) == (rev, "EA-T1")
    assert tuple(resolve.python_func()) == (rev, "")


def test_without_a_champion_it_is_said_what_makes_one(workspace):
    with pytest.raises(IcefloeError, match="there is no champion yet"):
        resolve.python_func(version="champion")


def test_the_step_after_it_takes_that_version_whatever_is_committed_meanwhile(workspace, tmp_path):
    bundle = SimpleNamespace(path=str(tmp_path / "bundle"), metadata={})
    resolved = resolve.python_func()
    add_image(workspace, "b")
    get_data.python_func(version=resolved.data, names=["D7"], split={}, data=bundle)

    assert [path.name for path in (tmp_path / "bundle" / "D7" / "images").iterdir()] == ["a.tif"]
