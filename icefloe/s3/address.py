"""`s3://bucket/prefix`, and opening what is there; boto3 is imported only then."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from icefloe.errors import IcefloeError

if TYPE_CHECKING:
    from icefloe.s3.folder import S3Folder

S3 = "s3://"


def is_on_s3(place: Path | str) -> bool:
    """Whether a place is on S3, and no folder."""
    return str(place).startswith(S3)


def open_s3(address: str) -> S3Folder:
    """The objects below `s3://bucket/prefix`.

    Raises
    ------
    IcefloeError
        If boto3 is not installed, or the address or boto3's own settings can't be used.
    """
    try:
        from icefloe.s3.folder import S3Folder
    except ImportError as error:
        raise IcefloeError(f"{address}: S3 needs boto3. Run pip install 'icefloe[cluster]'.") from error
    return S3Folder(address)
