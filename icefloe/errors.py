"""The one exception family for everything a user can cause and fix."""


class IcefloeError(Exception):
    """What happened, to which file or thing, and what to do; the command line prints it and exits 2."""
