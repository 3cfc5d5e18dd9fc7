"""Times as pages write them, in UTC."""

from datetime import UTC, datetime


def day(seconds: float) -> str:
    """`2026-11-29`, of s since the epoch."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"


def minute(seconds: float) -> str:
    """`2026-11-29 20:37 UTC`, of s since the epoch."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def duration(seconds: float) -> str:
    """`40 s`, `7 min` or `2.5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"
