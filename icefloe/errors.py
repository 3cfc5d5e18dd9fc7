"""The one exception family for everything a user can cause and fix."""

import errno
import sqlite3


class IcefloeError(Exception):
    """What happened, to which file or thing, and what to do; the command line prints it and exits 2."""


class MissingError(IcefloeError):
    """There is no such thing, or nobody may tell the one who asks."""


class ConflictError(IcefloeError):
    """It was possible when it was begun; what somebody did since rules it out."""


class TooLargeError(IcefloeError):
    """It would take more memory or time than one request may."""


class BusyError(IcefloeError):
    """Not now: others are in the way, or a server is not there; the same may work later."""


class NoRoomError(IcefloeError):
    """The disk is full."""


_FULL = "Make room there, then run the command again"
_PLACE = "Fix that, or name another path"
_REMEDIES = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: "Use a disk, or a limit, that allows larger files",
    errno.EROFS: _PLACE,
    errno.EACCES: _PLACE,
    errno.EPERM: _PLACE,
    errno.EEXIST: _PLACE,
    errno.ENOTEMPTY: _PLACE,
    errno.EISDIR: _PLACE,
    errno.ENOTDIR: _PLACE,
    errno.ENAMETOOLONG: "Use a shorter name",
    errno.ELOOP: "Remove the links that lead to each other",
    errno.EIO: "Check the disk or the network",
    errno.ESTALE: "Check the disk or the network",
    errno.EMFILE: "Raise the limit with `ulimit -n 4096`",
}
_DATABASE = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: _PLACE,
    sqlite3.SQLITE_CANTOPEN: _PLACE,
    sqlite3.SQLITE_IOERR: "See that the disk has room and the limits on file sizes allow it",
    sqlite3.SQLITE_CORRUPT: "Restore the file from a backup",
    sqlite3.SQLITE_NOTADB: "Restore the file from a backup",
}
_PRIMARY = 0xFF
"""SQLite's extended result codes have the plain one in their lowest byte."""


def explain_system_error(error: BaseException, place: str = "this disk") -> str | None:
    """What the operating system or SQLite refused, and what to do, in one line; None for other errors.

    Parameters
    ----------
    error
        As it came; what it arose from is looked at, too.
    place
        Named where the system names no file.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in _REMEDIES:
            if cause.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) and cause.filename2 is not None:
                return f"{_name(cause.filename2)}: {cause.strerror}. {_REMEDIES[cause.errno]}."
            if cause.filename is not None or cause.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                return f"{_name(cause.filename or place)}: {cause.strerror}. {_REMEDIES[cause.errno]}."
        if isinstance(cause, sqlite3.Error):
            code = getattr(cause, "sqlite_errorcode", -1) & _PRIMARY
            if code in _DATABASE:
                return f"{place}: its database can't be used ({cause}). {_DATABASE[code]}."
        cause = cause.__cause__ or cause.__context__
    return None


def is_disk_full(error: BaseException) -> bool:
    """Whether an error says that there is no room on a disk."""
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return full or isinstance(error, NoRoomError)


def _name(file: object) -> str:
    return file.decode(errors="backslashreplace") if isinstance(file, bytes) else str(file)
