"""A scratch without room: it is named, nothing is left in it, and with room the same call succeeds."""

import tempfile

import numpy as np
import pytest
import tifffile

from icefloe.datasets.bundle import Bundle
from icefloe.datasets.dataset import DatasetInfo
from icefloe.datasets.labels import write_mask
from icefloe.datasets.splits import SplitConfig
from icefloe.datasets.versions import init_workspace
from icefloe.errors import IcefloeError, explain_system_error
from icefloe.settings import load_settings
from icefloe.workflow.data import get_data
from tests.shared_repository import publish
from tests.small_disk import small_disk

pytestmark = pytest.mark.integration

SHAPE = (256, 256)
N_IMAGES = 8
"""1 MB of noise, which nothing makes smaller."""


@pytest.fixture
def study(tmp_path, monkeypatch, rng):
    """Settings of a step that has the repository and the DVC remote only."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "none"))
    workspace = tmp_path / "workspace"
    init_workspace(workspace, "presets: {}\n")
    dataset = workspace / "data" / "D7"
    (dataset / "images").mkdir(parents=True)
    for number in range(N_IMAGES):
        image = rng.integers(0, 60_000, SHAPE).astype(np.uint16)
        tifffile.imwrite(dataset / "images" / f"s{number}.tif", image)
        write_mask(dataset / "masks" / f"s{number}.png", (image > 30_000).astype(np.uint8))
    DatasetInfo(name="D7", experiment="D7").save(dataset)
    url = publish(workspace, str(tmp_path / "remote"), tmp_path / "origin" / "study.git")
    return load_settings(workspace).model_copy(update={"data_repo": url})


# In a clone it is full in git, in DVC's cache, or in the copy that the step hands on.
@pytest.mark.parametrize(
    ("profile", "kilobytes"),
    [("local", 40), ("local", 700), *(("cluster", size) for size in (40, 300, 700, 1500, 2300))],
)
def test_get_data_names_the_full_scratch_and_leaves_nothing_there(
    study, tmp_path, monkeypatch, profile, kilobytes
):
    study = study.model_copy(update={"profile": profile})
    with small_disk(tmp_path / "scratch", kilobytes) as disk:
        monkeypatch.setattr(tempfile, "tempdir", str(disk.path))
        output = disk.path / "bundle"

        with pytest.raises((OSError, IcefloeError)) as error:
            get_data(study, ["D7"], SplitConfig(), output)

        said = explain_system_error(error.value) or str(error.value)
        assert said.startswith(str(disk.path))
        assert said.endswith(": No space left on device. Make room there, then run the command again.")
        assert "\n" not in said
        assert list(disk.path.iterdir()) == []

        disk.resize(20_000)
        bundle = get_data(study, ["D7"], SplitConfig(), output)
        assert len(bundle.only.labelled) == N_IMAGES
        assert Bundle.load(output).version == bundle.version
