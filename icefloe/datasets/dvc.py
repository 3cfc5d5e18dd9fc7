"""DVC as data versions use it: its repository, its errors in one line, what it leaves when it is killed."""

import contextlib
import errno
import json
import logging
import os
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

import yaml
from dvc.exceptions import DvcException
from dvc.lock import make_lock
from dvc.repo import Repo
from dvc.rwlock import RWLOCK_FILE, RWLOCK_LOCK

from icefloe.datasets.git import own_repository
from icefloe.datasets.remote import fetch_from_store, remote_reported, store_of
from icefloe.datasets.tree import data_files
from icefloe.errors import IcefloeError
from icefloe.names import composed

OWN_CONFIG = {"core": {"autostage": False}, "cache": {"type": "reflink,copy"}}
"""A user's own configuration of DVC must not turn the data into links, which the next version would refuse.
"""


@contextlib.contextmanager
def dvc_repository(workspace: Path) -> Iterator[Repo]:
    """The workspace's repository of DVC, whatever the environment and the user's configuration name.

    Raises
    ------
    IcefloeError
        In place of DVC's own errors.
    """
    _remove_half_written_locks(workspace)
    with reported(workspace), Repo(str(workspace), config=OWN_CONFIG) as repo:
        repo.scm_context.quiet = True
        yield repo


@contextlib.contextmanager
def reported(workspace: Path) -> Iterator[None]:
    """DVC's errors as one line, and a full disk as one; its hints of commands to type kept off the screen."""
    logger = logging.getLogger("dvc")
    level = logger.level
    logger.setLevel(logging.CRITICAL)  # what it would log, it raises
    try:
        with own_repository():
            yield
    except DvcException as error:
        reason = " ".join(str(error).split())
        raise IcefloeError(f"{workspace}: DVC failed ({reason[:200]}). Fix that and try again.") from error
    except sqlite3.OperationalError as error:  # of what DVC notes beside its cache
        if error.sqlite_errorcode != sqlite3.SQLITE_FULL:
            raise
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(workspace)) from error
    finally:
        logger.setLevel(level)


def pointer_md5(pointer: str) -> str:
    """DVC's hash of the data, in the text of `data.dvc`.

    Raises
    ------
    IcefloeError
        If it is no such text.
    """
    try:
        return str(yaml.safe_load(pointer)["outs"][0]["md5"])
    except (yaml.YAMLError, LookupError, TypeError) as error:
        raise IcefloeError(
            "data.dvc: not as DVC writes it. Take it back with `git checkout data.dvc`."
        ) from error


def not_as_recorded(repo: Repo, md5: str, data: Path) -> list[str]:
    """Files of `data/` that differ from DVC's list of them in name or size."""
    cache = repo.cache.local
    listed = json.loads(Path(cache.oid_to_path(md5)).read_text(encoding="utf-8"))
    kept = {entry["relpath"]: Path(cache.oid_to_path(entry["md5"])).stat().st_size for entry in listed}
    present = data_files(data)
    return sorted(path for path in {*kept, *present} if kept.get(path) != present.get(path))


def remove_half_written(pointer: Path) -> None:
    """Remove what a killed DVC left of a pointer; DVC can't read it, and git has the last whole one."""
    if pointer.is_file():
        try:
            pointer_md5(pointer.read_text(encoding="utf-8"))
        except IcefloeError:
            pointer.unlink()


def fetch(repo: Repo, md5: str, names: Collection[str] | None = None) -> None:
    """Copy what the data of that hash hold of datasets from the default remote to the cache; None: of all.

    Raises
    ------
    IcefloeError
        If the remote can't be read, or has a file no more or not as it was.
    """
    _fetch_objects(repo, [md5])
    wanted = None if names is None else {composed(name) for name in names}
    listed = json.loads(Path(repo.cache.local.oid_to_path(md5)).read_text(encoding="utf-8"))
    _fetch_objects(
        repo,
        [
            entry["md5"]
            for entry in listed
            if wanted is None or composed(entry["relpath"].partition("/")[0]) in wanted
        ],
    )


def _fetch_objects(repo: Repo, oids: Sequence[str]) -> None:
    cache = repo.cache.local
    if not (lacking := _not_in_cache(repo, oids)):
        return
    odb = repo.cloud.get_remote().odb
    if (store := store_of(repo)) is not None:
        fetch_from_store(store, {oid: Path(cache.oid_to_path(oid)) for oid in lacking})
    else:
        # What is not as its hash, which is its name, DVC does not keep.
        with remote_reported(repo), contextlib.suppress(FileNotFoundError):
            cache.add([odb.oid_to_path(oid) for oid in lacking], odb.fs, lacking, verify=True)
    if lacking := _not_in_cache(repo, oids):
        raise IcefloeError(
            f"{odb.oid_to_path(lacking[0])}: this and {len(lacking) - 1} others are not what was "
            "pushed there. Push the data again with `dvc push` from a workspace that has them."
        )


def _not_in_cache(repo: Repo, oids: Iterable[str]) -> list[str]:
    place = repo.cache.local.oid_to_path
    return [oid for oid in dict.fromkeys(oids) if not Path(place(oid)).is_file()]


def push(repo: Repo, md5: str) -> None:
    """Copy the data of that hash to the default remote, whatever an earlier push that was killed has left.

    DVC takes a remote that has the list of files for one that has the files, and a killed push may have
    copied the list first.
    """
    with remote_reported(repo):
        _push(repo, md5)


def _push(repo: Repo, md5: str) -> None:
    repo.push()
    remote, cache = repo.cloud.get_remote(), repo.cache.local
    if remote.worktree or remote.fs.version_aware:
        return
    listed = json.loads(Path(cache.oid_to_path(md5)).read_text(encoding="utf-8"))
    wanted = [*dict.fromkeys(entry["md5"] for entry in listed), md5]
    present = set(remote.odb.oids_exist(wanted))
    missing = [oid for oid in wanted if oid not in present]
    if missing:
        remote.odb.add([cache.oid_to_path(oid) for oid in missing], cache.fs, missing)


def remove_temporary(workspace: Path) -> None:
    """Remove the files that a killed DVC was copying to its cache, or to a remote on this machine."""
    with dvc_repository(workspace) as repo:
        stores = [Path(repo.cache.local.path)]
        name = repo.config["core"].get("remote")
        url = repo.config["remote"].get(name, {}).get("url", "") if name else ""
        if url and "://" not in url:
            stores.append(Path(url) / "files" / "md5")
    for store in stores:
        for left in store.rglob(".*.tmp"):
            left.unlink(missing_ok=True)


def _remove_half_written_locks(workspace: Path) -> None:
    """Remove what a killed DVC left of its list of locks, which it then can't read."""
    folder = workspace / ".dvc" / "tmp"
    locks = folder / RWLOCK_FILE
    if not locks.is_file() or _is_json(locks):
        return
    with make_lock(str(folder / RWLOCK_LOCK), tmp_dir=str(folder)):
        if locks.is_file() and not _is_json(locks):  # nobody is about to write it
            locks.unlink()


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return False
    return True
