"""Whose repository a commit goes to, and what is said where git refuses."""

import os
import signal
import subprocess
import sys

import pytest

from icefloe.datasets import git as git_module
from icefloe.datasets.git import REVISION_VARIABLE, RUNNING_FILE, code_revision, git
from icefloe.datasets.versions import commit, current_version, is_clean
from icefloe.errors import IcefloeError


def run_git(folder, *arguments):
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def other(tmp_path):
    """Another repository of the same user, with a commit."""
    folder = tmp_path / "other"
    folder.mkdir()
    run_git(folder, "init", "--quiet")
    identity = ("-c", "user.name=a", "-c", "user.email=a@b")
    run_git(folder, *identity, "commit", "--quiet", "--allow-empty", "-m", "mine")
    return folder


@pytest.mark.parametrize(
    "variables",
    [
        {"GIT_DIR": ".git"},
        {"GIT_DIR": ".git", "GIT_WORK_TREE": "."},
        {"GIT_WORK_TREE": "."},
        {"GIT_INDEX_FILE": ".git/index"},
        {"GIT_DIR": ".git", "GIT_INDEX_FILE": ".git/index", "GIT_PREFIX": ""},
        {"GIT_OBJECT_DIRECTORY": ".git/objects"},
        {"GIT_COMMON_DIR": ".git"},
        {"GIT_NAMESPACE": "theirs"},
        {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.worktree", "GIT_CONFIG_VALUE_0": "."},
        {"GIT_CONFIG_PARAMETERS": "'core.worktree'='.'"},
        {"GIT_LITERAL_PATHSPECS": "1", "GIT_TRACE": "1"},
        {"DVC_ROOT": ".", "DVC_STAGE": "theirs", "DVC_EXP_NAME": "theirs"},
    ],
    ids=lambda variables: "+".join(variables),
)
def test_the_environment_never_leads_a_commit_elsewhere(workspace, other, monkeypatch, variables):
    before = run_git(other, "log", "--format=%H"), run_git(other, "status", "--short")
    for name, value in variables.items():
        is_path = value.startswith(".")
        monkeypatch.setenv(
            name, str((other / value).resolve()) if is_path else value.replace("'.'", f"'{other}'")
        )
    version = commit(workspace, "mine")
    assert current_version(workspace).rev == version.rev
    assert is_clean(workspace)
    assert {name: os.environ[name] for name in variables}.keys() == variables.keys()
    for name in variables:
        monkeypatch.delenv(name)
    assert run_git(workspace, "log", "-1", "--format=%s") == "mine\n"
    assert (run_git(other, "log", "--format=%H"), run_git(other, "status", "--short")) == before


@pytest.mark.parametrize("question", [current_version, is_clean])
def test_gits_own_reason_is_shown(workspace, monkeypatch, question):
    commit(workspace, "first")
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")  # git's own way to try it
    monkeypatch.setattr(git_module, "_THEIRS", (*git_module._THEIRS, "GIT_TEST_"))
    with pytest.raises(IcefloeError, match=r"detected dubious ownership in repository.*safe\.directory"):
        question(workspace)
    with pytest.raises(IcefloeError, match=r"detected dubious ownership in repository.*safe\.directory"):
        commit(workspace, "second")


@pytest.mark.parametrize("question", [current_version, is_clean])
def test_before_the_first_version_gits_reason_goes_before_there_being_none(workspace, monkeypatch, question):
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setattr(git_module, "_THEIRS", (*git_module._THEIRS, "GIT_TEST_"))
    with pytest.raises(IcefloeError, match=r"detected dubious ownership in repository.*safe\.directory"):
        question(workspace)


def test_a_repository_that_is_gone_is_told_as_git_does(workspace, tmp_path):
    commit(workspace, "first")
    (workspace / ".git").rename(tmp_path / "moved.git")
    with pytest.raises(IcefloeError, match="not a git repository"):
        current_version(workspace)


def test_the_lock_of_somebody_elses_git_is_told_and_left(workspace):
    lock = workspace / ".git" / "index.lock"
    lock.touch()
    with pytest.raises(IcefloeError, match=r"git add failed .*index\.lock': File exists"):
        commit(workspace, "first")
    assert lock.exists()


def test_the_lock_of_our_own_killed_git_is_removed(workspace):
    script = (
        "import os, signal, subprocess\n"
        "from pathlib import Path\n"
        "from icefloe.datasets import git\n"
        f"folder = Path({str(workspace)!r})\n"
        "def killed(*arguments, **options):\n"
        "    (folder / '.git' / 'index.lock').touch()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "git._run = killed\n"
        "git.git_commit(folder, 'x', 'params.yaml')\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert (workspace / RUNNING_FILE).read_text()
    assert commit(workspace, "first").is_new
    assert not list((workspace / ".git").glob("*.lock"))


def test_without_an_identity_git_commits_in_icefloes_name(workspace):
    commit(workspace, "first")
    assert run_git(workspace, "log", "-1", "--format=%an <%ae>") == "icefloe <icefloe@localhost>\n"


def test_half_an_identity_is_completed(workspace):
    git(workspace, "config", "user.email", "ada@example.org")
    commit(workspace, "first")
    assert run_git(workspace, "log", "-1", "--format=%an <%ae>") == "icefloe <ada@example.org>\n"


def test_a_hook_that_refuses_is_quoted(workspace):
    hook = workspace / ".git" / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\necho 'no commits on Fridays' >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(IcefloeError, match=r"git commit failed \(no commits on Fridays\)"):
        commit(workspace, "first")


def test_a_detached_head_takes_a_version(workspace):
    commit(workspace, "first")
    run_git(workspace, "checkout", "--quiet", "--detach")
    (workspace / "data" / "D1" / "images" / "stack_1.tif").unlink()
    second = commit(workspace, "second")
    assert current_version(workspace).rev == second.rev


def test_the_codes_commit_is_its_repositorys_or_its_images_but_none_of_a_repository_around_it(
    other, tmp_path, monkeypatch
):
    monkeypatch.delenv(REVISION_VARIABLE, raising=False)
    module = other / "module.py"
    module.touch()
    assert code_revision(module) == ""  # as in an environment that git ignores
    (tmp_path / "image").mkdir()
    monkeypatch.setenv(REVISION_VARIABLE, "c0de")
    assert [code_revision(place) for place in (module, tmp_path / "image" / "module.py")] == ["c0de", "c0de"]
    run_git(other, "add", "module.py")
    assert code_revision(module) == run_git(other, "rev-parse", "HEAD").strip()
