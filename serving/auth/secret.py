"""Secrets that are handed out once: opaque, random, of which only the hash is kept."""

import hashlib
import secrets


def new_secret() -> str:
    """256 random bits, in the characters of a URL."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """SHA-256 by which a secret is found again; it needs no salt, since nobody can guess 256 bits."""
    return hashlib.sha256(secret.encode()).hexdigest()
