"""DVC's default remote: where it is, and what it refuses."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dvc.repo import Repo

from icefloe.errors import IcefloeError
from icefloe.s3.address import is_on_s3, open_s3

_OWN_WAY = {"endpointurl", "profile", "access_key_id", "credentialpath", "configpath"}
"""Of a remote that says itself how to reach it, and not by boto3's settings."""

_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def remote_reported(repo: Repo) -> Iterator[None]:
    """What the default remote refuses, as one line; DVC itself does not tell the reason.

    Raises
    ------
    IcefloeError
        In place of errors of a remote on S3; those of others stay as they are.
    """
    remote = default_remote(repo)
    if not is_on_s3(remote.get("url", "")):
        yield
        return
    ask_store(repo)  # before DVC does, which takes minutes to give up
    # Of s3fs, which would repeat what botocore has repeated.
    repo.cloud.get_remote().odb.fs.fs.retries = 1
    try:
        yield
    except IcefloeError:
        raise
    except Exception as error:  # botocore's, DVC's, and the system's own kinds
        if getattr(error, "errno", None) in _FULL:
            raise
        ask_store(repo)
        reason = " ".join(str(error).split())[:200]
        raise IcefloeError(
            f"{remote['url']}: DVC can't use its remote ({reason}). Fix that and try again."
        ) from error


def ask_store(repo: Repo) -> None:
    """Look into the default remote on S3, which says in words what it refuses.

    Raises
    ------
    IcefloeError
        If it can't be reached or refuses.
    """
    remote = default_remote(repo)
    if is_on_s3(remote.get("url", "")) and not _OWN_WAY & remote.keys():
        open_s3(remote["url"]).find("files")


def default_remote(repo: Repo) -> dict[str, Any]:
    """The default remote as it is configured; empty: there is none."""
    name = repo.config["core"].get("remote")
    return dict(repo.config["remote"].get(name, {})) if name else {}
