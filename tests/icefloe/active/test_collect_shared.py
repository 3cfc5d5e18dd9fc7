"""Collecting into a repository: one version, each label once; killed or not, alone or not."""

import multiprocessing
import os
import shutil
import signal
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from icefloe.active import collect as collecting
from icefloe.active.collect import collect_shared
from icefloe.active.labelers import TruthLabeler
from icefloe.active.queue import Queue
from icefloe.database.open import open_url
from icefloe.database.url import sqlite_url
from icefloe.datasets import shared
from icefloe.datasets.dataset import load_datasets
from icefloe.datasets.git import git, git_commit
from icefloe.datasets.label_history import read_history
from icefloe.datasets.shared import cloned, fetch_data
from icefloe.datasets.versions import init_workspace, snapshot
from icefloe.errors import IcefloeError
from tests.e2e.test_killed import forked
from tests.shared_repository import publish, use_remote

PROCESSES = multiprocessing.get_context("fork")


@pytest.fixture
def repository(filled: Queue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """URL of a repository, three images of which are labelled in the queue; its remote is a shared folder."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "none"))
    workspace = tmp_path / "workspace"
    init_workspace(workspace, "")
    url = publish(workspace, str(tmp_path / "store"), tmp_path / "origin" / "study.git")
    TruthLabeler().label_all(filled, load_datasets(workspace / "data"))
    return url


def check_complete(queue: Queue, url: str) -> None:
    origin = Path(url.removeprefix("file://"))
    assert len(git(origin, "log", "--format=%h", "main", "--", "data.dvc").splitlines()) == 2
    with cloned(url) as clone:
        version = fetch_data(clone)
        snapshot(clone, None, None, clone / "copy")
        dataset = load_datasets(clone / "copy")["D3"]
        assert [sample.stem for sample in dataset.labelled] == ["stack_0", "stack_1", "stack_2"]
        for sample in dataset.labelled:
            np.testing.assert_array_equal(sample.mask(), sample.truth())
        assert [record.stem for record in read_history(dataset.path)] == ["stack_0", "stack_1", "stack_2"]
    assert [item.data_version for item in queue.items("imported")] == [version.rev] * 3
    assert [event.what for event in queue.history()].count("imported") == 3


def test_submitted_labels_become_a_pushed_version_and_are_imported_once(filled, repository):
    result = collect_shared(filled, repository)

    assert result.keys == ("D3/stack_0", "D3/stack_1", "D3/stack_2")
    assert result.version.is_new
    check_complete(filled, repository)
    again = collect_shared(filled, repository)
    assert again.keys == ()
    assert again.version.rev == result.version.rev


def killed_at(monkeypatch, module, name, after):
    """Let a child process die, as by SIGKILL, before or after it calls a function of a module."""
    real = getattr(module, name)

    def killed(*arguments, **keywords):
        if after:
            real(*arguments, **keywords)
        os._exit(9)

    monkeypatch.setattr(module, name, killed)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    ("module", "name"),
    [
        (shared, "fetch_data"),
        (collecting, "add_labels"),
        (collecting, "commit"),  # to DVC's remote, then in the clone's git
        (shared, "push_commits"),
        (Queue, "mark_imported"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_collection_killed_at_any_step_is_ended_by_the_next(
    filled, repository, monkeypatch, module, name, after
):
    def run() -> None:
        killed_at(monkeypatch, module, name, after)
        collect_shared(filled, repository)

    process = PROCESSES.Process(target=run)
    process.start()
    process.join(120)
    assert process.exitcode == 9

    collect_shared(filled, repository)

    check_complete(filled, repository)


def test_two_collections_at_once_make_one_version(filled, repository):
    start, told = PROCESSES.Event(), PROCESSES.Queue()

    def run() -> None:
        start.wait()
        told.put(len(collect_shared(filled, repository).keys))

    processes = [PROCESSES.Process(target=run) for _ in range(2)]
    for process in processes:
        process.start()
    start.set()
    assert sorted(told.get(timeout=300) for _ in processes) == [0, 3]
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    check_complete(filled, repository)


def test_what_a_person_pushes_meanwhile_is_kept(filled, repository, tmp_path, monkeypatch):
    workspace, real = tmp_path / "workspace", collecting.add_labels

    def slow(*arguments, **keywords):
        if not (workspace / "notes.txt").exists():
            (workspace / "notes.txt").write_text("mine")
            git_commit(workspace, "notes", "notes.txt")
            git(workspace, "push", "--quiet")
        return real(*arguments, **keywords)

    monkeypatch.setattr(collecting, "add_labels", slow)
    collect_shared(filled, repository)

    check_complete(filled, repository)
    with cloned(repository) as clone:
        assert (clone / "notes.txt").read_text() == "mine"


def test_labels_stay_submitted_where_the_version_cannot_be_pushed(filled, repository, tmp_path):
    hook = tmp_path / "origin" / "study.git" / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'main is protected' >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(IcefloeError, match=r"study\.git: git push failed \(.*main is protected"):
        collect_shared(filled, repository)
    assert len(filled.items("submitted")) == 3

    hook.unlink()
    collect_shared(filled, repository)
    check_complete(filled, repository)


KILLS = int(os.environ.get("ICEFLOE_KILLS", "25"))


@pytest.mark.integration
def test_a_collection_killed_at_any_write_is_ended_by_the_next(filled, repository, tmp_path):
    """At writes spread over all that it makes: to the clone, to the remote, by git, in the database."""
    if filled.database.name.startswith("postgresql"):
        pytest.skip("the database is copied, as a file")
    numbers = count()

    def fresh() -> tuple[Queue, str]:
        """A copy of the queue, the repository and its remote."""
        folder = tmp_path / f"copy{next(numbers)}"
        for name in ("workspace", "origin", "store", "state"):
            shutil.copytree(tmp_path / name, folder / name)
        url = (folder / "origin" / "study.git").as_uri()
        git(folder / "workspace", "remote", "set-url", "origin", url)
        use_remote(folder / "workspace", str(folder / "store"))
        git(folder / "workspace", "push", "--quiet")
        (database,) = (folder / "state").glob("*.db")
        return Queue(open_url(sqlite_url(database))), url

    collect_shared(*fresh())  # which makes the imports
    counted = fresh()
    status, n_writes = forked(lambda: collect_shared(*counted))
    assert status == 0

    for kill_at in np.unique(np.linspace(1, n_writes, KILLS, dtype=int)):
        queue, url = fresh()
        status, _ = forked(lambda: collect_shared(queue, url), kill_at=int(kill_at))  # noqa: B023
        assert status in (0, -signal.SIGKILL)
        collect_shared(queue, url)
        check_complete(queue, url)
