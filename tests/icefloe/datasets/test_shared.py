"""A workspace in a repository: read by a clone, added to by a push, with S3 behind DVC."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from icefloe.datasets import shared
from icefloe.datasets.dataset import load_datasets
from icefloe.datasets.git import git, git_commit
from icefloe.datasets.label_history import add_labels
from icefloe.datasets.shared import change_shared, cloned, fetch_data
from icefloe.datasets.versions import DATA, commit, current_version, init_workspace, is_clean, snapshot
from icefloe.errors import BusyError, IcefloeError
from tests.s3_faults import faulty_store
from tests.shared_repository import publish, served, use_remote

MASK = np.ones((48, 64), np.uint8)


@pytest.fixture
def remote(bucket):
    return f"s3://{bucket.name}/dvc"


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """Folder of the study that the first test makes and others copy; its data stay in that test's bucket."""
    return tmp_path_factory.mktemp("template")


@pytest.fixture
def study(request, template, bucket, tmp_path, monkeypatch):
    """A workspace with a data version, pushed to a bare repository."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "none"))
    folder, origin = tmp_path / "study", tmp_path / "origin"
    if not (template / "study").exists():
        publish(request.getfixturevalue("workspace"), f"s3://{bucket.name}/dvc", origin / "study.git")
        shutil.copytree(folder, template / "study")
        shutil.copytree(origin, template / "origin")
    else:
        shutil.copytree(template / "study", folder)
        shutil.copytree(template / "origin", origin)
        git(folder, "remote", "set-url", "origin", (origin / "study.git").as_uri())
    return folder


@pytest.fixture
def url(study):
    """URL of its repository."""
    return git(study, "remote", "get-url", "origin")


def label(workspace, author="Ada", *, stem="stack_2"):
    add_labels(workspace / DATA / "D3", {stem: MASK}, author)
    return commit(workspace, f"label by {author}")


def commit_notes(workspace, count):
    for number in range(count):
        (workspace / "notes.txt").write_text(str(number))
        git_commit(workspace, f"notes {number}", "notes.txt")


def read(url, names=None, to=None):
    """Clone, fetch, and copy the datasets to a folder, if one is given; the version."""
    with cloned(url) as clone:
        version = fetch_data(clone, names)
        if to is not None:
            snapshot(clone, names, None, to)
        return version


def files_of(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_named_datasets_of_a_clone_are_those_of_the_workspace_and_no_others_are_fetched(url, study, tmp_path):
    with cloned(url) as clone:
        version = fetch_data(clone, ["D3"])
        snapshot(clone, ["D3"], None, tmp_path / "copy")
        fetched = sum(path.is_file() for path in (clone / ".dvc" / "cache" / "files").rglob("*"))
        assert not (clone / DATA).exists()

    assert version.rev == current_version(study).rev
    assert files_of(tmp_path / "copy") == [f"D3/{name}" for name in files_of(study / DATA / "D3")]
    assert fetched == len(files_of(study / DATA / "D3")) + 1  # and the list of files
    assert not clone.exists()


@pytest.mark.parametrize("later", [0, 3, 40])
def test_a_version_keeps_its_commit_however_many_came_after_it(url, study, later):
    version = current_version(study)
    commit_notes(study, later)
    git(study, "push", "--quiet")

    with cloned(url) as clone:
        assert current_version(clone).rev == version.rev


def test_where_the_last_commit_brought_the_data_a_clone_has_few_others(url, study):
    commit_notes(study, 40)
    label(study)
    git(study, "push", "--quiet")

    with cloned(url) as clone:
        assert int(git(clone, "rev-list", "--count", "HEAD")) < 20


def test_a_dataset_that_is_not_in_the_version_is_refused_with_the_repositorys_name(url, tmp_path):
    with pytest.raises(
        IcefloeError, match=r"no dataset 'D9' in this data version\. There are: D1, D3\."
    ) as error:
        read(url, ["D9"], tmp_path / "copy")
    assert str(error.value).startswith(f"{url}: ")


def test_a_repository_that_is_not_there_is_told_without_its_password(tmp_path):
    with pytest.raises(
        IcefloeError, match=r"^file:///nowhere/x: git clone failed \(.*does not (exist|appear)"
    ):
        read("file:///nowhere/x")
    with pytest.raises(IcefloeError, match=r"^http://127\.0\.0\.1:9/x: git clone failed") as error:
        read("http://ana:s3cret@127.0.0.1:9/x")
    assert "s3cret" not in str(error.value)


def test_a_repository_without_a_workspace_is_refused(tmp_path):
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch", "main", "empty.git")
    url = (tmp_path / "empty.git").as_uri()
    with pytest.raises(IcefloeError, match=r"the repository is empty\. Push a workspace to it"):
        read(url)

    other = tmp_path / "other"
    git(tmp_path, "clone", "--quiet", url, str(other))
    (other / "README").touch()
    git_commit(other, "mine", "README")
    git(other, "push", "--quiet", "origin", "HEAD")
    with pytest.raises(
        IcefloeError, match=r"empty\.git: it has no icefloe\.toml at the top\. Push a workspace"
    ):
        read(url)


def test_a_remote_that_only_the_workspaces_machine_sees_is_refused_with_the_command(workspace, tmp_path):
    commit(workspace, "data")
    git(tmp_path, "clone", "--quiet", "--bare", str(workspace), "study.git")
    with pytest.raises(IcefloeError, match=r"its DVC remote is not one that other machines reach\. Name one"):
        read((tmp_path / "study.git").as_uri())


def test_nothing_is_written_outside_the_scratch(url, tmp_path, monkeypatch):
    """As in a pod, where all else is read-only; DVC's own place is /var/tmp."""
    script = (
        "import os, sys\n"
        "wrote = []\n"
        "def audit(name, arguments):\n"
        "    if name == 'open' and isinstance(arguments[0], str) and arguments[2] & 3:\n"
        "        wrote.append(arguments[0])\n"
        "    if name == 'os.mkdir':\n"
        "        wrote.append(str(arguments[0]))\n"
        "sys.addaudithook(audit)\n"
        "from pathlib import Path\n"
        "from icefloe.datasets.shared import cloned, fetch_data\n"
        f"with cloned({url!r}) as clone:\n"
        "    fetch_data(clone, ['D1'])\n"
        "print('\\n'.join(wrote))\n"
    )
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    environment = {name: value for name, value in os.environ.items() if name != "DVC_SITE_CACHE_DIR"}
    environment |= {"TMPDIR": str(scratch), "HOME": str(tmp_path / "home"), "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    wrote = {Path(path) for path in ran.stdout.splitlines() if path.startswith("/")}
    assert any(path.is_relative_to(scratch) for path in wrote)
    # Devices are no files; the scratch itself may be in memory, below /dev/shm.
    assert [path for path in wrote if not path.is_relative_to(scratch) and path.parent != Path("/dev")] == []


def test_dvc_keeps_what_it_remembers_where_it_is_told(workspace, tmp_path, monkeypatch):
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    commit(workspace, "data")
    assert is_clean(workspace)
    assert any((tmp_path / "site").iterdir())


def test_a_change_is_pushed_the_data_first(url, study, tmp_path):
    version = change_shared(url, label)

    git(study, "pull", "--quiet")
    assert version.is_new
    assert current_version(study).rev == version.rev
    read(url, to=tmp_path / "copy")
    assert [sample.stem for sample in load_datasets(tmp_path / "copy")["D3"].labelled] == ["stack_2"]


def test_where_nothing_changes_nothing_is_pushed(url, study):
    before = git(study, "ls-remote", "origin")
    version = change_shared(url, lambda clone: commit(clone, "nothing"))
    assert not version.is_new
    assert version.rev == current_version(study).rev
    assert git(study, "ls-remote", "origin") == before


def test_a_lost_race_is_made_good_on_what_the_other_pushed(url, study):
    """Another label and a file, pushed between this one's clone and its push."""
    tries = []

    def change(clone):
        if not tries:
            label(study, "Bob", stem="stack_4")
            commit_notes(study, 2)
            git(study, "push", "--quiet")
        tries.append(clone)
        return label(clone)

    version = change_shared(url, change)

    assert len(tries) == 2
    git(study, "pull", "--quiet")
    assert current_version(study).rev == version.rev
    with cloned(url) as clone:
        fetch_data(clone)
        snapshot(clone, None, None, clone / "copy")
        labelled = load_datasets(clone / "copy")["D3"].labelled
        assert [sample.stem for sample in labelled] == ["stack_2", "stack_4"]
        assert (clone / "notes.txt").read_text() == "1"


def test_others_who_push_all_the_time_are_told(url, study, monkeypatch):
    monkeypatch.setattr(shared, "PUSH_TRIES", 2)
    numbers = iter(range(100))

    def change(clone):
        (study / "notes.txt").write_text(str(next(numbers)))
        git_commit(study, "notes", "notes.txt")
        git(study, "push", "--quiet")
        return label(clone)

    with pytest.raises(BusyError, match=r"study\.git: others push there all the time\. Try again later"):
        change_shared(url, change)


def test_a_push_that_is_refused_is_told_as_git_does(url, study, tmp_path):
    hook = tmp_path / "origin" / "study.git" / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'main is protected' >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(IcefloeError, match=r"^file://.*git push failed \(.*main is protected"):
        change_shared(url, label)


def test_it_works_over_gits_own_daemon(url, study, tmp_path):
    with served(tmp_path / "origin" / "study.git") as address:
        version = change_shared(address, label)
        with cloned(address) as clone:
            assert current_version(clone).rev == version.rev


def test_a_damaged_or_lost_file_of_the_remote_is_never_handed_on(workspace, remote, bucket, tmp_path):
    url = publish(workspace, remote, tmp_path / "origin" / "study.git")
    objects = [entry.key for entry in bucket.objects.all() if not entry.key.endswith(".dir")]
    bucket.put_object(Key=objects[0], Body=b"damaged")
    bucket.Object(objects[1]).delete()

    with pytest.raises(
        IcefloeError, match=r"/dvc/files/md5/../.*are not what was pushed there\. Push the data"
    ):
        read(url)


@pytest.mark.parametrize(
    ("fault", "words"),
    [("expired", "the credentials have expired"), ("busy", "the store can't answer now")],
)
def test_what_the_store_refuses_is_told_in_its_words(url, s3_address, monkeypatch, fault, words):
    with faulty_store(s3_address) as store:
        store.fail(fault, 10_000)
        monkeypatch.setenv("AWS_ENDPOINT_URL", store.address)
        with pytest.raises(IcefloeError, match=words) as error:
            read(url)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("fault", ["wrong", "short", "busy"])
def test_a_file_that_arrives_damaged_or_late_is_fetched_again(
    url, study, s3_address, monkeypatch, tmp_path, fault
):
    with faulty_store(s3_address) as store:
        store.fail(fault, 1, lambda method, path: method == "GET" and "/files/md5/" in path)
        monkeypatch.setenv("AWS_ENDPOINT_URL", store.address)
        read(url, to=tmp_path / "copy")
        assert store.faults[0][1] == 0
    for name in files_of(tmp_path / "copy"):
        assert (tmp_path / "copy" / name).read_bytes() == (study / DATA / name).read_bytes()


def test_a_bucket_that_is_gone_is_named(study, url):
    use_remote(study, "s3://bucket-of-nobody/dvc")
    git(study, "push", "--quiet")
    with pytest.raises(
        IcefloeError, match=r"s3://bucket-of-nobody/dvc/files/md5/.*: there is no such bucket"
    ):
        read(url)


def test_a_study_without_data_says_so(tmp_path, remote, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "none"))
    init_workspace(tmp_path / "new", "")
    use_remote(tmp_path / "new", remote)
    git(tmp_path, "clone", "--quiet", "--bare", str(tmp_path / "new"), "new.git")
    with pytest.raises(IcefloeError, match=r"new\.git: no data version yet"):
        read((tmp_path / "new.git").as_uri())
