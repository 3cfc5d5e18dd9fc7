"""Pages of measured numbers: when, on which machine, and a table."""

import os
import platform
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from icefloe.files import write_text_atomic
from icefloe.tables import Table

DOCS = Path(__file__).resolve().parents[2] / "docs" / "speed"


def write_page(name: str, title: str, command: str, about: str, tables: Iterable[Table], notes: str) -> Path:
    """Write a page into `docs/speed`.

    Parameters
    ----------
    name
        Of the file, without ending.
    title, about, notes
        Heading, text above and below the tables.
    command
        That makes the page.
    tables
        One below the other.
    """
    path = DOCS / f"{name}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    made = f"Measured on {date.today()} on {machine()}; `{command}` makes this page."
    parts = [f"# {title}", about.strip(), made, *(table.markdown().strip() for table in tables)]
    write_text_atomic(path, "\n\n".join([*parts, notes.strip()]) + "\n")
    return path


def machine() -> str:
    """This machine, in words."""
    cores = len(os.sched_getaffinity(0))
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{cores} cores of {models[0] if models else platform.machine()}, without a GPU"
