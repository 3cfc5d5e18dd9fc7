"""Tables of records, and what differences say in words."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from icefloe.statistics.interval import Interval
from icefloe.tables import Table

Row = TypeVar("Row")
Column = TypeVar("Column")


def table_of(records: Iterable[object], columns: Mapping[str, str]) -> Table:
    """A row a record.

    Parameters
    ----------
    records
        Their attributes are shown: None as a dash, what is no number by its own text.
    columns
        Heading -> name of an attribute, with the format of numbers behind it, such as `dice:.3f`.
    """
    parts = {heading: what.partition(":") for heading, what in columns.items()}
    rows = ({heading: getattr(record, name) for heading, (name, *_) in parts.items()} for record in records)
    return Table.of(rows, {heading: how for heading, (_, _, how) in parts.items()})


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
