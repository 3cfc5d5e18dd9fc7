"""Tables of records."""

from collections.abc import Iterable, Mapping

from icefloe.tables import Table


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
