"""The append-only log of what people changed."""

import json
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, insert, select

from icefloe.database.engine import Database
from icefloe.database.schema import audit


class Entry(BaseModel):
    """One change: when (s since the epoch), by whom, what, to whom or what, and how."""

    model_config = ConfigDict(frozen=True)

    id: int
    time: float
    actor: str
    what: str
    target: str
    detail: dict[str, Any]


def record(connection: Connection, time: float, actor: str, what: str, target: str, **detail: object) -> None:
    """Add a line, in the transaction of the change itself; `detail` must hold no secret."""
    row = {"time": time, "actor": actor, "what": what, "target": target, "detail": json.dumps(detail)}
    connection.execute(insert(audit), row)


def read(database: Database, before: int | None = None, limit: int = 100) -> list[Entry]:
    """The newest entries first, those before entry number `before`."""
    chosen = select(audit).order_by(audit.c.id.desc()).limit(limit)
    if before is not None:
        chosen = chosen.where(audit.c.id < before)
    with database.reading() as connection:
        rows = connection.execute(chosen).mappings().all()
    return [Entry.model_validate({**row, "detail": json.loads(row["detail"])}) for row in rows]
