"""A version is the data, or it is refused: links, odd names, files that change, DVC's own filters."""

import os
import shutil
import socket
import subprocess

import pytest
import yaml

from icefloe.datasets import versions
from icefloe.datasets.versions import commit, current_version, is_clean, snapshot
from icefloe.errors import IcefloeError


def listed(workspace) -> set[str]:
    """Paths in the version, by DVC's own manifest."""
    md5 = yaml.safe_load((workspace / "data.dvc").read_text())["outs"][0]["md5"]
    manifest = workspace / ".dvc" / "cache" / "files" / "md5" / md5[:2] / md5[2:]
    return {entry["relpath"] for entry in yaml.safe_load(manifest.read_text())}


def on_disk(workspace) -> set[str]:
    data = workspace / "data"
    return {path.relative_to(data).as_posix() for path in data.rglob("*") if path.is_file()}


def link_dataset(workspace, elsewhere):
    (workspace / "data" / "D1").rename(elsewhere / "D1")
    (workspace / "data" / "D1").symlink_to(elsewhere / "D1")


def link_images(workspace, elsewhere):
    images = workspace / "data" / "D1" / "images"
    images.rename(elsewhere / "images")
    images.symlink_to(elsewhere / "images")


def link_file(workspace, elsewhere):
    image = workspace / "data" / "D1" / "images" / "stack_1.tif"
    image.rename(elsewhere / "stack_1.tif")
    image.symlink_to(elsewhere / "stack_1.tif")


def broken_link(workspace, elsewhere):
    (workspace / "data" / "D1" / "images" / "gone.tif").symlink_to(elsewhere / "gone.tif")


def link_loop(workspace, elsewhere):
    (workspace / "data" / "D1" / "images" / "loop").symlink_to(workspace / "data" / "D1")


def link_data(workspace, elsewhere):
    (workspace / "data").rename(elsewhere / "data")
    (workspace / "data").symlink_to(elsewhere / "data")


@pytest.mark.parametrize(
    "make",
    [link_dataset, link_images, link_file, broken_link, link_loop, link_data],
    ids=lambda f: f.__name__,
)
@pytest.mark.parametrize("before", ["never", "committed"])
def test_a_link_is_refused_with_what_to_do(workspace, tmp_path, make, before):
    if before == "committed":
        first = commit(workspace, "first")
    elsewhere = tmp_path / "big"
    elsewhere.mkdir()
    make(workspace, elsewhere)
    with pytest.raises(IcefloeError, match=r"this is a link to .* Put the files themselves there \(cp -rL\)"):
        commit(workspace, "linked")
    if before == "committed":
        assert current_version(workspace) == type(first)(first.rev, first.md5)


def test_hidden_files_are_no_data(workspace, tmp_path):
    (workspace / "data" / ".D9.k2j3h4").mkdir()
    (workspace / "data" / ".D9.k2j3h4" / "half.tif").write_text("x")
    (workspace / "data" / "D1" / "images" / "._stack_1.tif").write_text("x")
    (workspace / "data" / "D1" / "masks" / ".stack_1.png.9x").write_text("x")
    commit(workspace, "first")
    assert listed(workspace) == {path for path in on_disk(workspace) if "/." not in f"/{path}"}
    snapshot(workspace, None, None, tmp_path / "copy")
    assert not list((tmp_path / "copy").rglob(".*"))


def test_what_dvcignore_leaves_out_is_told(workspace):
    with (workspace / ".dvcignore").open("a") as file:
        file.write("*.tif\n")
    with pytest.raises(
        IcefloeError, match=r"DVC did not record it as it is \(D1/images/stack_1\.tif, .*dvcignore"
    ):
        commit(workspace, "first")


def test_what_is_no_file_is_refused(workspace, monkeypatch):
    os.mkfifo(workspace / "data" / "D1" / "pipe")
    with pytest.raises(IcefloeError, match="neither a file nor a folder"):
        commit(workspace, "first")
    (workspace / "data" / "D1" / "pipe").unlink()
    monkeypatch.chdir(workspace / "data" / "D1")  # the path of a socket may have 107 characters
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        with pytest.raises(IcefloeError, match="neither a file nor a folder"):
            commit(workspace, "first")


def test_a_name_that_is_not_utf8_is_told_and_does_not_stop_later_commits(workspace):
    odd = os.fsencode(workspace / "data" / "D1" / "images") + b"/bild_\xe4.png"
    shutil.copyfile(workspace / "data" / "D1" / "images" / "stack_1.tif", odd)
    with pytest.raises(IcefloeError, match=r"bild_\\udce4\.png: the name is not in UTF-8.*Rename it"):
        commit(workspace, "first")
    os.unlink(odd)  # noqa: PTH108 - a path in bytes
    assert commit(workspace, "first").is_new


@pytest.mark.parametrize(
    ("one", "other"), [("A", "a"), ("caf\u00e9", "cafe\u0301"), ("stra\u00dfe", "STRASSE")]
)
def test_names_that_other_systems_take_for_one_are_refused(workspace, one, other):
    images = workspace / "data" / "D1" / "images"
    for stem in (one, other):
        shutil.copyfile(images / "stack_1.tif", images / f"{stem}.tif")
    with pytest.raises(IcefloeError, match=r"differs from .* only in case or in how its accents"):
        commit(workspace, "first")


def test_files_that_change_while_they_are_recorded_are_recorded_anew(workspace, monkeypatch):
    add = versions.Repo.add
    calls = []

    def slowly(repo, targets, **options):
        result = add(repo, targets, **options)
        if not calls:
            shutil.copytree(workspace / "data" / "D1", workspace / "data" / "D4")
        calls.append(1)
        return result

    monkeypatch.setattr(versions.Repo, "add", slowly)
    commit(workspace, "first")
    assert len(calls) == 2
    assert listed(workspace) == on_disk(workspace)


def test_links_that_a_users_own_dvc_would_make_are_not_made(workspace, tmp_path, monkeypatch):
    monkeypatch.setenv("DVC_GLOBAL_CONFIG_DIR", str(tmp_path / "dvc"))
    subprocess.run(["mkdir", tmp_path / "dvc"], check=True)
    (tmp_path / "dvc" / "config").write_text("[cache]\n    type = symlink\n[core]\n    autostage = true\n")
    commit(workspace, "first")
    assert not [path for path in (workspace / "data").rglob("*") if path.is_symlink()]
    (workspace / "data" / "D1" / "images" / "stack_1.tif").unlink()
    assert commit(workspace, "second").is_new


def test_what_a_killed_dvc_left_of_its_pointer_does_not_stop_the_next_commit(workspace):
    first = commit(workspace, "first")
    (workspace / "data.dvc").write_text("outs:\n- md")
    assert commit(workspace, "again").md5 == first.md5


@pytest.mark.parametrize("left", ["", '{"read": {"/a'])
def test_what_a_killed_dvc_left_of_its_locks_does_not_stop_the_next_commands(workspace, left):
    commit(workspace, "first")
    (workspace / ".dvc" / "tmp" / "rwlock").write_text(left)
    assert is_clean(workspace)
    assert not commit(workspace, "again").is_new


def test_what_a_killed_push_left_out_is_in_the_remote_after_the_next_commit(workspace, monkeypatch):
    """DVC believes that a remote which has the list of files has them all."""
    objects = workspace / ".icefloe" / "dvc-remote" / "files" / "md5"
    git_commit = versions.git_commit

    def killed(*_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(versions, "git_commit", killed)
    with pytest.raises(KeyboardInterrupt):
        commit(workspace, "first")
    lost = next(path for path in sorted(objects.rglob("*")) if path.is_file() and path.suffix != ".dir")
    lost.unlink()
    monkeypatch.setattr(versions, "git_commit", git_commit)
    commit(workspace, "first")
    assert lost.is_file()
