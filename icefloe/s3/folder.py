"""Objects below a prefix of a bucket: each whole and unchanged, or not at all.

Where the store is, who asks and how are boto3's own settings: `AWS_ENDPOINT_URL`, whose store is asked by
path and not by host name, `AWS_PROFILE`; `AWS_REQUEST_CHECKSUM_CALCULATION=when_required` for one that does
not know the newer checksums. No credentials come from elsewhere.
"""

import hashlib
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, FlexibleChecksumError
from s3transfer.manager import TransferConfig, TransferManager

from icefloe.errors import ConflictError, IcefloeError
from icefloe.files import named, sha256_file
from icefloe.s3.address import S3
from icefloe.s3.problems import (
    CHANGED_MEANWHILE,
    CONDITION_FAILED,
    GONE_UPLOAD,
    MISSING_OBJECT,
    code_of,
    reported,
)
from icefloe.scratch import put, scratch_for

DIGEST = "sha256"
"""Metadata of our objects. S3's own SHA-256 of an object in parts is not that of the whole."""

TRIES = 2
"""What breaks off or arrives damaged is fetched again: the second time tells the way from the store.

As all attempts at a request are made again then, more tries would take minutes to fail.
"""

_UNVERIFIABLE = ("aws:kms", "aws:kms:dsse")
"""Encrypted so, an object's ETag is no MD5."""


@dataclass(frozen=True)
class Limits:
    """How long a store is waited for; what fails, fails within a minute.

    Attributes
    ----------
    connect_seconds, read_seconds
        Longest wait for a connection, and for the next bytes on it.
    attempts
        How often a request is made at most, with ever longer pauses of 1, 2, 4... s and less between.
    """

    connect_seconds: float = 4
    read_seconds: float = 5
    attempts: int = 4


@dataclass(frozen=True)
class Found:
    """An object as it was when it was looked at.

    Attributes
    ----------
    key
        Its name in the bucket.
    etag
        Names its content; without the quotes.
    size
        In bytes.
    sha256
        Of its content, where Icefloe wrote it; else empty.
    is_md5
        Whether the ETag is made of MD5s.
    """

    key: str
    etag: str
    size: int
    sha256: str
    is_md5: bool


class S3Folder:
    """The objects below `s3://bucket/prefix`.

    Parameters
    ----------
    address
        `s3://bucket` or `s3://bucket/prefix`.
    limits
        How long the store is waited for.

    Attributes
    ----------
    bucket
        Name of the bucket.

    Raises
    ------
    IcefloeError
        If the address names no bucket, or boto3's settings can't be used.
    """

    def __init__(self, address: str, limits: Limits | None = None) -> None:
        self.bucket, _, prefix = address.removeprefix(S3).partition("/")
        self._prefix = prefix.strip("/")
        if not self.bucket:
            raise IcefloeError(f"{address}: there is no bucket in it. Write {S3}bucket/prefix.")
        self._limits = limits or Limits()
        self._conditions: dict[str, dict[str, str]] = {}
        self._pinned: dict[str, str] = {}
        self._quote = '"'  # Ceph 16 takes those around a replaced object's ETag for a part of it
        self._client = self._connect(address)

    def address(self, name: str) -> str:
        """The whole address of an object."""
        return f"{S3}{self.bucket}/{self._key(name)}"

    def find(self, name: str) -> Found | None:
        """Look at an object; None: there is none.

        Raises
        ------
        IcefloeError
            If there is no such bucket, or the store can't be reached or refuses.
        """
        key = self._key(name)
        with reported(self.address(name)):
            try:
                head = self._client.head_object(Bucket=self.bucket, Key=key)
            except ClientError as error:
                said = self._in_words(key, error)
                if code_of(said) in MISSING_OBJECT:
                    return None
                raise said from error
        return Found(
            key=key,
            etag=head["ETag"].strip('"'),
            size=head["ContentLength"],
            sha256=head["Metadata"].get(DIGEST, ""),
            is_md5=head.get("ServerSideEncryption") not in _UNVERIFIABLE
            and "SSECustomerAlgorithm" not in head,
        )

    def download(self, found: Found, path: Path) -> None:
        """Copy an object that was found to `path`, which is there only when its bytes are those once written.

        They are compared with the SHA-256 of an object of ours, and with the ETag of others.

        Raises
        ------
        ConflictError
            If it is another one by now.
        IcefloeError
            If it is gone or damaged, or the store can't be reached or refuses.
        """
        address = f"{S3}{self.bucket}/{found.key}"
        path.parent.mkdir(parents=True, exist_ok=True)
        with named(path), tempfile.TemporaryDirectory(dir=scratch_for(path)) as beside:
            part = Path(beside) / "whole"
            for _ in range(TRIES):
                with reported(address):
                    if self._fetch(found, part) and self._is_whole(found, part):
                        put(part, path)
                        return
        raise IcefloeError(
            f"{address}: its bytes are not those that were written. Write it again, or restore it."
        )

    def upload(self, path: Path, name: str, replaces: str | None = None) -> None:
        """Write a file as an object, which others see when it is whole; large ones in parts.

        Parameters
        ----------
        path
            The file.
        name
            Name of the object, below the prefix.
        replaces
            ETag of the object that it takes the place of; None: there must be none but of the same content.

        Raises
        ------
        ConflictError
            If there is another object than `replaces`; it is left as it is.
        IcefloeError
            If the store can't be reached or refuses.
        """
        digest = sha256_file(path)
        try:
            self._put(path, name, digest, replaces)
        except IcefloeError as error:
            # Where the answer to a request got lost, the store refuses its repetition.
            code = code_of(error.__cause__)
            is_refused = code in (*CHANGED_MEANWHILE, *GONE_UPLOAD, *MISSING_OBJECT)
            if not is_refused or (found := self.find(name)) is None:
                raise
            if found.sha256 == digest:
                return
            if found.etag != replaces:
                raise ConflictError(
                    f"{self.address(name)}: somebody else has written it. Use that one, or another name."
                ) from error
            if code not in CONDITION_FAILED:
                raise
            if not self._quote:
                raise IcefloeError(
                    f"{self.address(name)}: the store says that it has changed, which it has not. "
                    "Use a store that heeds `If-Match`."
                ) from error
            self._quote = ""
            self.upload(path, name, replaces)

    def _put(self, path: Path, name: str, digest: str, replaces: str | None) -> None:
        key, quote = self._key(name), self._quote
        self._conditions[key] = (
            {"IfNoneMatch": "*"} if replaces is None else {"IfMatch": f"{quote}{replaces}{quote}"}
        )
        try:
            with reported(self.address(name)), self._transfers() as transfers:
                transfers.upload(str(path), self.bucket, key, {"Metadata": {DIGEST: digest}}).result()
        finally:
            del self._conditions[key]

    def remove(self, name: str) -> None:
        """Remove an object, if there is one.

        Raises
        ------
        IcefloeError
            If the store can't be reached or refuses.
        """
        with reported(self.address(name)):
            self._client.delete_object(Bucket=self.bucket, Key=self._key(name))

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{name}".lstrip("/")

    def _connect(self, address: str) -> Any:
        config = Config(
            connect_timeout=self._limits.connect_seconds,
            read_timeout=self._limits.read_seconds,
            retries={"mode": "standard", "total_max_attempts": self._limits.attempts},
        )
        try:
            # A session of its own: boto3's default one is for a single thread.
            client = boto3.Session().client("s3", config=config)
        except (BotoCoreError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise IcefloeError(
                f"{address}: boto3 can't use its settings ({reason}). Correct them."
            ) from error
        # s3transfer passes no conditions on.
        for request in ("PutObject", "CompleteMultipartUpload"):
            client.meta.events.register(f"provide-client-params.s3.{request}", self._with_condition)
        client.meta.events.register("provide-client-params.s3.GetObject", self._pinned_to_its_content)
        return client

    def _with_condition(self, params: dict[str, Any], **_: object) -> dict[str, Any]:
        return params | self._conditions[params["Key"]]

    def _pinned_to_its_content(self, params: dict[str, Any], **_: object) -> dict[str, Any]:
        """What is downloaded, as it was found; s3transfer asks for that of objects in parts only."""
        etag = self._pinned.get(params["Key"])
        return params if etag is None else params | {"IfMatch": etag}

    def _transfers(self) -> TransferManager:
        return TransferManager(self._client, TransferConfig(num_download_attempts=TRIES))

    def _in_words(self, key: str, error: ClientError) -> ClientError:
        """The error again with the store's code, which an answer to HEAD has no room for."""
        try:
            self._client.get_object(Bucket=self.bucket, Key=key, Range="bytes=0-0")["Body"].close()
        except ClientError as said:
            return said
        return error

    def _fetch(self, found: Found, part: Path) -> bool:
        """Copy the object that was found; False where its bytes are not those that the store summed up."""
        self._pinned[found.key] = f'"{found.etag}"'
        try:
            with self._transfers() as transfers:
                transfers.download(self.bucket, found.key, str(part), subscribers=[_Known(found)]).result()
        except FlexibleChecksumError:
            return False
        finally:
            del self._pinned[found.key]
        return True

    def _is_whole(self, found: Found, part: Path) -> bool:
        if found.sha256:
            return sha256_file(part) == found.sha256
        if not found.is_md5:  # nothing to compare with but its length
            return part.stat().st_size == found.size
        if "-" not in found.etag:
            return _etag(part) == found.etag
        first = self._client.head_object(Bucket=self.bucket, Key=found.key, PartNumber=1)
        return _etag(part, first["ContentLength"]) == found.etag


class _Known:
    """Tells a download what is known of the object, and so pins it to that content."""

    def __init__(self, found: Found) -> None:
        self._found = found

    def on_queued(self, future: Any, **_: object) -> None:
        future.meta.provide_transfer_size(self._found.size)
        future.meta.provide_object_etag(f'"{self._found.etag}"')


def _etag(path: Path, part_size: int | None = None) -> str:
    """S3's ETag of a file, written whole or in parts of a size: the MD5, or the MD5 of the parts' MD5s."""
    md5 = partial(hashlib.md5, usedforsecurity=False)
    with path.open("rb") as file:
        if part_size is None:
            return hashlib.file_digest(file, md5).hexdigest()
        digests = [md5(part).digest() for part in iter(partial(file.read, part_size), b"")]
    return f"{md5(b''.join(digests)).hexdigest()}-{len(digests)}"
