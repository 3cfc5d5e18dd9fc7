"""Single values in what other tools write: JSON files, times and durations."""

from datetime import UTC, datetime, timedelta
from typing import Any

from icefloe.active.exchange.sources import SourceFile
from icefloe.datasets.annotations.json_file import MAX_JSON_BYTES, parse_json
from icefloe.errors import IcefloeError


def read_json(file: SourceFile) -> Any:
    """Parsed JSON of a file from outside, in UTF-8, 16 or 32, with or without a byte order mark.

    Raises
    ------
    IcefloeError
        If the file is huge or not JSON.
    """
    return parse_json(file.read(MAX_JSON_BYTES), file.where)


FIRST_TIME = datetime(1990, 1, 1, tzinfo=UTC)


def parse_time(text: object, where: str) -> float | None:
    """Seconds since the epoch of an ISO 8601 time, UTC where it names no zone; None for nothing.

    Raises
    ------
    IcefloeError
        If it is something else, or in the future.
    """
    if text is None or text == "":
        return None
    try:
        parsed = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise IcefloeError(
            f"{where}: time {str(text)[:40]!r} is not ISO 8601. Write it as 2026-03-01 13:00."
        ) from error
    parsed = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    # Clocks and time zones may be some hours wrong; by the time of labels, splits tell old from new.
    if not FIRST_TIME <= parsed <= datetime.now(UTC) + timedelta(days=1):
        raise IcefloeError(f"{where}: time {str(text)[:40]!r} can't be when a label was made. Correct it.")
    return parsed.timestamp()


def parse_seconds(value: object, where: str) -> float | None:
    """Labelling time in s; None for nothing.

    Raises
    ------
    IcefloeError
        If it is no number.
    """
    if value is None or value == "":
        return None
    try:
        return float(str(value))
    except ValueError as error:
        raise IcefloeError(
            f"{where}: seconds {str(value)[:40]!r} is not a number. Write it as 99.5."
        ) from error
