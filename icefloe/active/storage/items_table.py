"""Queued images in the database."""

import json
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, func, insert, or_, select, update

from icefloe.active.items import Item, NewItem, Purpose, QueueStatus, State
from icefloe.database.schema import items, labels, leases

# Built once: putting a statement together takes longer than SQLite takes to run it.
_RUNNING = and_(leases.c.item == items.c.id, leases.c.ended.is_(None), leases.c.expires > bindparam("now"))

_ITEMS = (
    select(
        *(column for column in items.c if column is not items.c.presegmentation),
        items.c.presegmentation.is_not(None).label("has_presegmentation"),
        leases.c.labeler.label("leased_to"),
        leases.c.expires.label("lease_expires"),
    )
    .select_from(items.outerjoin(leases, _RUNNING))
    .order_by(items.c.id)
)
_ITEM = _ITEMS.where(items.c.id == bindparam("item_id"))

_OPEN = items.c.state.in_(["waiting", "submitted"])
_SAME_IMAGE = and_(items.c.dataset == bindparam("dataset"), items.c.stem == bindparam("stem"))
_QUEUED = select(items.c.id).where(_SAME_IMAGE, or_(items.c.round == bindparam("round"), _OPEN)).limit(1)
_OPEN_ELSEWHERE = select(items.c.id).where(_SAME_IMAGE, items.c.id != bindparam("item_id"), _OPEN).limit(1)

_same_round = items.alias()
_NEXT = (
    select(items.c.id)
    .where(
        items.c.state == "waiting",
        ~select(leases.c.id).where(leases.c.item == items.c.id, leases.c.ended.is_(None)).exists(),
    )
    .order_by(
        select(func.min(_same_round.c.id)).where(_same_round.c.round == items.c.round).scalar_subquery(),
        items.c.rank,
        items.c.id,
    )
    .limit(1)
)
_NEXT_OF_DATASET = _NEXT.where(items.c.dataset == bindparam("dataset"))
_THIS_NEXT = _NEXT.where(items.c.id == bindparam("item_id"))

_ADD = insert(items).returning(items.c.id)
_SET_STATE = update(items).where(items.c.id == bindparam("item_id"))
_SET_IMPORTED = (
    update(items)
    .where(
        items.c.id == bindparam("item_id"),
        items.c.label == bindparam("label_id"),
        items.c.state == "submitted",
    )
    .values(state="imported", data_version=bindparam("version"))
)
_PRESEGMENTATION = select(items.c.presegmentation).where(items.c.id == bindparam("item_id"))

_COUNTS = select(
    func.count().filter(items.c.state == "waiting").label("waiting"),
    func.count().filter(items.c.state == "submitted").label("submitted"),
    func.count().filter(items.c.state == "skipped").label("skipped"),
    func.count().filter(items.c.state == "imported").label("imported"),
    func.count(leases.c.id).label("leased"),
    func.coalesce(func.sum(labels.c.seconds), 0.0).label("seconds"),
).select_from(items.outerjoin(leases, _RUNNING).outerjoin(labels, labels.c.id == items.c.label))
_REFUSED = (
    select(func.count())
    .select_from(labels.join(items, items.c.id == labels.c.item))
    .where(labels.c.refusal.is_not(None))
)


def add(connection: Connection, item: NewItem) -> int | None:
    """Queue an image; return its item's number, or None if its round, or an open earlier one, has it."""
    image = {"dataset": item.dataset, "stem": item.stem, "round": item.round}
    if connection.execute(_QUEUED, image).first() is not None:
        return None
    height, width = item.shape
    row = {
        **image,
        "height": height,
        "width": width,
        "classes": json.dumps(item.classes),
        "strategy": item.purpose.strategy,
        "score": float(item.purpose.score),
        "rank": item.purpose.rank,
        "reason": item.purpose.reason,
        "uncertainty": item.purpose.uncertainty,
        "presegmentation": item.presegmentation,
    }
    return int(connection.execute(_ADD, row).scalar_one())


def find(connection: Connection, item_id: int, now: float) -> Item | None:
    """The item of a number, with the lease that runs at `now` (s since the epoch)."""
    row = connection.execute(_ITEM, {"item_id": item_id, "now": now}).one_or_none()
    return None if row is None else _as_item(row)


def find_all(
    connection: Connection,
    now: float,
    state: State | None = None,
    dataset: str | None = None,
    round: str | None = None,
) -> list[Item]:
    """Items in the order they were queued, all or those of one state, dataset or round."""
    query = _ITEMS
    for column, wanted in ((items.c.state, state), (items.c.dataset, dataset), (items.c.round, round)):
        if wanted is not None:
            query = query.where(column == wanted)
    return [_as_item(row) for row in connection.execute(query, {"now": now})]


def next_waiting(
    connection: Connection, dataset: str | None = None, item_id: int | None = None
) -> int | None:
    """Number of the item to label next: not leased, of the oldest round, and there of the best rank.

    With `item_id` that item or none; else with `dataset` one of that dataset.
    """
    query = _THIS_NEXT if item_id is not None else _NEXT_OF_DATASET if dataset is not None else _NEXT
    found: int | None = connection.execute(query, {"dataset": dataset, "item_id": item_id}).scalar()
    return found


def is_open_elsewhere(connection: Connection, item: Item) -> bool:
    """Whether another item of the same image waits, or has a label that is not in the data yet."""
    image = {"dataset": item.dataset, "stem": item.stem, "item_id": item.id}
    return connection.execute(_OPEN_ELSEWHERE, image).first() is not None


def set_state(connection: Connection, item_id: int, state: State, label_id: int | None = None) -> None:
    """Change an item's state, and which label it has, None for none."""
    connection.execute(_SET_STATE, {"item_id": item_id, "state": state, "label": label_id})


def set_imported(connection: Connection, item_id: int, label_id: int, data_version: str) -> bool:
    """Note that the label of an item is part of a data version; False if that is not its label (any more)."""
    row = {"item_id": item_id, "label_id": label_id, "version": data_version}
    return connection.execute(_SET_IMPORTED, row).rowcount > 0


def presegmentation(connection: Connection, item_id: int) -> bytes | None:
    """PNG of the mask that the ensemble predicted for an item, if one was stored."""
    found: bytes | None = connection.execute(_PRESEGMENTATION, {"item_id": item_id}).scalar()
    return found


def status(connection: Connection, now: float, dataset: str | None = None) -> QueueStatus:
    """Counts of items by state at `now` (s since the epoch), of one dataset or of all."""
    counts, refused = _COUNTS, _REFUSED
    if dataset is not None:
        counts, refused = counts.where(items.c.dataset == dataset), refused.where(items.c.dataset == dataset)
    row = connection.execute(counts, {"now": now}).one()
    return QueueStatus(
        waiting=row.waiting - row.leased,
        leased=row.leased,
        submitted=row.submitted,
        skipped=row.skipped,
        imported=row.imported,
        refused_labels=connection.execute(refused).scalar_one(),
        seconds=row.seconds,
    )


def _as_item(row: Row[*tuple[Any, ...]]) -> Item:
    return Item(
        id=row.id,
        dataset=row.dataset,
        stem=row.stem,
        round=row.round,
        shape=(row.height, row.width),
        classes=tuple(json.loads(row.classes)),
        purpose=Purpose(row.strategy, row.score, row.rank, row.reason, row.uncertainty),
        state=row.state,
        has_presegmentation=bool(row.has_presegmentation),
        label_id=row.label,
        data_version=row.data_version,
        leased_to=row.leased_to,
        lease_expires=row.lease_expires,
    )
