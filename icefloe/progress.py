"""Progress of long work, for terminals, logs and pages."""

import time
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import Protocol, TypeVar

Item = TypeVar("Item")


class Progress(Protocol):
    """Receives progress and messages: a terminal's bars, a log's lines, a page."""

    def advance(self, what: str, done: int, total: int | None = None, detail: str = "") -> None:
        """`done` units of `total` (None: not known) of the work called `what` are finished.

        `detail` is what the last unit came to, such as a loss; a log shows it, a bar beside itself.
        """

    def tell(self, line: str) -> None:
        """A message on a line of its own; plain text."""

    def warn(self, line: str) -> None:
        """A warning that does not stop the work; plain text."""


class Silent:
    """Ignores everything."""

    def advance(self, what: str, done: int, total: int | None = None, detail: str = "") -> None:
        """Nothing."""

    def tell(self, line: str) -> None:
        """Nothing."""

    def warn(self, line: str) -> None:
        """Nothing."""


SILENT = Silent()


class Lines:
    """A line from time to time, for logs and pipes.

    Parameters
    ----------
    write
        Function that takes a line, without its line break.
    seconds
        Least time between two lines on the same work, and of a work that has any; its end then has one.
    """

    def __init__(self, write: Callable[[str], None], seconds: float = 10.0) -> None:
        self._write, self._seconds = write, seconds
        self._last: dict[str, float] = {}
        self._reported: set[str] = set()

    def advance(self, what: str, done: int, total: int | None = None, detail: str = "") -> None:
        """Write a line if the last one on this work is old enough, and at its end after earlier lines."""
        now = time.monotonic()
        is_due = now - self._last.setdefault(what, now) >= self._seconds
        if not (is_due or (done == total and what in self._reported)):
            return
        self._last[what] = now
        self._reported.add(what)
        counted = f"{done} of {total}" if total is not None else f"{done}"
        self._write(f"{what}: {counted}" + (f", {detail}" if detail else ""))

    def tell(self, line: str) -> None:
        """The line itself."""
        self._write(line)

    def warn(self, line: str) -> None:
        """The line, marked."""
        self._write(f"warning: {line}")


def tracked(items: Iterable[Item], progress: Progress, what: str, total: int | None = None) -> Iterator[Item]:
    """The items, each counted when the next is asked for.

    Parameters
    ----------
    items
        Items, one unit of work each.
    progress
        Told before the first and after each.
    what
        Name of the work, as shown to the user.
    total
        Number of items; by default their length, where they have one.
    """
    if total is None and isinstance(items, Sized):
        total = len(items)
    progress.advance(what, 0, total)
    for done, item in enumerate(items, 1):
        yield item
        progress.advance(what, done, total)


def rough_time(seconds: float) -> str:
    """A duration as one says it: 40 s, 7 min, 2.5 h."""
    if seconds < 90:
        return f"{max(10, 10 * round(seconds / 10))} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"
