"""What every command needs: the workspace, the console, and errors told in one line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console, JustifyMethod
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from rich.progress import Progress

    from icefloe.settings import Settings

console = Console()
errors = Console(stderr=True)

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
    """One line to the person who waits, in rich markup."""
    console.print(line, highlight=False, soft_wrap=not console.is_terminal)  # a log's lines stay whole


def warn(line: str) -> None:
    """One line on standard error of what did not stop the command."""
    errors.print(f"[yellow]warning:[/yellow] {escape(line)}", soft_wrap=True, highlight=False)


def refuse(line: str) -> None:
    """The one line on standard error with which a command ends that its user can fix."""
    errors.print(f"[red]error:[/red] {escape(line)}", soft_wrap=True, highlight=False)


def progress() -> Progress:
    """Bars for a terminal, gone when done; nothing elsewhere, where rich would leave an empty line."""
    from rich.progress import Progress

    return Progress(console=console, transient=True, disable=not console.is_terminal)


def table(title: str, *columns: str) -> Table:
    """An empty table in the project's look; columns ending in `>` are right-aligned."""
    made = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for column in columns:
        justify: JustifyMethod = "right" if column.endswith(">") else "left"
        made.add_column(column.removesuffix(">"), justify=justify, overflow="fold")
    return made
