"""Queued images in the database."""

import json
from dataclasses import astuple, dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from icefloe.active.items import (
    Item,
    Lease,
    LeaseRecord,
    NewItem,
    OutsideLabel,
    Purpose,
    QueueStatus,
    State,
)
from icefloe.active.origin import sha256
from icefloe.active.region import Region
from icefloe.database.schema import drafts, items, labels, leases

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

_own = leases.alias("own")
_LEASED_ITEM = (
    _ITEMS.add_columns(_own.c.labeler.label("own_labeler"), _own.c.expires.label("own_expires"))
    .join(_own, _own.c.item == items.c.id)
    .where(_own.c.token == bindparam("token"))
)

# All that a label is judged by, in one statement: others wait for the right to write meanwhile.
_last, _each = leases.alias("last"), leases.alias("each")
_last_id = select(func.max(_each.c.id)).where(_each.c.item == items.c.id).correlate(items).scalar_subquery()
_STANDING = _ITEM.add_columns(
    *(_last.c[name].label(f"last_{name}") for name in ("token", "labeler", "expires", "ended")),
    exists()
    .where(labels.c.token == bindparam("token"), labels.c.sha256 == bindparam("sha256"))
    .label("was_sent"),
    exists()
    .where(drafts.c.item == items.c.id, drafts.c.labeler == bindparam("labeler"))
    .correlate(items)
    .label("has_draft"),
).outerjoin(_last, _last.c.id == _last_id)

_OPEN = items.c.state.in_(["waiting", "submitted"])
_SAME_IMAGE = and_(items.c.dataset == bindparam("dataset"), items.c.stem == bindparam("stem"))
_QUEUED = select(items.c.id).where(_SAME_IMAGE, or_(items.c.round == bindparam("round"), _OPEN)).limit(1)
_OPEN_ELSEWHERE = select(items.c.id).where(_SAME_IMAGE, items.c.id != bindparam("item_id"), _OPEN).limit(1)

# Whoever has labelled an image is not its second labeler, nor the third who decides.
_BY_LABELER = (
    select(labels.c.id)
    .where(
        labels.c.id.in_([items.c.first_label, items.c.second_label]),
        labels.c.labeler == bindparam("labeler"),
    )
    .correlate(items)
)
# Read once: with NOT EXISTS, PostgreSQL compares every lease with every item before it takes the first.
_LEASED = select(leases.c.item).where(leases.c.ended.is_(None)).correlate(None)
# Written into the statement: databases plan it before they know its parameters.
_WAITS = items.c.state == literal_column("'waiting'")
_ONE: ColumnElement[int] = literal_column("1")
_FREE = and_(_WAITS, items.c.id.not_in(_LEASED), or_(items.c.first_label.is_(None), ~_BY_LABELER.exists()))
# The rounds in which images wait, each found from the one before: a queue has many images and few rounds.
_first_round = select(func.min(items.c.round).label("round")).where(_WAITS).cte("rounds", recursive=True)
_later = select(func.min(items.c.round)).where(_WAITS, items.c.round > _first_round.c.round)
_rounds = _first_round.union_all(select(_later.scalar_subquery()).where(_first_round.c.round.is_not(None)))
_of_round = items.alias("of_round")
_age = select(func.min(_of_round.c.id)).where(_of_round.c.round == _rounds.c.round).scalar_subquery()


def _next(*conditions: ColumnElement[bool]) -> Select[Any]:
    """Number of the best ranked free image of the oldest round that has one."""
    best = select(items.c.id).where(items.c.round == _rounds.c.round, _FREE, *conditions)
    found = best.order_by(items.c.rank, items.c.id).limit(_ONE).correlate(_rounds).scalar_subquery()
    of_rounds = select(found.label("id"), _age.label("age")).select_from(_rounds).subquery()
    return select(of_rounds.c.id).where(of_rounds.c.id.is_not(None)).order_by(of_rounds.c.age).limit(_ONE)


_expired = leases.alias("expired")
_ITEMS_TO_DO = _ITEMS.add_columns(
    exists()
    .where(_expired.c.ended.is_(None), _expired.c.expires <= bindparam("now"))
    .correlate(None)
    .label("have_expired")
)
_NEXT = _ITEMS_TO_DO.where(items.c.id == _next().scalar_subquery())
_NEXT_OF_DATASET = _ITEMS_TO_DO.where(
    items.c.id == _next(items.c.dataset == bindparam("dataset")).scalar_subquery()
)
_THIS_NEXT = _ITEMS_TO_DO.where(items.c.id == bindparam("item_id"), _FREE)

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
        "regions": json.dumps([astuple(region) for region in item.regions]) if item.regions else None,
    }
    return int(connection.execute(_ADD, row).scalar_one())


def find(connection: Connection, item_id: int, now: float) -> Item | None:
    """The item of a number, with the lease that runs at `now` (s since the epoch)."""
    row = connection.execute(_ITEM, {"item_id": item_id, "now": now}).one_or_none()
    return None if row is None else _as_item(row)


def find_leased(connection: Connection, token: str, now: float) -> Lease | None:
    """The lease of a token, running or ended, with its item as it is at `now` (s since the epoch)."""
    row = connection.execute(_LEASED_ITEM, {"token": token, "now": now}).one_or_none()
    return None if row is None else Lease(token, _as_item(row), row.own_labeler, row.own_expires)


@dataclass(frozen=True)
class Standing:
    """What a label is judged by.

    Attributes
    ----------
    item
        The labelled item.
    last
        Its newest lease; None if it never was leased.
    was_sent
        Whether there is a label with the same token and the same mask.
    has_draft
        Whether the labeler has a draft of it.
    """

    item: Item
    last: LeaseRecord | None
    was_sent: bool
    has_draft: bool


def standing(connection: Connection, label: OutsideLabel, now: float) -> Standing | None:
    """What a label is judged by at `now` (s since the epoch); None if its item is not in the queue."""
    wanted = {"item_id": label.item_id, "token": label.token, "sha256": sha256(label.png)}
    row = connection.execute(_STANDING, {**wanted, "labeler": label.labeler, "now": now}).one_or_none()
    if row is None:
        return None
    last = None
    if row.last_token is not None:
        last = LeaseRecord(row.last_token, row.id, row.last_labeler, row.last_expires, row.last_ended)
    return Standing(_as_item(row), last, bool(row.was_sent), bool(row.has_draft))


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
    connection: Connection, now: float, labeler: str, dataset: str | None = None, item_id: int | None = None
) -> tuple[Item | None, bool]:
    """The item that `labeler` does next at `now` (s since the epoch): not leased, of the oldest round, and
    there of the best rank.

    With `item_id` that item or none; else with `dataset` one of that dataset. One that needs several people
    is not offered twice to the same.

    Returns
    -------
    item
        The item; None if there is none.
    is_certain
        Whether it would be the same if leases whose time is over were ended first.
    """
    query = _THIS_NEXT if item_id is not None else _NEXT_OF_DATASET if dataset is not None else _NEXT
    wanted = {"now": now, "labeler": labeler, "dataset": dataset, "item_id": item_id}
    row = connection.execute(query, wanted).one_or_none()
    return (None, False) if row is None else (_as_item(row), not row.have_expired)


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
        regions=tuple(Region(*edges) for edges in json.loads(row.regions or "[]")),
    )
