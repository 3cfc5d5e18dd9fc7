"""Tables of records, and what differences say in words."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from icefloe.statistics.interval import Interval
from icefloe.tables import Table

Row = TypeVar("Row")
Column = TypeVar("Column")


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


def grid(
    heading: str,
    rows: Mapping[str, Row],
    columns: Mapping[str, Column],
    cell: Callable[[Row, Column], object],
) -> Table:
    """A cell for every row and column, both by their headings; `heading` is that of the rows' own column."""
    return Table.of(
        {heading: name} | {title: str(cell(row, column)) for title, column in columns.items()}
        for name, row in rows.items()
    )


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
