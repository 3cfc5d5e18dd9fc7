"""What a label was made from, and with which programs."""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version


@dataclass(frozen=True)
class Origin:
    """What a label was made from, and with which programs; None where that is not known.

    Attributes
    ----------
    presegmentation
        SHA-256 of the pre-segmentation's PNG, in hex; None: it began with an empty mask.
    predicted_by
        Version that gave the pre-segmentation, such as `EA-T1`.
    client
        The program it was made with, such as `editor 3f9a2c81d4e0` or `label-studio`.
    icefloe
        Version of the Icefloe that took it.
    """

    presegmentation: str | None = None
    predicted_by: str | None = None
    client: str | None = None
    icefloe: str | None = None


NOT_KNOWN = Origin()
"""Of labels from before it was noted."""


@cache
def icefloe_version() -> str:
    """Version of the Icefloe that runs."""
    return version("icefloe")


def sha256(png: bytes) -> str:
    """What a mask is known by."""
    return hashlib.sha256(png).hexdigest()
