"""Local weights: a file, the package, a folder, an S3 prefix. This module needs no torch."""

import logging
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from icefloe.errors import IcefloeError
from icefloe.models.cards import IMAGE_SIM, SIMULATED
from icefloe.typing import WeightsMirror

logger = logging.getLogger(__name__)

SHIPPED = Path(__file__).parent / "sim"
S3 = "s3://"
TIMEOUT = 5.0
"""Seconds for a connection to S3; a store that is not there should not cost a minute."""


def cache_folder() -> Path:
    """Folder of weights that were copied or converted once; `XDG_CACHE_HOME` decides where."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "icefloe" / "weights"


def local_file(encoder: str, weights: str, mirror: WeightsMirror | None = None) -> Path | None:
    """The file of a path or of weights from `icefloe pretrain`; None for published ones, see `weights_file`.

    Parameters
    ----------
    encoder
        A name in `spec.ENCODERS`.
    weights
        Name of weights, as `MemberSpec.weights`, but not `none`.
    mirror
        Folder or `s3://bucket/prefix`, looked into before the package; or none.

    Raises
    ------
    IcefloeError
        If the file is nowhere.
    """
    if weights.endswith(".safetensors"):
        if not Path(weights).is_file():
            raise IcefloeError(f"{weights}: no such file. Name a .safetensors file with {encoder}'s weights.")
        return Path(weights)
    if weights not in SIMULATED:
        return None
    name = f"{encoder}.{weights}.safetensors"
    found = find(mirror, [name]) if mirror is not None else None
    if found:
        return found
    if (SHIPPED / name).is_file():
        return SHIPPED / name
    searched = "the package" if mirror is None else f"{mirror} or the package"
    raise IcefloeError(
        f"{encoder}: no {weights} weights in {searched}. Run {making(encoder, weights)} --output DIR and set "
        "ICEFLOE_WEIGHTS_DIR to DIR, or use weights: none."
    )


def making(encoder: str, weights: str) -> str:
    """The command that makes an encoder's simulated weights, for messages."""
    return f"icefloe pretrain {encoder}" + (" --weights imagenet" if weights == IMAGE_SIM else "")


def find(mirror: WeightsMirror, names: Sequence[str]) -> Path | None:
    """The first of `names` that a mirror holds; a file on S3 is copied to a local cache.

    Parameters
    ----------
    mirror
        A folder, or `s3://bucket/prefix`. S3 is reached with boto3's settings (AWS_ENDPOINT_URL,
        AWS_PROFILE and so on).
    names
        Relative paths of files, the preferred first.

    Raises
    ------
    IcefloeError
        If S3 cannot be reached or refuses, or boto3 is not installed.
    """
    if isinstance(mirror, str) and mirror.startswith(S3):
        return _find_on_s3(mirror, names)
    return next((Path(mirror) / name for name in names if (Path(mirror) / name).is_file()), None)


def _find_on_s3(mirror: str, names: Sequence[str]) -> Path | None:
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError as error:
        raise IcefloeError(
            f"{mirror}: reading S3 needs boto3. Run pip install 'icefloe[cluster]'."
        ) from error
    bucket, _, prefix = mirror.removeprefix(S3).partition("/")
    config = Config(connect_timeout=TIMEOUT, retries={"total_max_attempts": 2})
    try:
        client = boto3.client("s3", config=config)
        for name in names:
            key = f"{prefix.rstrip('/')}/{name}".lstrip("/")
            try:
                found = client.head_object(Bucket=bucket, Key=key)
            except ClientError as error:
                if error.response["Error"]["Code"] in ("404", "NoSuchKey"):
                    continue
                raise
            return _copy(client, bucket, key, found["ETag"].strip('"'))
        client.head_bucket(Bucket=bucket)  # an object of a bucket that does not exist is just not found
    except (BotoCoreError, ClientError) as error:
        reason = " ".join(str(error).split())[:200]
        raise IcefloeError(
            f"{mirror}: cannot be read ({reason}). "
            "Check the address and the credentials, or name a local folder."
        ) from error
    return None


def _copy(client: Any, bucket: str, key: str, etag: str) -> Path:
    """The object's local copy; its path contains the ETag, so a changed object is copied again."""
    path = cache_folder() / bucket / Path(key).parent / etag / Path(key).name
    if path.is_file():
        return path
    logger.info("Copying s3://%s/%s.", bucket, key)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as beside:
        # botocore compares the bytes with the checksum that the store keeps of them.
        client.download_file(bucket, key, f"{beside}/whole")
        Path(f"{beside}/whole").replace(path)
    return path
