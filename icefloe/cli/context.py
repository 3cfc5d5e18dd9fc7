"""What every command needs: the workspace, the console, progress, and errors in one line."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console, JustifyMethod
from rich.table import Table as RichTable
from rich.text import Text

from icefloe.progress import Lines

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from icefloe.progress import Progress
    from icefloe.settings import Settings

# What people name is printed as they typed it: neither [brackets] nor :colons: are instructions to rich.
console = Console(markup=False, emoji=False, highlight=False)
errors = Console(stderr=True, markup=False, emoji=False, highlight=False)

QUIET_SECONDS = 10.0
"""Seconds between lines of progress where there is no terminal."""

_WRITTEN_OUT = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\n"}

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
        If the folder is in no workspace, and the profile needs one.
    """
    from icefloe.scratch import clean_scratch
    from icefloe.settings import load_settings

    found = load_settings(_workspace)
    if found.folder is not None:
        clean_scratch(found.folder)
    return found


def place() -> str:
    """Where the command works, for messages on the disk."""
    return str(_workspace or Path.cwd())


def say(*parts: str | Text) -> None:
    """One line to the person who waits; a part that should stand out is `bold`."""
    # A log's lines stay whole.
    line = Text.assemble(*(part if isinstance(part, Text) else _visible(part) for part in parts))
    console.print(line, soft_wrap=not console.is_terminal)


def warn(line: str) -> None:
    """One line on standard error of what did not stop the command."""
    errors.print(Text.assemble(("warning: ", "yellow"), _visible(line)), soft_wrap=True)


def refuse(line: str) -> None:
    """The one line on standard error with which a command ends that its user can fix."""
    errors.print(Text.assemble(("error: ", "red"), _visible(line)), soft_wrap=True)


def bold(text: object) -> Text:
    """A path or a command within a line."""
    return Text(_visible(str(text)), "bold")


def print_any_character() -> None:
    """Let standard output and error show as `\\xb0` what their encoding has no sign for, such as ASCII."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _visible(text: str) -> str:
    """The text with control characters written out: in a file's name they could steer the terminal."""
    return text.translate(_WRITTEN_OUT)


@contextmanager
def progress() -> Iterator[Progress]:
    """Bars in a terminal, removed when done; a line from time to time elsewhere."""
    if not console.is_terminal:
        yield PlainProgress()
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[detail]}", markup=False),
    )
    with Bars(*columns, console=console, transient=True) as bars:
        yield TerminalProgress(bars)


class PlainProgress(Lines):
    """Lines, for a log or a pipe."""

    def __init__(self) -> None:
        super().__init__(say, QUIET_SECONDS)

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
            self._tasks[what] = self._bars.add_task(_visible(what), total=total, detail="")
        self._bars.update(self._tasks[what], completed=done, total=total, detail=_visible(detail))

    def tell(self, line: str) -> None:
        """Print a line above the bars."""
        say(line)

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
