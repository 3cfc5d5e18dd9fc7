"""Tables of records, and what differences say in words."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from icefloe.statistics.interval import Interval
from icefloe.tables import Table

_PIPE_TABLE = re.compile(r"(?:^\|.*\|\n)+", re.MULTILINE)
_BAR = re.compile(r"(?<!\\)\|")


def table_of(records: Iterable[object], columns: Mapping[str, str], grouped_by: Sequence[str] = ()) -> Table:
    """A row a record.

    Parameters
    ----------
    records
        Their attributes are shown: None as a dash, several values with commas between, what is no number by
        its own text.
    columns
        Heading -> name of an attribute, with a format behind it: of numbers such as `dice:.3f`; of intervals
        their digits, `area:3`, with a sign, `gain:+3`, or as half a width, `area:±3`.
    grouped_by
        Headings of columns that are filled in only where one of them differs from the row above.
    """
    parts = {heading: what.partition(":") for heading, what in columns.items()}
    rows, above = [], None
    for record in records:
        row = {heading: _shown(getattr(record, name), how) for heading, (name, _, how) in parts.items()}
        group = [row[heading] for heading in grouped_by]
        rows.append(row | dict.fromkeys(grouped_by, "") if group == above else row)
        above = group
    return Table.of(rows, {heading: how for heading, (_, _, how) in parts.items()})


def _shown(value: Any, how: str) -> Any:
    """The cell of a value, as far as it is not formatted as a number."""
    if isinstance(value, tuple):
        return ", ".join(value)
    if not isinstance(value, Interval) or not how:
        return value
    return value.plus_minus(int(how[1:])) if how[0] == "±" else value.text(int(how), signed=how[0] == "+")


def tables_in(markdown: str) -> list[Table]:
    """The pipe tables of a page; a column is of numbers where a line of dashes, such as `--:`, says so."""
    return [_parsed(found[0]) for found in _PIPE_TABLE.finditer(markdown)]


def align_tables(markdown: str) -> str:
    """A page with its pipe tables laid out in columns of one width."""
    return _PIPE_TABLE.sub(lambda found: _parsed(found[0]).markdown(), markdown)


def _parsed(lines: str) -> Table:
    head, *rows = ([cell.strip() for cell in _BAR.split(line)[1:-1]] for line in lines.splitlines())
    marks = rows.pop(0) if rows and all(set(mark) <= set(":-") for mark in rows[0]) else [""] * len(head)
    numeric = tuple(mark.endswith(":") for mark in marks)
    return Table(tuple(head), tuple(tuple(cell.replace("\\|", "|") for cell in row) for row in rows), numeric)


def in_words(
    difference: Interval,
    better: str = "better",
    worse: str = "worse",
    undecided: str = "no difference shown",
) -> str:
    """The finding of a difference's interval; without an interval none."""
    if not difference.is_bounded:
        return "one seed cannot tell"
    return {"better": better, "worse": worse}.get(difference.finding(), undecided)


def listed(names: Iterable[str]) -> str:
    """`D2`, `D2 and D3`, `D2, D3 and D4`."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
