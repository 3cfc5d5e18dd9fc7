"""The labelling queue: who labels which image, and every label they made."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from icefloe.active import rules
from icefloe.active.comparison import Comparison, compare
from icefloe.active.items import (
    Item,
    Label,
    Lease,
    LeaseRecord,
    NewItem,
    OutsideLabel,
    timestamp,
)
from icefloe.active.queue_view import QueueView
from icefloe.active.storage import events_table, items_table, labels_table, leases_table
from icefloe.active.submission import end_expired_leases, enter
from icefloe.active.uploads import check_person
from icefloe.database.open import open_database
from icefloe.errors import ConflictError
from icefloe.settings import Settings

LEASE_SECONDS = 30 * 60.0


class Queue(QueueView):
    """Images to label, handed to one labeler at a time.

    Each call is one transaction, so any number of threads, processes and servers may share the database.
    Masks are kept inside it: a label and the state it brings about are then one write that a crash keeps or
    loses as a whole, and at some tens of kilobytes that is as fast as files.
    """

    def add(self, items: Iterable[NewItem], actor: str = "sampler") -> int:
        """Queue images; return how many were new.

        An image that this round has queued before, or that an earlier round still has open, is left as it is.

        Raises
        ------
        IcefloeError
            If any item is unfit; then none is queued.
        """
        new = [item.checked() for item in items]
        with self.database.writing() as connection:
            return sum(self._add_one(connection, item, actor) for item in new)

    def _add_one(self, connection: Connection, item: NewItem, actor: str) -> bool:
        item_id = items_table.add(connection, item)
        if item_id is None:
            return False
        noted: dict[str, Any] = {"round": item.round, "reason": item.purpose.reason}
        if item.regions:
            noted["regions"] = len(item.regions)
        events_table.record(connection, self._clock(), item_id, actor, "added", **noted)
        return True

    def lease(
        self,
        labeler: str,
        seconds: float = LEASE_SECONDS,
        dataset: str | None = None,
        item_id: int | None = None,
    ) -> Lease | None:
        """Hand the next waiting image, the best ranked of the oldest round, to `labeler`; None if none waits.

        With `dataset` or `item_id` one of that dataset, or that very one, if it waits. An image that two
        people label is not handed to one of them again, nor to either of them to decide. The lease ends by
        itself after `seconds` unless it is renewed; the image is then free for others.
        """
        check_person(labeler)
        rules.check_lease_duration(seconds)
        with self.database.writing() as connection:
            now = self._clock()
            item, is_certain = items_table.next_waiting(connection, now, labeler, dataset, item_id)
            if not is_certain:
                end_expired_leases(connection, now)
                item, _ = items_table.next_waiting(connection, now, labeler, dataset, item_id)
            if item is None:
                return None
            lease = LeaseRecord(secrets.token_urlsafe(16), item.id, labeler, now + seconds)
            leases_table.add(connection, lease)
            events_table.record(connection, now, item.id, labeler, "leased", until=timestamp(lease.expires))
            leased = replace(item, leased_to=labeler, lease_expires=lease.expires)
            return Lease(lease.token, leased, labeler, lease.expires)

    def renew(self, token: str, seconds: float = LEASE_SECONDS) -> Lease:
        """Let a lease run for `seconds` from now, even an expired one, if nobody took the image since.

        Raises
        ------
        ConflictError
            If the image was labelled, skipped or leased by somebody since.
        MissingError
            If there is no such lease.
        """
        rules.check_lease_duration(seconds)
        with self.database.writing() as connection:
            lease = self._valid_lease(connection, token)
            now = self._clock()
            leases_table.renew(connection, token, now + seconds)
            events_table.record(
                connection, now, lease.item_id, lease.labeler, "renewed", until=timestamp(now + seconds)
            )
            return self._with_item(connection, self._lease(connection, token))

    def release(self, token: str) -> None:
        """Give a leased image back unlabelled; nothing happens if the lease has ended.

        Raises
        ------
        MissingError
            If there is no such lease.
        """
        with self.database.writing() as connection:
            lease = self._lease(connection, token)
            if lease.ended is None:
                leases_table.end(connection, token, "released")
                events_table.record(connection, self._clock(), lease.item_id, lease.labeler, "released")

    def skip(self, token: str, reason: str) -> None:
        """Take a leased image out of the queue because it can't be labelled; `reopen` brings it back.

        Raises
        ------
        IcefloeError
            If no reason is given; a ConflictError if the lease is not the labeler's any more.
        """
        rules.check_skip_reason(reason)
        with self.database.writing() as connection:
            lease = self._valid_lease(connection, token)
            leases_table.end(connection, token, "skipped")
            items_table.set_state(connection, lease.item_id, "skipped")
            events_table.record(
                connection, self._clock(), lease.item_id, lease.labeler, "skipped", reason=reason
            )

    def reopen(self, item_id: int, actor: str, reason: str, revision: int | None = None) -> None:
        """Put a skipped image, or one whose label is no good, back in the queue; its labels stay on record.

        Where two people labelled it, two do so anew; one that was skipped goes on where it stood.

        Parameters
        ----------
        item_id
            The item.
        actor, reason
            Who wants it labelled again, and why.
        revision
            Of the item that this is based on; None: on whatever it is now.

        Raises
        ------
        ConflictError
            If the item is waiting already, was imported, or the image waits in another round; a
            StaleItemError if it has another revision.
        """
        check_person(actor)
        with self.database.writing() as connection:
            item = self._item(connection, item_id)
            rules.check_revision(item, revision)
            rules.check_reopening(item, items_table.is_open_elsewhere(connection, item))
            items_table.set_state(connection, item_id, "waiting")
            if item.state == "submitted" and item.first_label is not None:
                items_table.clear_pair(connection, item_id)
            events_table.record(connection, self._clock(), item_id, actor, "reopened", reason=reason)

    def settle(
        self, item_id: int, labeler: str, actor: str, reason: str, revision: int | None = None
    ) -> None:
        """Give an image that waits for a second or third person the label that `labeler` made.

        For where nobody else is there to label it or to decide.

        Parameters
        ----------
        item_id
            The item.
        labeler
            Whose label becomes data.
        actor, reason
            Who wants that, and why.
        revision
            Of the item that this is based on; None: on whatever it is now.

        Raises
        ------
        ConflictError
            If the item does not wait, somebody is labelling it, or `labeler` has not; a StaleItemError if it
            has another revision.
        """
        check_person(actor)
        with self.database.writing() as connection:
            item = self._item(connection, item_id)
            rules.check_revision(item, revision)
            rules.check_settling(item, labeler)
            made = (item.first_label, item.second_label)[item.labelers.index(labeler)]
            items_table.set_state(connection, item_id, "submitted", made)
            events_table.record(
                connection, self._clock(), item_id, actor, "settled", label=made, reason=reason
            )

    def submit(
        self,
        lease: str | Lease,
        png: bytes,
        seconds: float,
        source: str = "queue",
        client: str | None = None,
    ) -> Label:
        """Hand in the label of a leased image.

        Sending the same label twice is as sending it once. After the lease has expired the label is still
        accepted unless somebody else has leased the image since. A label that fits the image but comes too
        late is kept beside (`refused_labels`) and the error says so.

        Where the item has regions, the label is 255 outside them, whatever was painted there.

        Where two people label an image, the label that becomes data is the first one's if the Dice of both
        reaches the item's value, and else that of a third, who takes one or the other's at each pixel.

        Parameters
        ----------
        lease
            The lease under which the image was labelled, or its token.
        png
            PNG of class indices at the image's size.
        seconds
            Time the labeler spent, in s.
        source
            How the label was made, for the dataset's label history.
        client
            The program it was made with; None: not known.

        Raises
        ------
        IcefloeError
            If the mask does not fit; a MissingError if there is no such lease, a ConflictError if the label
            came too late.
        """
        if isinstance(lease, str):
            lease = self.lease_of(lease)
        item = lease.item
        label = OutsideLabel(item.id, lease.labeler, png, seconds, self._clock(), source, lease.token, client)
        (entered,) = self._enter_all([(item, label.checked(item))])
        if entered.refusal is not None:
            raise ConflictError(f"{item.key}: {entered.refusal}. Your label is kept beside.")
        return entered

    def submit_all(self, labels: Iterable[OutsideLabel]) -> list[Label]:
        """Hand in labels made in other tools: all of them, or none if any is refused.

        The images need no lease, but one that somebody is labelling now, or has labelled, is refused.

        Raises
        ------
        IcefloeError
            Names the first label that does not fit or comes too late; nothing was entered.
        """
        checked = [self._checked(label) for label in labels]
        return self._enter_all(checked, if_refused="Nothing was imported; leave this image out.")

    def submit_outside(self, label: OutsideLabel) -> Label:
        """Hand in one label made in another tool that keeps it: one that comes too late is not entered.

        Raises
        ------
        IcefloeError
            If it does not fit; a ConflictError if it came too late.
        """
        (entered,) = self._enter_all([self._checked(label)], if_refused="The queue keeps what it has.")
        return entered

    def _checked(self, label: OutsideLabel) -> tuple[Item, OutsideLabel]:
        item = self.item(label.item_id)
        return item, label.checked(item)

    def _enter_all(
        self, labels: Sequence[tuple[Item, OutsideLabel]], if_refused: str | None = None
    ) -> list[Label]:
        """Enter labels: a refused one is kept beside, or with a sentence for that case ends it all."""
        # Compared outside the writing: decoding masks takes longer than others should wait.
        comparisons = [self._compare_ahead(item, label) for item, label in labels]
        entered = []
        with self.database.writing() as connection:
            for (_, label), comparison in zip(labels, comparisons, strict=True):
                now = self._clock()
                standing = items_table.standing(connection, label, now)
                if standing is None:
                    raise self._no_such_item(label.item_id)
                item = standing.item
                if not comparison.is_of(item):  # another label of it came meanwhile
                    comparison = self._compare(connection, item, label)
                kept = enter(connection, standing, label, comparison, now)
                if if_refused is not None and kept.refusal is not None:
                    raise ConflictError(f"{item.key}: {kept.refusal}. {if_refused}")
                entered.append(kept)
        return entered

    def _compare_ahead(self, item: Item, label: OutsideLabel) -> Comparison:
        if not item.has_presegmentation and item.first_label is None:
            return compare(item, label, None, None, None)
        with self.database.reading() as connection:
            return self._compare(connection, item, label)

    def _compare(self, connection: Connection, item: Item, label: OutsideLabel) -> Comparison:
        first, second = (
            None if number is None else labels_table.find(connection, number).png
            for number in (item.first_label, item.second_label)
        )
        return compare(item, label, items_table.presegmentation(connection, item.id), first, second)

    def mark_imported(self, labels: Iterable[Label], data_version: str) -> int:
        """Record that accepted labels are part of `data_version`; return how many were not recorded before.

        An item that was reopened since its label was read is left as it is.
        """
        with self.database.writing() as connection:
            marked = 0
            for label in labels:
                if items_table.set_imported(connection, label.item_id, label.id, data_version):
                    events_table.record(
                        connection,
                        self._clock(),
                        label.item_id,
                        "icefloe",
                        "imported",
                        label=label.id,
                        data_version=data_version,
                    )
                    marked += 1
            return marked

    def note_withdrawn(self, keys: Iterable[str], actor: str, reason: str) -> None:
        """Note in the history that labels were taken out of the data again.

        Parameters
        ----------
        keys
            Images such as `D3/stack_7`; one whose label did not come from the queue has no history here.
        actor, reason
            Who took them out, and why.
        """
        wanted = set(keys)
        with self.database.writing() as connection:
            now = self._clock()
            imported = items_table.find_all(connection, now, "imported", None, None)
            latest = {item.key: item.id for item in imported if item.key in wanted}
            for item_id in latest.values():
                events_table.record(connection, now, item_id, actor, "withdrawn", reason=reason)

    def _valid_lease(self, connection: Connection, token: str) -> LeaseRecord:
        """The lease, if its labeler still is the one to label the image."""
        lease = self._lease(connection, token)
        last = leases_table.last_of(connection, lease.item_id) or lease
        rules.check_lease_holds(self._item(connection, lease.item_id), token, last)
        return lease


def open_queue(settings: Settings) -> Queue:
    """The labelling queue of a workspace.

    Raises
    ------
    IcefloeError
        If its database can't be opened, is no queue, or was made by a newer Icefloe.
    """
    return Queue(open_database(settings))
