"""The queue's history in the database; it only grows."""

import json
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select

from icefloe.active.items import Event
from icefloe.database.schema import events

# Built once: putting a statement together takes longer than SQLite takes to run it.
_ADD = insert(events)
_ALL = select(events).order_by(events.c.id)
_OF_ITEM = _ALL.where(events.c.item == bindparam("item_id"))


def record(connection: Connection, time: float, item_id: int, actor: str, what: str, **detail: Any) -> None:
    """Add a line to the history; `time` is in s since the epoch, `detail` must be fit for JSON."""
    connection.execute(
        _ADD, {"time": time, "item": item_id, "actor": actor, "what": what, "detail": json.dumps(detail)}
    )


def read(connection: Connection, item_id: int | None = None) -> list[Event]:
    """What happened, oldest first, to one item or to all."""
    rows = connection.execute(_ALL if item_id is None else _OF_ITEM, {"item_id": item_id})
    return [
        Event(
            id=row.id,
            time=row.time,
            item_id=row.item,
            actor=row.actor,
            what=row.what,
            detail=json.loads(row.detail),
        )
        for row in rows
    ]
