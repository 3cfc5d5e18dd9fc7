"""What every command needs: the workspace, the console, progress, and errors in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console, JustifyMethod
from rich.markup import escape
from rich.table import Table as RichTable

from icefloe.progress import Lines

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from icefloe.progress import Progress
    from icefloe.settings import Settings

console = Console()
errors = Console(stderr=True)

QUIET_SECONDS = 10.0
"""Seconds between lines of progress where there is no terminal."""

_workspace: Path | None = None


def use_workspace(folder: Path | None) -> None:
    """Remember the folder given with `-C`."""
    global _workspace
    _workspace = folder


def settings() -> Settings:
    """Settings of the workspace that the command works in.

    Raises
    ------
    IcefloeError
        If the folder is in no workspace.
    """
    from icefloe.settings import load_settings

    return load_settings(_workspace)


def say(line: str) -> None:
    """Print one line, in rich markup, on standard output."""
    console.print(line, highlight=False, soft_wrap=not console.is_terminal)  # a log's lines stay whole


def warn(line: str) -> None:
    """Print one warning on standard error."""
    errors.print(f"[yellow]warning:[/yellow] {escape(line)}", soft_wrap=True, highlight=False)


def refuse(line: str) -> None:
    """Print the one line on standard error with which a refused command ends."""
    errors.print(f"[red]error:[/red] {escape(line)}", soft_wrap=True, highlight=False)


@contextmanager
def progress() -> Iterator[Progress]:
    """Bars in a terminal, removed when done; a line from time to time elsewhere."""
    if not console.is_terminal:
        yield PlainProgress()
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bars(*columns, TextColumn("{task.fields[detail]}"), console=console, transient=True) as bars:
        yield TerminalProgress(bars)


class PlainProgress(Lines):
    """Lines, for a log or a pipe."""

    def __init__(self) -> None:
        super().__init__(lambda line: say(escape(line)), QUIET_SECONDS)

    def warn(self, line: str) -> None:
        """On standard error."""
        warn(line)


class TerminalProgress:
    """One bar per task."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def advance(self, what: str, done: int, total: int | None = None, detail: str = "") -> None:
        """Move the task's bar; it appears with the first unit."""
        if what not in self._tasks:
            self._tasks[what] = self._bars.add_task(escape(what), total=total, detail="")
        self._bars.update(self._tasks[what], completed=done, total=total, detail=escape(detail))

    def tell(self, line: str) -> None:
        """Print a line above the bars."""
        say(escape(line))

    def warn(self, line: str) -> None:
        """On standard error."""
        warn(line)


def table(title: str, *columns: str) -> RichTable:
    """An empty table in the project's style; columns ending in `>` are right-aligned."""
    made = RichTable(title=title, title_justify="left", title_style="bold", header_style="bold")
    for column in columns:
        justify: JustifyMethod = "right" if column.endswith(">") else "left"
        made.add_column(column.removesuffix(">"), justify=justify, overflow="fold")
    return made
