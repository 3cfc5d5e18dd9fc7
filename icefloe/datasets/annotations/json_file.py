"""JSON from outside: any encoding that JSON may have, with or without a byte order mark, and no surprises."""

import json
from pathlib import Path
from typing import Any

from icefloe.errors import IcefloeError

MAX_JSON_BYTES = 512 * 2**20


def read_json(path: Path) -> Any:
    """Parsed JSON of a file from outside.

    Raises
    ------
    IcefloeError
        If the file is missing, huge, not JSON, or says one thing twice.
    """
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise IcefloeError(f"{path}: larger than {MAX_JSON_BYTES >> 20} MiB. Export in parts.")
        return parse_json(path.read_bytes(), path)
    except OSError as error:
        raise IcefloeError(f"{path}: {error.strerror}. Name the file that the tool exported.") from error


def parse_json(content: bytes, what: Path | str) -> Any:
    """Parsed JSON of bytes from outside; `what` is the file that an error names.

    Raises
    ------
    IcefloeError
        If they are not JSON, or say one thing twice.
    """
    try:
        # From bytes, json finds out whether it is UTF-8 or UTF-16, and takes a byte order mark.
        return json.loads(content, object_pairs_hook=_without_twice)
    except (ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:120]
        raise IcefloeError(f"{what}: not valid JSON ({reason}). Export the labels again.") from error


def _without_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice!r} stands twice in one object")
    return entries
