"""What a mask is known by, and which Icefloe takes it."""

import hashlib
from functools import cache
from importlib.metadata import version


@cache
def icefloe_version() -> str:
    """Version of the Icefloe that runs."""
    return version("icefloe")


def sha256(png: bytes) -> str:
    """What a mask is known by."""
    return hashlib.sha256(png).hexdigest()
