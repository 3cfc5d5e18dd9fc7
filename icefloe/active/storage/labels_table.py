"""Labels in the database; none is ever changed or removed."""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select

from icefloe.active.items import Label, OutsideLabel, State
from icefloe.active.origin import sha256
from icefloe.database.schema import items, labels
from icefloe.datasets.label_origin import Origin

# Built once: putting a statement together takes longer than SQLite takes to run it.
_ADD = insert(labels).returning(labels.c.id)
_FIND = select(labels).where(labels.c.id == bindparam("label_id"))
_SENT_BEFORE = (
    select(labels)
    .where(labels.c.token == bindparam("token"), labels.c.sha256 == bindparam("sha256"))
    .order_by(labels.c.id)
)
_ACCEPTED = (
    select(labels)
    .join_from(items, labels, labels.c.id == items.c.label)
    .where(items.c.state == bindparam("state"))
    .order_by(items.c.id)
)
_FIGURES = select(labels.c.id, labels.c.labeler, labels.c.seconds, labels.c.likeness).where(
    labels.c.refusal.is_(None)
)
_REFUSED = select(labels).where(labels.c.refusal.is_not(None)).order_by(labels.c.id)


def add(
    connection: Connection, label: OutsideLabel, refusal: str | None, origin: Origin, likeness: float | None
) -> Label:
    """Keep a label, accepted or refused, and what it was made from; return it as it is kept."""
    row = {
        "item": label.item_id,
        "token": label.token,
        "labeler": label.labeler,
        "time": label.time,
        "seconds": label.seconds,
        "source": label.source,
        "sha256": sha256(label.png),
        "png": label.png,
        "refusal": refusal,
        **dataclasses.asdict(origin),
        "likeness": likeness,
    }
    return Label(
        id=int(connection.execute(_ADD, row).scalar_one()),
        item_id=label.item_id,
        labeler=label.labeler,
        time=label.time,
        seconds=label.seconds,
        source=label.source,
        png=label.png,
        refusal=refusal,
        origin=origin,
        likeness=likeness,
    )


def find(connection: Connection, label_id: int) -> Label:
    """The label of a number, which must be there."""
    return _as_label(connection.execute(_FIND, {"label_id": label_id}).one())


def sent_before(connection: Connection, label: OutsideLabel) -> list[Label]:
    """Labels with the same token and the same mask, oldest first."""
    return _as_labels(connection.execute(_SENT_BEFORE, {"token": label.token, "sha256": sha256(label.png)}))


def accepted(connection: Connection, state: State) -> list[Label]:
    """The labels that the items in a state have, in the order the items were queued."""
    return _as_labels(connection.execute(_ACCEPTED, {"state": state}))


def refused(connection: Connection) -> list[Label]:
    """Labels that came too late, oldest first."""
    return _as_labels(connection.execute(_REFUSED))


@dataclass(frozen=True)
class Figure:
    """Numbers of a label, without its mask: author, time spent in s, Dice with the pre-segmentation."""

    labeler: str
    seconds: float | None
    likeness: float | None


def figures(connection: Connection) -> dict[int, Figure]:
    """Numbers of every label that was not refused, by its own."""
    return {row.id: Figure(row.labeler, row.seconds, row.likeness) for row in connection.execute(_FIGURES)}


def _as_labels(rows: Iterable[Row[*tuple[Any, ...]]]) -> list[Label]:
    return [_as_label(row) for row in rows]


def _as_label(row: Row[*tuple[Any, ...]]) -> Label:
    return Label(
        id=row.id,
        item_id=row.item,
        labeler=row.labeler,
        time=row.time,
        seconds=row.seconds,
        source=row.source,
        png=row.png,
        refusal=row.refusal,
        origin=Origin(row.presegmentation, row.predicted_by, row.client, row.icefloe),
        likeness=row.likeness,
    )
