"""Promotions and rollbacks, and the sequence of champions that they imply."""

import getpass
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict

TIME = "%Y-%m-%dT%H:%M:%S.%fZ"
"""To the microsecond, so that entries sort by it."""


class HistoryEntry(BaseModel):
    """One change of the champion.

    Attributes
    ----------
    action
        `promote` or `rollback`.
    champion, replaced
        The version that became champion and the one it replaced (None: there was none).
    by, at
        Person who did it, and time (ISO 8601, UTC, to the microsecond).
    reason
        Why, in words; a forced promotion always has one.
    verdict
        The promotion gate's verdict on the new champion; None: it was not judged.
    forced
        Whether the gate was overruled.
    """

    model_config = ConfigDict(frozen=True)

    action: Literal["promote", "rollback"]
    champion: str
    replaced: str | None
    by: str
    at: str
    reason: str
    verdict: str | None
    forced: bool = False

    def change(self) -> str:
        """`ada promoted EA-T2, replacing EA-T1`."""
        what = "promoted" if self.action == "promote" else "restored"
        over = f", replacing {self.replaced}" if self.replaced else ""
        how = " (forced)" if self.forced else ""
        return f"{self.by} {what} {self.champion}{over}{how}"

    @property
    def when(self) -> str:
        """`2026-11-29 14:03 UTC`."""
        return f"{self.at[:16].replace('T', ' ')} UTC"

    def sentence(self) -> str:
        """The entry in one line."""
        return f"{self.when} {self.change()}: {self.reason}"


def time_after(history: Sequence[HistoryEntry]) -> str:
    """Time for the next entry: now, or if another machine's clock is ahead, just after the last entry."""
    now = datetime.now(UTC)
    if history:
        last = datetime.strptime(history[-1].at, TIME).replace(tzinfo=UTC)
        now = max(now, last + timedelta(microseconds=1))
    return now.strftime(TIME)


def current_user() -> str:
    """Name of the user the process runs as; `unknown` where the system has none (a container's bare uid)."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def champion_line(history: Sequence[HistoryEntry]) -> list[str]:
    """The champions that repeated rollbacks would restore, oldest first, the present one last.

    A promotion follows on the version that it replaced. So a change that was noted and never took effect,
    because its process died or another was quicker, drops out when the next is noted, and an entry that was
    noted twice counts once.
    """
    line: list[str] = []
    for entry in history:
        before = entry.champion if entry.action == "rollback" else entry.replaced
        if before in line:
            while line[-1] != before:
                line.pop()
        elif before is not None:
            line = [before] if entry.action == "rollback" else [*line, before]
        if not line or line[-1] != entry.champion:
            line.append(entry.champion)
    return line
