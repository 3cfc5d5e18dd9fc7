"""DVC's default remote: what it refuses, and reading it where it is on S3."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dvc.repo import Repo

from icefloe.errors import IcefloeError
from icefloe.s3.address import is_on_s3, open_s3

if TYPE_CHECKING:
    from icefloe.s3.folder import S3Folder

AT_ONCE = 8
"""Objects that are fetched side by side."""

_OWN_WAY = {"endpointurl", "profile", "access_key_id", "credentialpath", "configpath", "version_aware"}
"""Of a remote on S3 that is not reached, or not laid out, in the usual way: DVC alone knows how."""

_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def remote_reported(repo: Repo) -> Iterator[None]:
    """What the default remote refuses to DVC, as one line; DVC itself does not tell the reason.

    Raises
    ------
    IcefloeError
        In place of errors of a remote on S3; those of others stay as they are.
    """
    remote = _default_remote(repo)
    if not is_on_s3(remote.get("url", "")):
        yield
        return
    store = store_of(repo)
    if store is not None:
        store.find("files")  # before DVC asks, which takes minutes to give up
    try:
        yield
    except IcefloeError:
        raise
    except Exception as error:  # botocore's, DVC's, and the system's own kinds
        if getattr(error, "errno", None) in _FULL:
            raise
        if store is not None:
            store.find("files")  # it says in words what it refuses
        reason = " ".join(str(error).split())[:200]
        raise IcefloeError(
            f"{remote['url']}: DVC can't use its remote ({reason}). Fix that and try again."
        ) from error


def store_of(repo: Repo) -> S3Folder | None:
    """The default remote, where it is on S3 and boto3's settings lead to it; else None.

    Raises
    ------
    IcefloeError
        If boto3 can't use its settings.
    """
    remote = _default_remote(repo)
    if not is_on_s3(remote.get("url", "")) or any(remote.get(option) for option in _OWN_WAY):
        return None
    return open_s3(str(remote["url"]))


def fetch_from_store(store: S3Folder, places: Mapping[str, Path]) -> None:
    """Copy DVC's objects from S3 to their places; one that is lost, or not as its hash, gets none.

    Not by DVC, which hands on what it gets, and takes minutes to find that a store does not answer.

    Parameters
    ----------
    store
        The remote.
    places
        Hash, DVC's name of the object -> file of the cache.

    Raises
    ------
    IcefloeError
        If the store can't be reached or refuses, or an object is damaged.
    """

    def fetch(oid: str, place: Path) -> None:
        found = store.find(f"files/md5/{oid[:2]}/{oid[2:]}")
        if found is None:
            return
        store.download(found, place)
        with place.open("rb") as file:
            md5 = hashlib.file_digest(file, "md5").hexdigest()
        if md5 != oid.removesuffix(".dir"):
            place.unlink()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        fetching = [pool.submit(fetch, oid, place) for oid, place in places.items()]
        try:
            for fetched in fetching:
                fetched.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _default_remote(repo: Repo) -> dict[str, Any]:
    name = repo.config["core"].get("remote")
    return dict(repo.config["remote"].get(name, {})) if name else {}
