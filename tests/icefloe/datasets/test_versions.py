import shutil
import subprocess

import numpy as np
import pytest

from icefloe.datasets.dataset import load_datasets
from icefloe.datasets.label_history import add_labels
from icefloe.datasets.versions import (
    commit,
    current_version,
    diff,
    init_workspace,
    is_clean,
    snapshot,
    track,
)
from icefloe.errors import IcefloeError
from icefloe.settings import load_settings


def run_git(folder, *arguments):
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout


def label(workspace, *stems):
    mask = np.ones((48, 64), np.uint8)
    add_labels(workspace / "data" / "D3", dict.fromkeys(stems, mask), "Ada")


def test_a_new_workspace_is_found_by_its_settings_and_everything_in_it_is_committed(workspace):
    assert load_settings(workspace).data == workspace.resolve() / "data"
    assert run_git(workspace, "status", "--short") == ""
    assert "analytics = False" in (workspace / ".dvc" / "config").read_text()
    assert str(workspace) not in (workspace / ".dvc" / "config").read_text()
    with pytest.raises(IcefloeError, match="this is a workspace already"):
        init_workspace(workspace, "")


def test_a_workspace_in_a_repository_keeps_its_params_and_staged_files(tmp_path):
    run_git(tmp_path, "init", "--quiet")
    (tmp_path / "params.yaml").write_text("mine: 1\n")
    (tmp_path / "draft.py").write_text("")
    run_git(tmp_path, "add", "draft.py")
    init_workspace(tmp_path, "other: 2\n")
    assert (tmp_path / "params.yaml").read_text() == "mine: 1\n"
    assert run_git(tmp_path, "status", "--short").splitlines()[0] == "A  draft.py"


def test_asking_for_a_version_before_there_is_one_is_refused(workspace):
    for question in (current_version, is_clean):
        with pytest.raises(IcefloeError, match=r"no data version yet\. Make one with `icefloe data commit"):
            question(workspace)


def test_a_workspace_without_datasets_has_nothing_to_commit(tmp_path):
    init_workspace(tmp_path / "w", "")
    with pytest.raises(IcefloeError, match="no dataset to make a version of"):
        commit(tmp_path / "w", "nothing")


def test_committing_twice_without_a_change_gives_the_same_version(workspace):
    first = commit(workspace, "first")
    second = commit(workspace, "again")
    assert (first.is_new, second.is_new) == (True, False)
    assert (first.rev, first.md5) == (second.rev, second.md5)
    assert first.rev == run_git(workspace, "rev-parse", "HEAD").strip()
    assert is_clean(workspace)
    assert run_git(workspace, "status", "--short") == ""


def test_code_commits_do_not_change_the_data_version(workspace):
    first = commit(workspace, "first")
    (workspace / "notes.txt").write_text("a")
    run_git(workspace, "add", "notes.txt")
    run_git(workspace, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "notes")
    assert current_version(workspace).rev == first.rev


def test_data_made_again_elsewhere_is_clean_once_tracked(workspace, tmp_path):
    """As in a fresh clone: `data.dvc` comes with git, the data from the simulator, nothing from a cache."""
    version = commit(workspace, "first")
    clone = tmp_path / "clone"
    run_git(tmp_path, "clone", "--quiet", str(workspace), str(clone))
    shutil.copytree(workspace / "data", clone / "data")
    assert track(clone) == version.md5
    assert is_clean(clone)
    assert run_git(clone, "status", "--short") == ""


def test_new_labels_make_a_new_version_and_the_difference_names_them(workspace):
    first = commit(workspace, "first")
    label(workspace, "stack_2", "stack_5")
    assert not is_clean(workspace)
    second = commit(workspace, "two labels")
    assert second.is_new
    assert second.md5 != first.md5
    changes = diff(workspace, first.rev, second.rev)
    assert changes.labels_added == ("D3/stack_2", "D3/stack_5")
    assert changes.images_added == changes.images_changed == changes.labels_changed == ()


def test_a_snapshot_holds_the_named_datasets_of_the_current_version(workspace, tmp_path):
    version = commit(workspace, "first")
    assert snapshot(workspace, ["D1"], None, tmp_path / "copy") == current_version(workspace)
    copied = load_datasets(tmp_path / "copy")
    assert list(copied) == ["D1"]
    assert version.md5 == current_version(workspace).md5
    np.testing.assert_array_equal(
        copied["D1"].samples[0].image(), load_datasets(workspace / "data")["D1"].samples[0].image()
    )


def test_a_snapshot_leaves_uncommitted_changes_behind(workspace, tmp_path):
    commit(workspace, "first")
    label(workspace, "stack_2")
    snapshot(workspace, None, None, tmp_path / "copy")
    copied = load_datasets(tmp_path / "copy")
    assert list(copied) == ["D1", "D3"]
    assert not copied["D3"].labelled


def test_an_older_version_is_copied_from_the_cache(workspace, tmp_path):
    first = commit(workspace, "first")
    label(workspace, "stack_2")
    commit(workspace, "second")
    assert snapshot(workspace, ["D3"], first.rev, tmp_path / "old").md5 == first.md5
    assert not load_datasets(tmp_path / "old")["D3"].labelled
    snapshot(workspace, ["D3"], None, tmp_path / "new")
    assert len(load_datasets(tmp_path / "new")["D3"].labelled) == 1


def test_a_lost_cache_is_made_good_from_the_remote(workspace, tmp_path):
    first = commit(workspace, "first")
    label(workspace, "stack_2")
    commit(workspace, "second")
    shutil.rmtree(workspace / ".dvc" / "cache")
    snapshot(workspace, ["D1"], first.rev, tmp_path / "old")
    assert len(load_datasets(tmp_path / "old")["D1"].samples) == 5


@pytest.mark.parametrize(
    ("names", "rev", "message"),
    [
        (["D9"], None, r"no dataset 'D9' in this data version\. There are: D1, D3\."),
        (None, "v9", "no data version at"),
    ],
)
def test_a_snapshot_of_what_is_not_there_is_refused_and_writes_nothing(
    workspace, tmp_path, names, rev, message
):
    commit(workspace, "first")
    with pytest.raises(IcefloeError, match=message):
        snapshot(workspace, names, rev, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_destination_in_use_is_refused(workspace, tmp_path):
    commit(workspace, "first")
    with pytest.raises(IcefloeError, match="in use already"):
        snapshot(workspace, None, None, workspace)
