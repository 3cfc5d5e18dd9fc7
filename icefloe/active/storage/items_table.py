"""Queued images in the database."""

import json
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, func, insert, or_, select, update

from icefloe.active.items import Item, NewItem, Purpose, QueueStatus, State
from icefloe.database.schema import items, labels, leases

# Built once: putting a statement together takes longer than SQLite takes to run it.
_first, _second = labels.alias("first"), labels.alias("second")
_RUNNING = and_(leases.c.item == items.c.id, leases.c.ended.is_(None), leases.c.expires > bindparam("now"))

_ITEMS = (
    select(
        *(column for column in items.c if column is not items.c.presegmentation),
        items.c.presegmentation.is_not(None).label("has_presegmentation"),
        leases.c.labeler.label("leased_to"),
        leases.c.expires.label("lease_expires"),
        _first.c.labeler.label("first_labeler"),
        _second.c.labeler.label("second_labeler"),
    )
    .select_from(
        items.outerjoin(leases, _RUNNING)
        .outerjoin(_first, _first.c.id == items.c.first_label)
        .outerjoin(_second, _second.c.id == items.c.second_label)
    )
    .order_by(items.c.id)
)
_ITEM = _ITEMS.where(items.c.id == bindparam("item_id"))

_OPEN = items.c.state.in_(["waiting", "submitted"])
_SAME_IMAGE = and_(items.c.dataset == bindparam("dataset"), items.c.stem == bindparam("stem"))
_QUEUED = select(items.c.id).where(_SAME_IMAGE, or_(items.c.round == bindparam("round"), _OPEN)).limit(1)
_OPEN_ELSEWHERE = select(items.c.id).where(_SAME_IMAGE, items.c.id != bindparam("item_id"), _OPEN).limit(1)

# Whoever has labelled an image is not its second labeler, nor the third who decides.
_BY_LABELER = select(labels.c.id).where(
    labels.c.id.in_([items.c.first_label, items.c.second_label]), labels.c.labeler == bindparam("labeler")
)
# Once for all items: asked for each, PostgreSQL would read the whole table as often as it has rows.
_rounds = select(items.c.round, func.min(items.c.id).label("first")).group_by(items.c.round).subquery()
_NEXT = (
    select(items.c.id)
    .join(_rounds, _rounds.c.round == items.c.round)
    .where(
        items.c.state == "waiting",
        ~select(leases.c.id).where(leases.c.item == items.c.id, leases.c.ended.is_(None)).exists(),
        or_(items.c.first_label.is_(None), ~_BY_LABELER.exists()),
    )
    .order_by(_rounds.c.first, items.c.rank, items.c.id)
    .limit(1)
)
_NEXT_OF_DATASET = _NEXT.where(items.c.dataset == bindparam("dataset"))
_THIS_NEXT = _NEXT.where(items.c.id == bindparam("item_id"))

_ADD = insert(items).returning(items.c.id)
_CHANGE = update(items).where(items.c.id == bindparam("item_id")).values(revision=items.c.revision + 1)
_SET_IMPORTED = (
    update(items)
    .where(
        items.c.id == bindparam("item_id"),
        items.c.label == bindparam("label_id"),
        items.c.state == "submitted",
    )
    .values(state="imported", data_version=bindparam("version"), revision=items.c.revision + 1)
)
_HIDDEN = select(items.c.id).where(_SAME_IMAGE, items.c.arm == "without", items.c.state == "waiting").limit(1)
_PRESEGMENTATION = select(items.c.presegmentation).where(items.c.id == bindparam("item_id"))

_UNDECIDED = items.c.state == "waiting"
_COUNTS = select(
    func.count().filter(items.c.state == "waiting").label("waiting"),
    func.count().filter(items.c.state == "submitted").label("submitted"),
    func.count().filter(items.c.state == "skipped").label("skipped"),
    func.count().filter(items.c.state == "imported").label("imported"),
    func.count(leases.c.id).label("leased"),
    func.coalesce(func.sum(labels.c.seconds), 0.0).label("seconds"),
    func.count(items.c.first_label).filter(_UNDECIDED, items.c.second_label.is_(None)).label("halfway"),
    func.count(items.c.second_label).filter(_UNDECIDED).label("to_decide"),
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
        "predicted_by": item.predicted_by,
        "third_below": item.third_below,
        "arm": item.arm,
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
    connection: Connection, labeler: str, dataset: str | None = None, item_id: int | None = None
) -> int | None:
    """Number of the item that `labeler` does next: not leased, of the oldest round, and there of the best
    rank.

    With `item_id` that item or none; else with `dataset` one of that dataset. One that needs several people
    is not offered twice to the same.
    """
    query = _THIS_NEXT if item_id is not None else _NEXT_OF_DATASET if dataset is not None else _NEXT
    wanted = {"labeler": labeler, "dataset": dataset, "item_id": item_id}
    found: int | None = connection.execute(query, wanted).scalar()
    return found


def is_open_elsewhere(connection: Connection, item: Item) -> bool:
    """Whether another item of the same image waits, or has a label that is not in the data yet."""
    image = {"dataset": item.dataset, "stem": item.stem, "item_id": item.id}
    return connection.execute(_OPEN_ELSEWHERE, image).first() is not None


def is_hidden(connection: Connection, dataset: str, stem: str) -> bool:
    """Whether an image waits to be labelled without the pre-segmentation."""
    return connection.execute(_HIDDEN, {"dataset": dataset, "stem": stem}).first() is not None


def set_state(connection: Connection, item_id: int, state: State, label_id: int | None = None) -> None:
    """Change an item's state, and which label it has, None for none."""
    connection.execute(_CHANGE, {"item_id": item_id, "state": state, "label": label_id})


def set_first(connection: Connection, item_id: int, label_id: int) -> None:
    """Note the label of the first of two people."""
    connection.execute(_CHANGE, {"item_id": item_id, "first_label": label_id})


def set_second(connection: Connection, item_id: int, label_id: int, agreement: float) -> None:
    """Note the label of the second of two people, and its Dice with the first's."""
    row = {"item_id": item_id, "second_label": label_id, "agreement": agreement}
    connection.execute(_CHANGE, row)


def clear_pair(connection: Connection, item_id: int) -> None:
    """Let two people label an item anew; their labels stay on record."""
    row = {"item_id": item_id, "first_label": None, "second_label": None, "agreement": None}
    connection.execute(_CHANGE, row)


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
        halfway=row.halfway,
        to_decide=row.to_decide,
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
        predicted_by=row.predicted_by,
        third_below=row.third_below,
        first_label=row.first_label,
        second_label=row.second_label,
        labelers=tuple(name for name in (row.first_labeler, row.second_labeler) if name is not None),
        agreement=row.agreement,
        arm=row.arm,
        revision=row.revision,
    )
