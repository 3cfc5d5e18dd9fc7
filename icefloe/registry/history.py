"""The append-only history of promotions and rollbacks, and the line of champions it implies."""

import getpass
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

KEY_PREFIX = "history."


@dataclass(frozen=True)
class HistoryEntry:
    """One change of the champion.

    Attributes
    ----------
    action
        `promote` or `rollback`.
    champion, replaced
        The version that became champion and the one it replaced (None: there was none).
    by, at
        Who, and when (ISO 8601, UTC).
    reason
        Why, in words; a forced promotion always has one.
    verdict
        The promotion gate's verdict on the new champion; None: it was not judged.
    forced
        Whether the gate was overruled.
    """

    action: Literal["promote", "rollback"]
    champion: str
    replaced: str | None
    by: str
    at: str
    reason: str
    verdict: str | None
    forced: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain types, for JSON."""
        return asdict(self)

    def sentence(self) -> str:
        """The entry in one line."""
        what = "promoted" if self.action == "promote" else "restored"
        over = f", replacing {self.replaced}" if self.replaced else ""
        how = " (forced)" if self.forced else ""
        return f"{self.at} {self.by} {what} {self.champion}{over}{how}: {self.reason}"

    def as_tag(self) -> tuple[str, str]:
        """Key and value of the registry tag that keeps this entry.

        Every entry has a key of its own, so that adding one reads nothing and can overwrite nothing.
        """
        return f"{KEY_PREFIX}{self.at}.{secrets.token_hex(4)}", json.dumps(self.to_dict())


def now() -> str:
    """Time for a history entry: to the microsecond so that keys sort, without the `+` that MLflow refuses."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def current_user() -> str:
    """Name of the user the process runs as; `unknown` where the system has none (a container's bare uid)."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def read_history(tags: Mapping[str, str]) -> list[HistoryEntry]:
    """Entries among a registered model's tags, oldest first."""
    return [HistoryEntry(**json.loads(tags[key])) for key in sorted(tags) if key.startswith(KEY_PREFIX)]


def champion_line(history: Sequence[HistoryEntry]) -> list[str]:
    """Champions that a series of rollbacks would go back through, oldest first, the present one last.

    An entry that was noted twice, because the process died before it took effect and the command was given
    again, counts once.
    """
    line: list[str] = []
    for entry in history:
        if entry.action == "rollback":
            while line and line[-1] != entry.champion:
                line.pop()
        if not line or line[-1] != entry.champion:
            line.append(entry.champion)
    return line
