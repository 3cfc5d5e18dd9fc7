"""The error for a thing that is not there, or that the person may not know of."""

from icefloe.errors import IcefloeError


class MissingError(IcefloeError):
    """There is no such thing; the API answers 404."""
