"""Data versions: a workspace's `data/` in DVC, its `data.dvc` in git.

`data/` is one DVC directory, so that one hash names the state of all datasets, and a version is the git
commit that last changed `data.dvc`.
"""

import glob
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dvc.api import DVCFileSystem
from dvc.repo import Repo

from icefloe.datasets.dataset import INFO_FILE, natural_key
from icefloe.datasets.dvc import (
    dvc_repository,
    not_as_recorded,
    pointer_md5,
    push,
    remove_half_written,
    remove_temporary,
    reported,
)
from icefloe.datasets.git import git, git_commit, has_commit, is_git_root
from icefloe.datasets.tree import data_files
from icefloe.errors import IcefloeError
from icefloe.files import atomic_directory, write_text_atomic
from icefloe.names import composed
from icefloe.scratch import alone, copy_tree
from icefloe.settings import SETTINGS_FILE

DATA = "data"
POINTER = "data.dvc"
PARAMS_FILE = "params.yaml"
IGNORED = (".icefloe/", f"/{DATA}/", "/reports/")
NO_DATA = (f"/{DATA}/**/.*",)
"""Hidden files, such as macOS and killed programs leave."""
LOCK = Path(".icefloe/version.lock")
TRIES = 3
"""How often `data/` is recorded anew where it changed meanwhile."""
REMOTE = ".icefloe/dvc-remote"
SETTINGS = "# Settings of this workspace, such as tracking_uri; what is left out has its default.\n"


@dataclass(frozen=True)
class DataVersion:
    """One state of all datasets.

    Attributes
    ----------
    rev
        Git commit that brought it.
    md5
        DVC's hash of `data/`, as in `data.dvc`.
    is_new
        Whether the call that returned it made it; False if nothing had changed.
    """

    rev: str
    md5: str
    is_new: bool = False


@dataclass(frozen=True)
class VersionDiff:
    """Sample keys such as `D3/stack_7` that differ between two data versions.

    Attributes
    ----------
    images_added, images_changed, images_removed
        Keys of images, such as `D1/image_0`.
    labels_added, labels_changed, labels_removed
        Keys of images whose masks differ.
    """

    images_added: tuple[str, ...]
    images_changed: tuple[str, ...]
    images_removed: tuple[str, ...]
    labels_added: tuple[str, ...]
    labels_changed: tuple[str, ...]
    labels_removed: tuple[str, ...]


def init_workspace(folder: Path, params_text: str) -> None:
    """Make `folder` a workspace: git, DVC with a local remote, `icefloe.toml`, `params.yaml`, and `data/`.

    A git repository and a `params.yaml` that are there already are kept.

    Parameters
    ----------
    folder
        Folder of the workspace; it is made if it does not exist.
    params_text
        Content of `params.yaml`, written where there is none.

    Raises
    ------
    IcefloeError
        If it is a workspace already, or git or DVC fails.
    """
    if (folder / SETTINGS_FILE).exists():
        raise IcefloeError(
            f"{folder / SETTINGS_FILE}: this is a workspace already. Work in it, or name another."
        )
    folder.mkdir(parents=True, exist_ok=True)
    if not is_git_root(folder):
        git(folder, "init", "--quiet", "--initial-branch", "main")
    # A path relative to here is stored relative to the configuration, so that the workspace can be moved.
    remote = os.path.relpath(folder / REMOTE)
    with reported(folder):
        if not (folder / ".dvc").is_dir():
            Repo.init(str(folder)).close()
        with Repo(str(folder)) as repo, repo.config.edit("repo") as config:
            config["core"] |= {"analytics": False, "check_update": False, "remote": "local"}
            config["remote"] = {"local": {"url": remote}}
    _ignore(folder)
    (folder / DATA).mkdir(exist_ok=True)
    if not (folder / PARAMS_FILE).exists():
        write_text_atomic(folder / PARAMS_FILE, params_text)
    # Last, because this file is what makes the folder a workspace.
    write_text_atomic(folder / SETTINGS_FILE, SETTINGS)
    git_commit(
        folder,
        "Icefloe workspace",
        *(".dvc/config", ".dvc/.gitignore", ".dvcignore", ".gitignore", PARAMS_FILE, SETTINGS_FILE),
    )


def track(workspace: Path) -> str:
    """Bring `data.dvc` and DVC's cache up to date with `data/`, without a git commit; return DVC's hash.

    Raises
    ------
    IcefloeError
        If there is no dataset, DVC fails, or what it recorded is not what `data/` holds.
    """
    with _recording(workspace):
        return _track(workspace)


def commit(workspace: Path, message: str) -> DataVersion:
    """Make a data version of `data/` as it is; where nothing changed, the current version, `is_new` False.

    A new version is copied to DVC's default remote, where the workspace has one, before git knows of it: so a
    version is never on one machine only.

    Parameters
    ----------
    workspace
        Folder with git, DVC and `data/`.
    message
        Of the git commit, which takes `data.dvc` and nothing else that may be staged.

    Raises
    ------
    IcefloeError
        If there is no dataset, git or DVC fails, or `data/` holds what no version can hold, such as links.
    """
    with _recording(workspace):
        md5 = _track(workspace)
        with dvc_repository(workspace) as repo:
            if repo.config["core"].get("remote") and md5 != _committed_md5(workspace):
                push(repo, md5)
    is_new = git_commit(workspace, message, POINTER, ".gitignore", ".dvcignore")
    version = current_version(workspace)
    return DataVersion(version.rev, version.md5, is_new)


def current_version(workspace: Path) -> DataVersion:
    """The version that git has checked out, whatever `data/` holds now.

    Raises
    ------
    IcefloeError
        If no version was ever made.
    """
    try:
        if rev := git(workspace, "log", "-1", "--format=%H", "--", POINTER):
            return DataVersion(rev, pointer_md5(git(workspace, "show", f"{rev}:./{POINTER}")))
    except IcefloeError:
        # Git's own reason, such as a repository of another user's, but for one without any commit.
        is_in_git = any((folder / ".git").exists() for folder in (workspace, *workspace.absolute().parents))
        if (is_in_git or (workspace / POINTER).exists()) and has_commit(workspace):
            raise
    raise IcefloeError(f"{workspace}: no data version yet. Make one with `icefloe data commit -m MESSAGE`.")


def version_at(workspace: Path, rev: str) -> DataVersion:
    """The version that a git revision holds.

    Raises
    ------
    IcefloeError
        If there is no such revision, or no version in it.
    """
    try:
        commit_id = git(workspace, "log", "-1", "--format=%H", rev, "--", POINTER)
        return DataVersion(commit_id, pointer_md5(git(workspace, "show", f"{commit_id}:./{POINTER}")))
    except IcefloeError as error:
        raise IcefloeError(
            f"{workspace}: no data version at {rev!r}. Name one that `git log -- {POINTER}` lists."
        ) from error


def is_clean(workspace: Path) -> bool:
    """Whether `data/` is exactly the current version, and kept in DVC's cache.

    Raises
    ------
    IcefloeError
        If no version was ever made, or DVC fails.
    """
    version = current_version(workspace)
    pointer = workspace / POINTER
    remove_half_written(pointer)
    if not pointer.is_file() or pointer_md5(pointer.read_text(encoding="utf-8")) != version.md5:
        return False
    with dvc_repository(workspace) as repo:
        return not repo.status(targets=[str(pointer)])


def snapshot(workspace: Path, names: Sequence[str] | None, rev: str | None, destination: Path) -> DataVersion:
    """Copy datasets of one version to `destination/<name>/`, all or nothing.

    Parameters
    ----------
    workspace
        Folder with git, DVC and `data/`.
    names
        Datasets, or None for all of that version.
    rev
        Git revision that names the version, such as a commit's id; None: the current version.
    destination
        Folder to make; it must not hold anything.

    Returns
    -------
    DataVersion
        Of the data copied. Changes in `data/` that no version holds are left behind.

    Raises
    ------
    IcefloeError
        If the version or a dataset in it is missing, its files are in no cache, or `destination` is in use.
    """
    version = current_version(workspace) if rev is None else version_at(workspace, rev)
    try:
        with atomic_directory(destination) as folder:
            # The working tree is quicker to read, where it is that version.
            if version.md5 == current_version(workspace).md5 and is_clean(workspace):
                _copy_from_tree(workspace, names, folder)
            else:
                _copy_from_cache(workspace, names, version, folder)
    except FileExistsError as error:
        raise IcefloeError(f"{destination}: in use already. Name an empty folder.") from error
    return version


def diff(workspace: Path, old: str, new: str) -> VersionDiff:
    """What changed in images and masks from revision `old` to `new`.

    Raises
    ------
    IcefloeError
        If a revision is unknown or holds no data version.
    """
    for rev in (old, new):
        version_at(workspace, rev)
    with dvc_repository(workspace) as repo:
        changes = repo.diff(old, new)
    changed = {
        change: [entry["path"] for entry in changes.get(change, ())]
        for change in ("added", "modified", "deleted")
    }
    for entry in changes.get("renamed", ()):  # what moved is gone from one place and new in another
        changed["deleted"].append(entry["path"]["old"])
        changed["added"].append(entry["path"]["new"])

    def keys(change: str, folder: str) -> tuple[str, ...]:
        paths = map(PurePosixPath, changed[change])
        # data/<dataset>/<folder>/<file>; folders themselves are listed too.
        files = (path for path in paths if len(path.parts) == 4 and path.parts[2] == folder)
        return tuple(sorted((f"{path.parts[1]}/{path.stem}" for path in files), key=natural_key))

    return VersionDiff(
        *(
            keys(change, folder)
            for folder in ("images", "masks")
            for change in ("added", "modified", "deleted")
        )
    )


def _copy_from_tree(workspace: Path, names: Sequence[str] | None, folder: Path) -> None:
    present = sorted(
        (path.parent.name for path in (workspace / DATA).glob(f"*/{INFO_FILE}")), key=natural_key
    )
    for name in _checked_names(workspace, names, present):
        copy_tree(workspace / DATA / name, folder / name, ignore=shutil.ignore_patterns(".*"))


def _copy_from_cache(
    workspace: Path, names: Sequence[str] | None, version: DataVersion, folder: Path
) -> None:
    with reported(workspace):
        files = DVCFileSystem(str(workspace), rev=version.rev)
        root = PurePosixPath(_inside_git(workspace)) / DATA
        present = sorted(
            (PurePosixPath(path).name for path in files.ls(str(root), detail=False)), key=natural_key
        )
        for name in _checked_names(workspace, names, present):
            if not glob.has_magic(name):
                files.get(str(root / name), str(folder / name), recursive=True)
                continue
            # As a pattern, [a] would match a folder called a; the paths of files are taken as they are.
            held = files.find(str(root / name))
            places = [str(folder / PurePosixPath(path).relative_to(root)) for path in held]
            for place in places:
                Path(place).parent.mkdir(parents=True, exist_ok=True)
            files.get(held, places)


def _inside_git(workspace: Path) -> str:
    return git(workspace, "rev-parse", "--show-prefix").rstrip("/")


def _checked_names(workspace: Path, names: Sequence[str] | None, present: Sequence[str]) -> Sequence[str]:
    """Folders of the datasets named, as they are spelt there."""
    folders = {composed(name): name for name in present}
    for name in names or ():
        if composed(name) not in folders:
            raise IcefloeError(
                f"{workspace}: no dataset {name!r} in this data version. There are: {', '.join(present)}."
            )
    return present if names is None else [folders[composed(name)] for name in names]


def _committed_md5(workspace: Path) -> str:
    return current_version(workspace).md5 if git(workspace, "ls-files", POINTER) else ""


def _track(workspace: Path) -> str:
    data = workspace / DATA
    if not any(data.glob(f"*/{INFO_FILE}")):
        raise IcefloeError(
            f"{data}: no dataset to make a version of. "
            "Make some with `icefloe data simulate` or `icefloe data import`."
        )
    data_files(data)  # a link or an odd name is refused before anything is recorded
    _ignore(workspace)
    with dvc_repository(workspace) as repo:
        remove_half_written(workspace / POINTER)
        for _ in range(TRIES):
            repo.add([str(data)])
            md5 = pointer_md5((workspace / POINTER).read_text(encoding="utf-8"))
            different = not_as_recorded(repo, md5, data)
            if not different and not repo.status(targets=[str(workspace / POINTER)]):
                return md5
    raise IcefloeError(
        f"{data}: DVC did not record it as it is ({', '.join(different[:3]) or 'files changed meanwhile'}). "
        "Let what writes there finish, see what .dvcignore leaves out, and try again."
    )


@contextmanager
def _recording(workspace: Path) -> Iterator[None]:
    """One process records at a time, and removes what one that was killed has left."""
    with alone(workspace / LOCK) as (_, was_killed):
        if was_killed:
            remove_temporary(workspace)
        yield


def _ignore(workspace: Path) -> None:
    for name, wanted in ((".gitignore", IGNORED), (".dvcignore", NO_DATA)):
        path = workspace / name
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        # DVC writes the folder without the closing slash.
        missing = [line for line in wanted if line not in lines and line.rstrip("/") not in lines]
        if missing:
            write_text_atomic(path, "\n".join([*lines, *missing]) + "\n")
