"""Leases in the database."""

from typing import Any, Literal

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from icefloe.active.items import LeaseRecord
from icefloe.database.schema import leases

End = Literal["submitted", "released", "expired", "skipped"]

# Built once: putting a statement together takes longer than SQLite takes to run it.
_ADD = insert(leases)
_FIND = select(leases).where(leases.c.token == bindparam("of_token"))
_LAST = select(leases).where(leases.c.item == bindparam("item_id")).order_by(leases.c.id.desc()).limit(1)
_RUNNING = (
    select(leases)
    .where(
        leases.c.labeler == bindparam("labeler"),
        leases.c.ended.is_(None),
        leases.c.expires > bindparam("now"),
    )
    .order_by(leases.c.id)
)
_END_EXPIRED = (
    update(leases)
    .where(leases.c.ended.is_(None), leases.c.expires <= bindparam("now"))
    .values(ended="expired")
    .returning(*leases.c)
)
_CHANGE = update(leases).where(leases.c.token == bindparam("of_token"))
_END_RUNNING = update(leases).where(leases.c.item == bindparam("item_id"), leases.c.ended.is_(None))


def add(connection: Connection, lease: LeaseRecord) -> None:
    """Keep a lease that begins; the database refuses it while another one of the item runs."""
    connection.execute(
        _ADD,
        {
            "token": lease.token,
            "item": lease.item_id,
            "labeler": lease.labeler,
            "expires": lease.expires,
        },
    )


def find(connection: Connection, token: str) -> LeaseRecord | None:
    """The lease of a token."""
    row = connection.execute(_FIND, {"of_token": token}).one_or_none()
    return None if row is None else _as_lease(row)


def last_of(connection: Connection, item_id: int) -> LeaseRecord | None:
    """The newest lease of an item."""
    row = connection.execute(_LAST, {"item_id": item_id}).one_or_none()
    return None if row is None else _as_lease(row)


def running(connection: Connection, labeler: str, now: float) -> list[LeaseRecord]:
    """The leases of a labeler that run at `now` (s since the epoch), oldest first."""
    return [_as_lease(row) for row in connection.execute(_RUNNING, {"labeler": labeler, "now": now})]


def end_expired(connection: Connection, now: float) -> list[LeaseRecord]:
    """End the leases whose time is over at `now` (s since the epoch); return them."""
    return [_as_lease(row) for row in connection.execute(_END_EXPIRED, {"now": now})]


def end(connection: Connection, token: str, how: End) -> None:
    """End one lease, or say anew how it ended."""
    connection.execute(_CHANGE, {"of_token": token, "ended": how})


def end_running(connection: Connection, item_id: int, how: End) -> None:
    """End the running lease of an item, if there is one."""
    connection.execute(_END_RUNNING, {"item_id": item_id, "ended": how})


def renew(connection: Connection, token: str, expires: float) -> None:
    """Let a lease run, ended or not, until `expires` (s since the epoch)."""
    connection.execute(_CHANGE, {"of_token": token, "ended": None, "expires": expires})


def _as_lease(row: Row[*tuple[Any, ...]]) -> LeaseRecord:
    return LeaseRecord(row.token, row.item, row.labeler, row.expires, row.ended)
