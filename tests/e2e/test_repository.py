"""The repository is a workspace of its own: what it commits must be what it makes."""

import shutil
from pathlib import Path

from icefloe.datasets.versions import init_workspace, track
from icefloe.params import DEFAULT_PARAMS
from icefloe.simulate.workspace import simulate_workspace

REPOSITORY = Path(__file__).resolve().parents[2]


def test_simulated_data_are_the_bytes_that_the_committed_data_dvc_names(tmp_path):
    workspace = tmp_path / "workspace"
    init_workspace(workspace, DEFAULT_PARAMS.read_text(encoding="utf-8"))
    simulate_workspace(workspace / "data", seed=0)
    shutil.copyfile(REPOSITORY / "data.dvc", workspace / "data.dvc")
    md5 = track(workspace)
    assert f"md5: {md5}" in (REPOSITORY / "data.dvc").read_text(encoding="utf-8")


def test_the_repositorys_params_are_the_file_that_a_new_workspace_gets():
    assert (REPOSITORY / "params.yaml").samefile(DEFAULT_PARAMS)  # a copy would drift apart from it
