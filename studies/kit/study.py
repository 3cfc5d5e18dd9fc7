"""A study from its start to the files that people read: a page, its figures, and every number behind them."""

import json
import platform
import time
from abc import abstractmethod
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import matplotlib
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from matplotlib.figure import Figure
from pydantic import BaseModel, ConfigDict

from icefloe.datasets.versions import current_version, is_clean
from icefloe.files import write_bytes_atomic, write_text_atomic
from icefloe.machine import usable_cores
from icefloe.progress import Progress
from icefloe.report.figures import png
from icefloe.result import Result
from icefloe.settings import Settings
from icefloe.tables import Table
from studies.kit.figures import STYLE
from studies.kit.tables import align_tables, in_words, listed, table_of, tables_in

STUDIES = Path(__file__).parents[1]
LONGEST_LINE = 240
"""Of a JSON file, unless it is a single value."""


class Record(BaseModel):
    """One row of a study's numbers."""

    model_config = ConfigDict(frozen=True)


class StudyResult(Result):
    """What a study found; `name` is that of its files, `folder` where its templates are.

    Attributes
    ----------
    words
        What the templates may name besides the result and its numbers.
    measured
        How it arrivals about: date, command, time, machine, data version.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    folder: ClassVar[str]
    words: ClassVar[Mapping[str, Any]] = {}

    measured: str = ""

    @abstractmethod
    def figures(self) -> Mapping[str, Figure]:
        """By the name that the page calls them; without those of pictures that no JSON file keeps."""

    def findings(self) -> list[str]:
        """What was found, a sentence or two each: the paragraphs of `findings.jinja`."""
        paragraphs = self._rendered("findings.jinja").split("\n\n")
        return [" ".join(text.split()) for text in paragraphs if text.strip()]

    def page(self) -> str:
        """The whole page, Markdown."""
        return align_tables(self._rendered("page.md.jinja"))

    def table(self) -> Table:
        """The first one on the page."""
        return tables_in(self.page())[0]

    def _rendered(self, template: str) -> str:
        environment = Environment(
            loader=FileSystemLoader(STUDIES),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            finalize=lambda value: value.markdown().rstrip() if isinstance(value, Table) else value,
        )
        environment.globals |= {"table": table_of, "in_words": in_words, "listed": listed}
        return environment.get_template(f"{self.folder}/{template}").render(result=self, **self.words)


Found = TypeVar("Found", bound=StudyResult)


def run_study(
    study: Callable[[Settings, Progress], Found],
    settings: Settings,
    output: Path,
    command: str,
    progress: Progress,
) -> tuple[Found, Path]:
    """Do a study on a workspace and write it down.

    Parameters
    ----------
    study
        The work; killed and run again, it goes on where it stood.
    settings
        Paths and services of the workspace.
    progress
        Told how far the work is.
    output
        Folder for the page, its figures and its numbers.
    command
        The command line, for the head of the page.

    Returns
    -------
    result, page : StudyResult, Path

    Raises
    ------
    IcefloeError
        If the workspace has no data version, or the study refuses what it is asked.
    """
    began = time.monotonic()
    version = current_version(settings.workspace).md5[:8]  # without one nothing need be measured
    result = study(settings, progress)
    data = version if is_clean(settings.workspace) else f"{version} with uncommitted changes"
    measured = measured_by(command, time.monotonic() - began, data)
    result = result.model_copy(update={"measured": measured})
    return result, write_study(result, output)


def measured_by(command: str, seconds: float, data: str) -> str:
    """One sentence: date, command, wall time in s, machine, data version."""
    minutes = f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"
    return (
        f"Measured {datetime.now(UTC):%Y-%m-%d} by `{command}` in {minutes} "
        f"on {usable_cores()} cores ({platform.machine()}), data version {data}."
    )


def write_study(result: StudyResult, folder: Path) -> Path:
    """Write `<name>-<figure>.png` for each figure, `<name>.json`, and last the page, which is returned."""
    folder.mkdir(parents=True, exist_ok=True)
    with matplotlib.rc_context(STYLE):
        for name, figure in result.figures().items():
            write_bytes_atomic(folder / f"{result.name}-{name}.png", png(figure))
    numbers = json.loads(result.model_dump_json())  # unlike `model_dump`, it has no NaN
    write_text_atomic(folder / f"{result.name}.json", compact_json(numbers) + "\n")
    page = folder / f"{result.name}.md"
    write_text_atomic(page, result.page())
    return page


def compact_json(value: Any, indent: str = "") -> str:
    """JSON in which whatever fits on a line stands on one: a record a line."""
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or len(indent) + len(flat) <= LONGEST_LINE:
        return flat
    deeper = indent + " "
    if isinstance(value, dict):
        parts = [f"{json.dumps(name)}: {compact_json(part, deeper)}" for name, part in value.items()]
    else:
        parts = [compact_json(part, deeper) for part in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return f"{opening}\n{deeper}" + f",\n{deeper}".join(parts) + f"\n{indent}{closing}"
