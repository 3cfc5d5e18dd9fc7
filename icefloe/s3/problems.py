"""What S3 and the way to it refused: in one line, with what to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
)
from s3transfer.exceptions import RetriesExceededError, S3DownloadFailedError

from icefloe.errors import BusyError, ConflictError, IcefloeError

MISSING_OBJECT = ("NoSuchKey", "404")
CONDITION_FAILED = ("PreconditionFailed", "412")
CHANGED_MEANWHILE = (*CONDITION_FAILED, "ConditionalRequestConflict", "409")
GONE_UPLOAD = ("NoSuchUpload",)

_SERVER_ERROR = 500
_LONGEST = 200


class Problem(NamedTuple):
    """What happened and what to do, and whether the same may work later."""

    what: str
    remedy: str
    kind: type[IcefloeError] = IcefloeError


_SILENT = Problem(
    "the store does not answer", "Check AWS_ENDPOINT_URL and the network, then try again", BusyError
)
_BUSY = Problem("the store can't answer now", "Try again later", BusyError)
_NO_CREDENTIALS = Problem(
    "there are no credentials", "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
)
_EXPIRED = Problem("the credentials have expired", "Renew them")
_REFUSED = Problem("the store refuses the credentials", "Check them, and what they may do in this bucket")
_NO_BUCKET = Problem("there is no such bucket", "Make it, or name another")
_NO_OBJECT = Problem("there is no such object", "Name another")
_CHANGED = Problem("somebody else has written it meanwhile", "Try again", ConflictError)
_UNKNOWN = Problem("the store refuses", "Check the address and the credentials")

_BY_CODE = (
    {
        "NoSuchBucket": _NO_BUCKET,
        "ExpiredToken": _EXPIRED,
        "ExpiredTokenException": _EXPIRED,
        "RequestExpired": _EXPIRED,
        "TokenRefreshRequired": _EXPIRED,
        "AccessDenied": _REFUSED,
        "InvalidAccessKeyId": _REFUSED,
        "SignatureDoesNotMatch": _REFUSED,
        "InvalidToken": _REFUSED,
        "RequestTimeTooSkewed": Problem("this machine's clock is wrong", "Set it"),
        "SlowDown": _BUSY,
        "RequestTimeout": _SILENT,
    }
    | dict.fromkeys(CHANGED_MEANWHILE, _CHANGED)
    | dict.fromkeys(MISSING_OBJECT, _NO_OBJECT)
)


@contextmanager
def reported(address: str) -> Iterator[None]:
    """S3's errors, after its retries, as one line.

    Parameters
    ----------
    address
        What is read or written, such as `s3://bucket/prefix/name`.

    Raises
    ------
    IcefloeError
        In their place: a BusyError where the same may work later, a ConflictError where somebody else wrote.
    """
    try:
        yield
    except (BotoCoreError, ClientError, RetriesExceededError, S3DownloadFailedError) as error:
        found = _problem(error)
        reason = " ".join(str(getattr(error, "last_exception", error)).split())[:_LONGEST].rstrip(".")
        raise found.kind(f"{address}: {found.what} ({reason}). {found.remedy}.") from error


def code_of(error: BaseException | None) -> str:
    """S3's code of an error, such as `NoSuchKey`; empty for errors on the way to it."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def _problem(error: Exception) -> Problem:
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return _NO_CREDENTIALS
    if isinstance(error, ConnectionError | HTTPClientError | RetriesExceededError):
        return _SILENT
    if isinstance(error, S3DownloadFailedError):  # the ETag is another by now
        return _CHANGED
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return _BY_CODE.get(code_of(error), _BUSY if status >= _SERVER_ERROR else _UNKNOWN)
    return _UNKNOWN
