"""How far long work has come, told to whoever waits for it."""

from collections.abc import Iterable, Iterator, Sized
from typing import Protocol, TypeVar

Item = TypeVar("Item")


class Progress(Protocol):
    """A terminal's bars, a log's lines, a page: the work does not know which."""

    def advance(self, what: str, done: int, total: int | None = None, detail: str = "") -> None:
        """`done` units of `total` (None: not known) of the work called `what` are finished.

        `detail` is what the last unit came to, such as a loss; a log shows it, a bar beside itself.
        """

    def tell(self, line: str) -> None:
        """Something worth a line of its own; plain text."""


class Silent:
    """Nobody waits."""

    def advance(self, what: str, done: int, total: int | None = None, detail: str = "") -> None:
        """Nothing."""

    def tell(self, line: str) -> None:
        """Nothing."""


SILENT = Silent()


def tracked(items: Iterable[Item], progress: Progress, what: str, total: int | None = None) -> Iterator[Item]:
    """The items, each counted when the next is asked for.

    Parameters
    ----------
    items
        Units of work.
    progress
        Is told before the first and after each.
    what
        Name of the work.
    total
        Their number; by default their length, where they have one.
    """
    if total is None and isinstance(items, Sized):
        total = len(items)
    progress.advance(what, 0, total)
    for done, item in enumerate(items, 1):
        yield item
        progress.advance(what, done, total)
