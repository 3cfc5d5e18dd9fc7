"""Passwords: Argon2id hashes, few at a time, in the same time whether or not there is such a person."""

from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from icefloe.errors import IcefloeError

SHORTEST, LONGEST = 10, 256
"""Characters. Length is what makes a password hard to guess (NIST SP 800-63B); no other rule is set."""

AT_ONCE = 2
"""Each hash takes 64 MiB and all cores of a small machine for some 50 ms."""

_hasher = PasswordHasher()
_turn = BoundedSemaphore(AT_ONCE)
_nobody: list[str] = []


def check_password(password: str, name: str) -> None:
    """Refuse a password that is too short, too long, or the person's name.

    Raises
    ------
    IcefloeError
        If it is one of these.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise IcefloeError(
            f"The password has {len(password)} characters. Choose one of {SHORTEST} to {LONGEST}."
        )
    if password.casefold() == name.casefold():
        raise IcefloeError("The password is your name. Choose one that others do not guess.")


def hash_password(password: str) -> str:
    """Argon2id hash, with its salt and parameters."""
    with _turn:
        return _hasher.hash(password)


def verify_password(hashed: str | None, password: str) -> bool:
    """Whether a password is the one that was hashed; None takes as long and is never right."""
    if len(password) > LONGEST:
        return False
    expected = hashed or _hash_of_nobody()
    with _turn:
        try:
            _hasher.verify(expected, password)
        except (VerificationError, InvalidHashError):
            return False
    return hashed is not None


def _hash_of_nobody() -> str:
    if not _nobody:
        _nobody.append(hash_password("nobody's password"))
    return _nobody[0]
