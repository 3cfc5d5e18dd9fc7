"""A workspace that machines share by a git repository and a DVC remote: cloned to be read or added to."""

import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from dvc.config import Config

from icefloe.datasets.dvc import dvc_repository, fetch, reported
from icefloe.datasets.git import (
    clone,
    deepen_to_commit,
    deepen_to_last_change,
    follow_origin,
    push_commits,
    shown,
)
from icefloe.datasets.versions import POINTER, DataVersion, current_version, version_at
from icefloe.errors import BusyError, IcefloeError
from icefloe.s3.address import is_on_s3
from icefloe.settings import SETTINGS_FILE

PUSH_TRIES = 5
"""How often a change is made anew where others pushed meanwhile."""

_TIMEOUTS = {"connect_timeout": 4, "read_timeout": 5}
"""Seconds that DVC waits for S3; by default a minute, and that several times."""


@contextmanager
def cloned(url: str) -> Iterator[Path]:
    """A workspace's clone without its data, in scratch, until the block ends.

    Parameters
    ----------
    url
        The git repository; its main branch holds the workspace at the top.

    Raises
    ------
    IcefloeError
        If it can't be cloned, holds no workspace, or its DVC remote is not to be reached from here. Errors of
        the block name the repository in the place of the clone.
    """
    with tempfile.TemporaryDirectory(prefix="icefloe-") as scratch:
        folder = Path(scratch) / "workspace"
        clone(url, folder)
        try:
            if not (folder / SETTINGS_FILE).is_file():
                raise IcefloeError(f"{folder}: it has no {SETTINGS_FILE} at the top. Push a workspace to it.")
            deepen_to_last_change(folder, POINTER)
            _configure(folder)
            yield folder
        except IcefloeError as error:
            said = str(error).replace(str(folder), shown(url)).replace(url, shown(url))
            raise type(error)(said) from error


def fetch_data(workspace: Path, names: Collection[str] | None = None, rev: str | None = None) -> DataVersion:
    """Bring datasets of a version into a clone's cache, where `snapshot` finds them.

    Parameters
    ----------
    workspace
        The clone.
    names
        Datasets; None: all.
    rev
        Git commit that names the version, of which the clone may not have heard yet; None: the current one.

    Raises
    ------
    IcefloeError
        If there is no version, or the remote can't be read or lacks its files.
    """
    if rev is None:
        version = current_version(workspace)
    else:
        deepen_to_commit(workspace, rev)
        version = version_at(workspace, rev)
    with dvc_repository(workspace) as repo:
        fetch(repo, version.md5, names)
    return version


def change_shared(url: str, change: Callable[[Path], DataVersion]) -> DataVersion:
    """Make a data version in a clone and push it, the data first; if others pushed, make it anew on theirs.

    Killed at any moment it leaves the repository as it was or with the whole version. Data that nothing names
    may be left in the remote.

    Parameters
    ----------
    url
        As for `cloned`.
    change
        Changes `data/` in the workspace that it is given, and commits it.

    Raises
    ------
    IcefloeError
        As `cloned`, or if the data or the commit can't be pushed.
    """
    with cloned(url) as workspace:
        for _ in range(PUSH_TRIES):
            version = fetch_data(workspace)
            with dvc_repository(workspace) as repo:
                repo.checkout(targets=[str(workspace / POINTER)], force=True)
            version = change(workspace)
            if not version.is_new or push_commits(workspace):
                return version
            follow_origin(workspace)
            deepen_to_last_change(workspace, POINTER)
    raise BusyError(f"{shown(url)}: others push there all the time. Try again later.")


def _configure(folder: Path) -> None:
    """Let DVC write within the scratch only, and doubt what a remote sends."""
    with reported(folder):
        config = Config(str(folder / ".dvc"))
        name = config["core"].get("remote")
        url = config["remote"].get(name, {}).get("url", "") if name else ""
        if not url or Path(url).is_relative_to(folder):
            raise IcefloeError(
                f"{folder}: its DVC remote is not one that other machines reach. Name one that is, with "
                "`dvc remote add --default --force NAME s3://BUCKET/PREFIX`, and commit and push .dvc/config."
            )
        with config.edit("local") as local:
            local["core"]["site_cache_dir"] = str(folder.parent / "dvc")
            local["remote"][name] = {"verify": True} | (_TIMEOUTS if is_on_s3(url) else {})
