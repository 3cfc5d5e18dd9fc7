"""Tables of results: one object that a page, a terminal and a Markdown file show."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from tabulate import tabulate

MISSING = "–"
_MARKDOWN = re.compile(r"[\\`*\[\]<>|~]|(?<![^\W_])_|_(?![^\W_])")


def markdown_text(text: str) -> str:
    """Text that Markdown shows as it is, such as a name with [brackets]."""
    return _MARKDOWN.sub(r"\\\g<0>", text)


@dataclass(frozen=True)
class Table:
    """Cells as text, ready to be shown.

    Attributes
    ----------
    columns
        Headings of the columns.
    rows
        One tuple per row, as long as `columns`.
    numeric
        Whether each column holds numbers, which are aligned on the right.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]

    @classmethod
    def of(
        cls,
        rows: Iterable[Mapping[str, Any]],
        formats: Mapping[str, str] | None = None,
        columns: Sequence[str] = (),
    ) -> Self:
        """Lay out rows of values.

        Parameters
        ----------
        rows
            Column -> value; what a row lacks, and None, is shown as a dash.
        formats
            Column -> format specification of its numbers, such as `.3f`; others are written as they are.
        columns
            Headings, in order; by default those of the rows as they first come up.
        """
        rows, formats = list(rows), formats or {}
        columns = tuple(columns) or tuple(dict.fromkeys(column for row in rows for column in row))

        def text(column: str, value: Any) -> str:
            if value is None:
                return MISSING
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            return format(value, formats.get(column, "")) if is_number else str(value)

        values = {column: [row.get(column) for row in rows] for column in columns}
        return cls(
            columns,
            tuple(tuple(text(column, row.get(column)) for column in columns) for row in rows),
            tuple(
                any(
                    isinstance(value, int | float) and not isinstance(value, bool) for value in values[column]
                )
                for column in columns
            ),
        )

    def markdown(self) -> str:
        """A pipe table, with a line break at its end; a pipe in a cell is escaped."""
        rows = [[cell.replace("|", "\\|").replace("\n", "<br>") for cell in row] for row in self.rows]
        return self._tabulate("pipe", rows) + "\n"

    def html(self) -> str:
        """A `<table>`, its cells escaped."""
        return self._tabulate("html", [list(row) for row in self.rows])

    def _tabulate(self, style: str, rows: list[list[str]]) -> str:
        alignment = ["right" if numeric else "left" for numeric in self.numeric]
        table: str = tabulate(
            rows,
            headers=list(self.columns),
            tablefmt=style,
            colalign=alignment if rows else None,
            disable_numparse=True,
        )
        return table
