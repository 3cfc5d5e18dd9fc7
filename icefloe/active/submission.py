"""Entering a label: once however often it is sent, accepted or kept beside."""

from typing import Any

from sqlalchemy import Connection

from icefloe.active import drafts
from icefloe.active.comparison import Comparison
from icefloe.active.items import Item, Label, LeaseRecord, OutsideLabel
from icefloe.active.origin import sha256
from icefloe.active.rules import refusal, same_submission
from icefloe.active.storage import events_table, items_table, labels_table, leases_table
from icefloe.active.storage.items_table import Standing


def enter(
    connection: Connection, standing: Standing, label: OutsideLabel, comparison: Comparison, now: float
) -> Label:
    """Keep a label, and if it is accepted the item's new state; its labeler's draft is then done with.

    Parameters
    ----------
    connection
        Open transaction of the queue's database with the right to write.
    standing
        What the label is judged by, as it is in this transaction.
    label
        The label as it was handed in, checked against its image.
    comparison
        The label beside what its item has.
    now
        The time, in s since the epoch.

    Returns
    -------
    Label
        As it is kept, with the reason where it was refused; the earlier one if it was sent before.
    """
    item = standing.item
    if standing.was_sent:
        known = same_submission(item, labels_table.sent_before(connection, label))
        if known is not None:
            return known
    last = _last_lease(connection, standing, now)
    is_last = last is not None and last.token == label.token
    reason = refusal(
        item,
        label,
        last=last,
        was_leased=is_last or leases_table.find(connection, label.token) is not None,
        accepted=None if item.label_id is None else labels_table.find(connection, item.label_id),
        is_decision=comparison.is_decision,
    )
    kept = labels_table.add(connection, label, reason, comparison.origin, comparison.likeness)
    noted: dict[str, Any] = {
        "label": kept.id,
        "seconds": label.seconds,
        "source": label.source,
        "sha256": sha256(label.png),
    }
    if reason is None:
        if last is not None and last.ended is None:
            leases_table.end_running(connection, item.id, "submitted")
        events_table.record(connection, now, item.id, label.labeler, "submitted", **noted)
        _settle(connection, item, kept.id, comparison, now)
        if standing.has_draft:
            drafts.forget(connection, item.id, label.labeler)
    else:
        events_table.record(connection, now, item.id, label.labeler, "refused", **noted, reason=reason)
    return kept


def _last_lease(connection: Connection, standing: Standing, now: float) -> LeaseRecord | None:
    """The newest lease of the item, ended if its time is over."""
    last = standing.last
    if last is None or last.ended is not None or last.expires > now:
        return last
    end_expired_leases(connection, now)
    return leases_table.last_of(connection, standing.item.id)


def _settle(connection: Connection, item: Item, label_id: int, comparison: Comparison, now: float) -> None:
    """Give the item its label: the only one, the first of two who agree, or a third's decision."""
    if item.third_below is not None and item.first_label is None:
        items_table.set_first(connection, item.id, label_id)
    elif item.first_label is not None and comparison.agreement is not None:
        items_table.set_second(connection, item.id, label_id, comparison.agreement)
        agree = comparison.agreement >= (item.third_below or 0.0)
        if agree:
            items_table.set_state(connection, item.id, "submitted", item.first_label)
        events_table.record(
            connection,
            now,
            item.id,
            "icefloe",
            "agreed" if agree else "disagreed",
            dice=comparison.agreement,
            third_below=item.third_below,
            **({"label": item.first_label} if agree else {}),
        )
    else:
        items_table.set_state(connection, item.id, "submitted", label_id)


def end_expired_leases(connection: Connection, now: float) -> None:
    """End the leases whose time is over at `now` (s since the epoch), and say so in the history."""
    for lease in leases_table.end_expired(connection, now):
        events_table.record(connection, now, lease.item_id, lease.labeler, "expired")
