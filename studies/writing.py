"""A finished study on disk: a page to read, its figures, and every number behind them."""

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Protocol

from matplotlib.figure import Figure

from icefloe.files import write_bytes_atomic, write_text_atomic
from icefloe.report.figures import png


class Study(Protocol):
    """What every study returns.

    Attributes
    ----------
    name
        Of its files and its command, such as `ea-vs-er`.
    title
        Heading of its page.
    """

    name: ClassVar[str]
    title: ClassVar[str]

    def to_markdown(self) -> str:
        """Tables and verdicts in plain words; `![what it shows](<name>-<figure>.png)` places a figure."""

    def figures(self) -> Mapping[str, Figure]:
        """By the name that the page calls them."""

    def to_dict(self) -> dict[str, Any]:
        """Every number in plain types, for JSON."""


@dataclass(frozen=True)
class Circumstances:
    """How a study came about, for the head of its page.

    Attributes
    ----------
    command
        What was typed.
    data
        The data version.
    seconds
        Wall time; what an earlier run left finished is not in it.
    """

    command: str
    data: str
    seconds: float

    def sentence(self) -> str:
        """One line: date, command, data, time, machine."""
        minutes = f"{self.seconds / 60:.0f} min" if self.seconds >= 120 else f"{self.seconds:.0f} s"
        return (
            f"Measured {datetime.now(UTC):%Y-%m-%d} by `{self.command}` in {minutes} "
            f"on {os.cpu_count()} cores ({platform.machine()}), data version {self.data}."
        )


def write_study(study: Study, folder: Path, circumstances: Circumstances) -> Path:
    """Write `<name>.md`, `<name>.json` and `<name>-<figure>.png` for each figure; the page comes last.

    Returns
    -------
    Path
        The page.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in study.figures().items():
        write_bytes_atomic(folder / f"{study.name}-{name}.png", png(figure))
    numbers = {"measured": circumstances.sentence(), **study.to_dict()}
    write_text_atomic(folder / f"{study.name}.json", json.dumps(numbers, indent=1) + "\n")
    page = folder / f"{study.name}.md"
    text = f"# {study.title}\n\n{circumstances.sentence()}\n\n{study.to_markdown().strip()}\n"
    write_text_atomic(page, text)
    return page
