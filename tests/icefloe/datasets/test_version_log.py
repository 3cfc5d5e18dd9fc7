"""The log of data versions: as git has them, newest first."""

import subprocess

import pytest

from icefloe.datasets.version_log import POINTER, version_log


def commit(folder, content, message):
    (folder / POINTER).write_text(content)
    subprocess.run(["git", "add", POINTER], cwd=folder, check=True)
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    subprocess.run(["git", *identity, "commit", "-q", "-m", message], cwd=folder, check=True)


@pytest.fixture
def repository(tmp_path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    return tmp_path


def test_a_workspace_without_a_data_version_lists_none(repository):
    assert version_log(repository) == []


def test_versions_are_listed_newest_first_with_author_and_message(repository):
    commit(repository, "one", "Simulated D1")
    (repository / "other").write_text("no data")
    commit(repository, "two", "3 labels: D1/a")

    newest, oldest = version_log(repository)

    assert (newest.message, newest.author, oldest.message) == ("3 labels: D1/a", "Ada", "Simulated D1")
    assert len(newest.rev) == 40
    assert newest.time >= oldest.time > 0
    assert version_log(repository, limit=1) == [newest]


def test_a_workspace_below_the_repositorys_top_has_its_own_log(repository):
    commit(repository, "one", "not the workspace's")
    workspace = repository / "study"
    workspace.mkdir()
    commit(workspace, "two", "the workspace's")

    assert [version.message for version in version_log(workspace)] == ["the workspace's"]
