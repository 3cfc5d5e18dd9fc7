"""Local weights: a file, the package, a folder, an S3 prefix. This module needs no torch."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from icefloe.errors import IcefloeError
from icefloe.models.cards import IMAGE_SIM, SIMULATED
from icefloe.s3.address import is_on_s3, open_s3
from icefloe.typing import WeightsMirror

logger = logging.getLogger(__name__)

SHIPPED = Path(__file__).parent / "sim"


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
    if is_on_s3(mirror):
        return _find_on_s3(str(mirror), names)
    return next((Path(mirror) / name for name in names if (Path(mirror) / name).is_file()), None)


def _find_on_s3(mirror: str, names: Sequence[str]) -> Path | None:
    """The object's local copy; its path contains the ETag, so a changed object is copied again."""
    store = open_s3(mirror)
    found = next((found for found in map(store.find, names) if found is not None), None)
    if found is None:
        return None
    key = Path(found.key)
    path = cache_folder() / store.bucket / key.parent / found.etag / key.name
    if not path.is_file():
        logger.info("Copying s3://%s/%s.", store.bucket, key)
        store.download(found, path)
    return path
