"""The labelling queue: who labels which image, and every label they made, in one SQLite file."""

import hashlib
import json
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from icefloe.active.items import (
    Event,
    Item,
    Label,
    Lease,
    NewItem,
    OutsideLabel,
    Purpose,
    QueueStatus,
    State,
    timestamp,
)
from icefloe.active.queue_file import QueueFile
from icefloe.active.uploads import check_person, encode_png, read_mask_upload
from icefloe.errors import IcefloeError

LEASE_SECONDS = 30 * 60.0
MAX_LABEL_SECONDS = 7 * 24 * 3600.0

_ITEMS = """
    SELECT items.id, dataset, stem, round, height, width, classes, strategy, score, rank, reason, state,
           presegmentation IS NOT NULL AS has_presegmentation, label, data_version,
           leases.labeler AS leased_to, leases.expires AS lease_expires
    FROM items LEFT JOIN leases ON leases.item = items.id AND leases.ended IS NULL AND leases.expires > :now
"""


class Queue:
    """Images to label, handed to one labeler at a time.

    Each call is one transaction, so any number of threads, processes and servers on one machine may share
    the file (WAL needs a local disk). Masks are kept inside the database: a label and the state it brings
    about are then one write that a crash keeps or loses as a whole, and at some tens of kilobytes that is
    as fast as files.

    Parameters
    ----------
    path
        The SQLite file; made if missing.
    clock
        Seconds since the epoch.

    Raises
    ------
    IcefloeError
        If the file can't be opened, is no queue, or was made by a newer Icefloe.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._clock = clock
        self._file = QueueFile(path)

    # Filling it

    def add(self, items: Iterable[NewItem], actor: str = "sampler") -> int:
        """Queue images; return how many were new.

        An image that this round has queued before, or that an earlier round still has open, is left as it is.

        Raises
        ------
        IcefloeError
            If any item is unfit; then none is queued.
        """
        new = [item.checked() for item in items]
        with self._file.writing() as connection:
            return sum(self._add_one(connection, item, actor) for item in new)

    def _add_one(self, connection: sqlite3.Connection, item: NewItem, actor: str) -> bool:
        purpose = item.purpose
        inserted = connection.execute(
            """INSERT INTO items
               (dataset, stem, round, height, width, classes, strategy, score, rank, reason, presegmentation)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING""",
            (
                item.dataset,
                item.stem,
                item.round,
                *item.shape,
                json.dumps(item.classes),
                purpose.strategy,
                float(purpose.score),
                purpose.rank,
                purpose.reason,
                item.presegmentation,
            ),
        )
        if inserted.rowcount:
            self._record(
                connection, inserted.lastrowid, actor, "added", round=item.round, reason=purpose.reason
            )
        return bool(inserted.rowcount)

    # Labelling

    def lease(self, labeler: str, seconds: float = LEASE_SECONDS, dataset: str | None = None) -> Lease | None:
        """Hand the next waiting image, the best ranked of the oldest round, to `labeler`; None if none waits.

        The lease ends by itself after `seconds` unless it is renewed; the image is then free for others.
        """
        check_person(labeler)
        _check_duration(seconds)
        with self._file.writing() as connection:
            now = self._end_expired_leases(connection)
            row = connection.execute(
                """SELECT id FROM items AS next
                   WHERE state = 'waiting' AND (:dataset IS NULL OR dataset = :dataset)
                     AND NOT EXISTS (SELECT 1 FROM leases WHERE leases.item = next.id AND ended IS NULL)
                   ORDER BY (SELECT min(id) FROM items WHERE items.round = next.round), rank, id
                   LIMIT 1""",
                {"dataset": dataset},
            ).fetchone()
            if row is None:
                return None
            token = secrets.token_urlsafe(16)
            connection.execute(
                "INSERT INTO leases (token, item, labeler, expires) VALUES (?, ?, ?, ?)",
                (token, row["id"], labeler, now + seconds),
            )
            self._record(connection, row["id"], labeler, "leased", until=timestamp(now + seconds))
            return self._lease(connection, token)

    def leases(self, labeler: str) -> list[Lease]:
        """The running leases of `labeler`, oldest first, so that work goes on after a browser was closed."""
        with self._file.reading() as connection:
            rows = connection.execute(
                "SELECT token FROM leases WHERE labeler = ? AND ended IS NULL AND expires > ? ORDER BY id",
                (labeler, self._clock()),
            ).fetchall()
            return [self._lease(connection, row["token"]) for row in rows]

    def renew(self, token: str, seconds: float = LEASE_SECONDS) -> Lease:
        """Let a lease run for `seconds` from now, even an expired one, if nobody took the image since.

        Raises
        ------
        IcefloeError
            If the image was labelled, skipped or leased by somebody since, or there is no such lease.
        """
        _check_duration(seconds)
        with self._file.writing() as connection:
            lease = self._own_lease(connection, token)
            expires = self._clock() + seconds
            connection.execute(
                "UPDATE leases SET ended = NULL, expires = ? WHERE token = ?", (expires, token)
            )
            self._record(connection, lease["item"], lease["labeler"], "renewed", until=timestamp(expires))
            return self._lease(connection, token)

    def release(self, token: str) -> None:
        """Give a leased image back unlabelled; nothing happens if the lease has ended.

        Raises
        ------
        IcefloeError
            If there is no such lease.
        """
        with self._file.writing() as connection:
            lease = self._find_lease(connection, token)
            if lease["ended"] is None:
                connection.execute("UPDATE leases SET ended = 'released' WHERE token = ?", (token,))
                self._record(connection, lease["item"], lease["labeler"], "released")

    def skip(self, token: str, reason: str) -> None:
        """Take a leased image out of the queue because it can't be labelled; `reopen` brings it back.

        Raises
        ------
        IcefloeError
            If no reason is given, or the lease is not the labeler's any more.
        """
        if not reason.strip():
            raise IcefloeError("Skipping an image needs a reason. Say why it can't be labelled.")
        with self._file.writing() as connection:
            lease = self._own_lease(connection, token)
            connection.execute("UPDATE leases SET ended = 'skipped' WHERE token = ?", (token,))
            connection.execute("UPDATE items SET state = 'skipped' WHERE id = ?", (lease["item"],))
            self._record(connection, lease["item"], lease["labeler"], "skipped", reason=reason)

    def reopen(self, item_id: int, actor: str, reason: str) -> None:
        """Put a skipped image, or one whose label is no good, back in the queue; its label stays on record.

        Raises
        ------
        IcefloeError
            If the item is waiting already, was imported, or the image waits in another round.
        """
        check_person(actor)
        with self._file.writing() as connection:
            item = self._item(connection, item_id)
            if item.state not in ("skipped", "submitted"):
                raise IcefloeError(
                    f"{item.key}: is {item.state} and can't be reopened. Queue it anew in a later round."
                )
            try:
                connection.execute(
                    "UPDATE items SET state = 'waiting', label = NULL WHERE id = ?", (item_id,)
                )
            except sqlite3.IntegrityError as error:
                raise IcefloeError(f"{item.key}: is open in another round. Label it there.") from error
            self._record(connection, item_id, actor, "reopened", reason=reason)

    def submit(self, token: str, png: bytes, seconds: float, source: str = "queue") -> Label:
        """Hand in the label of a leased image.

        Sending the same label twice is as sending it once. After the lease has expired the label is still
        accepted unless somebody else has leased the image since. A label that fits the image but comes too
        late is kept beside (`refused_labels`) and the error says so.

        Parameters
        ----------
        token
            The lease's token.
        png
            PNG of class indices at the image's size.
        seconds
            Time the labeler spent, in s.
        source
            How the label was made, for the dataset's label history.

        Raises
        ------
        IcefloeError
            If the mask does not fit, there is no such lease, or the label came too late.
        """
        with self._file.reading() as connection:
            lease = self._find_lease(connection, token)
        outside = OutsideLabel(lease["item"], lease["labeler"], png, seconds, self._clock(), source, token)
        canonical = self._check_label(outside)
        with self._file.writing() as connection:
            label = self._enter(connection, outside, canonical)
        if label.refusal is not None:
            raise IcefloeError(f"{self.item(label.item_id).key}: {label.refusal}. Your label is kept beside.")
        return label

    def submit_all(self, labels: Iterable[OutsideLabel]) -> list[Label]:
        """Hand in labels made in other tools: all of them, or none if any is refused.

        The images need no lease, but one that somebody is labelling now, or has labelled, is refused.

        Raises
        ------
        IcefloeError
            Names the first label that does not fit or comes too late; nothing was entered.
        """
        checked = [(label, self._check_label(label)) for label in labels]
        entered = []
        with self._file.writing() as connection:
            for outside, canonical in checked:
                label = self._enter(connection, outside, canonical)
                if label.refusal is not None:
                    key = self._item(connection, label.item_id).key
                    raise IcefloeError(f"{key}: {label.refusal}. Nothing was imported; leave this image out.")
                entered.append(label)
        return entered

    def _check_label(self, label: OutsideLabel) -> bytes:
        check_person(label.labeler)
        item = self.item(label.item_id)
        # The comparison is false for NaN, too.
        if label.seconds is not None and not 0 <= label.seconds <= MAX_LABEL_SECONDS:
            raise IcefloeError(
                f"{item.key}: {label.seconds} s of labelling can't be. Give seconds, 0 or more."
            )
        # Encoded anew, so that what is kept holds pixels only, whatever the sender's file held besides.
        return encode_png(read_mask_upload(label.png, item.shape, len(item.classes), item.key))

    def _enter(self, connection: sqlite3.Connection, label: OutsideLabel, canonical: bytes) -> Label:
        digest = hashlib.sha256(canonical).hexdigest()
        item = self._item(connection, label.item_id)
        earlier = connection.execute(
            """SELECT id FROM labels WHERE token = ? AND sha256 = ? AND (refusal IS NOT NULL OR id = ?)
               ORDER BY refusal IS NOT NULL, id DESC LIMIT 1""",
            (label.token, digest, item.label_id),
        ).fetchone()
        if earlier is not None:
            return self._label(connection, earlier["id"])
        self._end_expired_leases(connection)
        refusal = self._refusal(connection, item, label)
        label_id = connection.execute(
            """INSERT INTO labels (item, token, labeler, time, seconds, source, sha256, png, refusal)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            (
                label.item_id,
                label.token,
                label.labeler,
                label.time,
                label.seconds,
                label.source,
                digest,
                canonical,
                refusal,
            ),
        ).lastrowid
        assert label_id is not None  # an INSERT has a row
        if refusal is None:
            connection.execute(
                "UPDATE leases SET ended = 'submitted' WHERE item = ? AND ended IS NULL", (label.item_id,)
            )
            connection.execute(
                "UPDATE items SET state = 'submitted', label = ? WHERE id = ?", (label_id, label.item_id)
            )
        self._record(
            connection,
            label.item_id,
            label.labeler,
            "submitted" if refusal is None else "refused",
            label=label_id,
            seconds=label.seconds,
            source=label.source,
            sha256=digest,
            **({} if refusal is None else {"reason": refusal}),
        )
        return self._label(connection, label_id)

    def _refusal(self, connection: sqlite3.Connection, item: Item, label: OutsideLabel) -> str | None:
        if item.state != "waiting":
            return f"the image has been {item.state} already" + self._by_whom(connection, item)
        last = connection.execute(
            "SELECT * FROM leases WHERE item = ? ORDER BY id DESC LIMIT 1", (item.id,)
        ).fetchone()
        if last is None or last["token"] == label.token:
            return None
        if connection.execute("SELECT 1 FROM leases WHERE token = ?", (label.token,)).fetchone():
            return f"the lease had expired and {last['labeler']} has leased the image since"
        if last["ended"] is None and last["labeler"] != label.labeler:
            return f"{last['labeler']} is labelling the image until {timestamp(last['expires'])}"
        return None

    def _by_whom(self, connection: sqlite3.Connection, item: Item) -> str:
        return (
            "" if item.label_id is None else f", labelled by {self._label(connection, item.label_id).labeler}"
        )

    # Into the data

    def mark_imported(self, labels: Iterable[Label], data_version: str) -> int:
        """Record that accepted labels are part of `data_version`; return how many were not recorded before.

        An item that was reopened since its label was read is left as it is.
        """
        with self._file.writing() as connection:
            marked = 0
            for label in labels:
                changed = connection.execute(
                    """UPDATE items SET state = 'imported', data_version = ?
                       WHERE id = ? AND label = ? AND state = 'submitted'""",
                    (data_version, label.item_id, label.id),
                ).rowcount
                if changed:
                    self._record(
                        connection,
                        label.item_id,
                        "icefloe",
                        "imported",
                        label=label.id,
                        data_version=data_version,
                    )
                marked += changed
            return marked

    # Looking

    def items(
        self, state: State | None = None, dataset: str | None = None, round: str | None = None
    ) -> list[Item]:
        """Items in the order they were queued, all or those of one state, dataset or round."""
        with self._file.reading() as connection:
            rows = connection.execute(
                f"""{_ITEMS} WHERE (:state IS NULL OR state = :state)
                    AND (:dataset IS NULL OR dataset = :dataset)
                    AND (:round IS NULL OR round = :round) ORDER BY items.id""",
                {"now": self._clock(), "state": state, "dataset": dataset, "round": round},
            ).fetchall()
            return [_as_item(row) for row in rows]

    def item(self, item_id: int) -> Item:
        """One item.

        Raises
        ------
        IcefloeError
            If there is none of that number.
        """
        with self._file.reading() as connection:
            return self._item(connection, item_id)

    def presegmentation(self, item_id: int) -> bytes | None:
        """PNG of the mask that the ensemble predicted for an item, if one was stored."""
        with self._file.reading() as connection:
            self._item(connection, item_id)
            query = "SELECT presegmentation FROM items WHERE id = ?"
            found: bytes | None = connection.execute(query, (item_id,)).fetchone()[0]
            return found

    def labels(self, state: State = "submitted") -> list[Label]:
        """The accepted labels of the items in a state, in the order the items were queued."""
        with self._file.reading() as connection:
            rows = connection.execute(
                """SELECT labels.* FROM items JOIN labels ON labels.id = items.label
                   WHERE items.state = ? ORDER BY items.id""",
                (state,),
            ).fetchall()
            return [_as_label(row) for row in rows]

    def refused_labels(self) -> list[Label]:
        """Labels that came too late, oldest first; none is ever thrown away."""
        with self._file.reading() as connection:
            rows = connection.execute("SELECT * FROM labels WHERE refusal IS NOT NULL ORDER BY id").fetchall()
            return [_as_label(row) for row in rows]

    def history(self, item_id: int | None = None) -> list[Event]:
        """What happened, oldest first, to one item or to all."""
        with self._file.reading() as connection:
            rows = connection.execute(
                "SELECT * FROM events WHERE :item IS NULL OR item = :item ORDER BY id", {"item": item_id}
            ).fetchall()
        return [
            Event(
                id=row["id"],
                time=row["time"],
                item_id=row["item"],
                actor=row["actor"],
                what=row["what"],
                detail=json.loads(row["detail"]),
            )
            for row in rows
        ]

    def status(self, dataset: str | None = None) -> QueueStatus:
        """Counts of items by state, and the labelling time so far."""
        with self._file.reading() as connection:
            row = connection.execute(
                """SELECT coalesce(sum(state = 'waiting'), 0) AS waiting,
                          coalesce(sum(state = 'submitted'), 0) AS submitted,
                          coalesce(sum(state = 'skipped'), 0) AS skipped,
                          coalesce(sum(state = 'imported'), 0) AS imported,
                          coalesce(sum(EXISTS (SELECT 1 FROM leases WHERE leases.item = items.id
                                               AND ended IS NULL AND expires > :now)), 0) AS leased,
                          coalesce(sum((SELECT count(*) FROM labels WHERE labels.item = items.id
                                        AND refusal IS NOT NULL)), 0) AS refused_labels,
                          coalesce(sum((SELECT seconds FROM labels WHERE labels.id = items.label)), 0.0)
                              AS seconds
                   FROM items WHERE :dataset IS NULL OR dataset = :dataset""",
                {"now": self._clock(), "dataset": dataset},
            ).fetchone()
        counts = dict(row)
        counts["waiting"] -= counts["leased"]
        return QueueStatus(**counts)

    # Inside

    def _record(
        self, connection: sqlite3.Connection, item: int | None, actor: str, what: str, **detail: Any
    ) -> None:
        connection.execute(
            "INSERT INTO events (time, item, actor, what, detail) VALUES (?, ?, ?, ?, ?)",
            (self._clock(), item, actor, what, json.dumps(detail)),
        )

    def _end_expired_leases(self, connection: sqlite3.Connection) -> float:
        now = self._clock()
        expired = connection.execute(
            """UPDATE leases SET ended = 'expired' WHERE ended IS NULL AND expires <= ?
               RETURNING item, labeler""",
            (now,),
        ).fetchall()
        for row in expired:
            self._record(connection, row["item"], row["labeler"], "expired")
        return now

    def _find_lease(self, connection: sqlite3.Connection, token: str) -> sqlite3.Row:
        row: sqlite3.Row | None = connection.execute(
            "SELECT * FROM leases WHERE token = ?", (token,)
        ).fetchone()
        if row is None:
            raise IcefloeError(f"lease {token!r}: no such lease. Lease an image first.")
        return row

    def _own_lease(self, connection: sqlite3.Connection, token: str) -> sqlite3.Row:
        """The lease, if its labeler still is the one to label the image."""
        lease = self._find_lease(connection, token)
        item = self._item(connection, lease["item"])
        if item.state != "waiting":
            raise IcefloeError(f"{item.key}: the image is {item.state}. Lease another one.")
        last = connection.execute(
            "SELECT token, labeler FROM leases WHERE item = ? ORDER BY id DESC LIMIT 1", (item.id,)
        ).fetchone()
        if last["token"] != token:
            raise IcefloeError(
                f"{item.key}: the lease had expired and {last['labeler']} has leased the image since. "
                "Lease another one."
            )
        return lease

    def _lease(self, connection: sqlite3.Connection, token: str) -> Lease:
        row = self._find_lease(connection, token)
        return Lease(
            token=token,
            item=self._item(connection, row["item"]),
            labeler=row["labeler"],
            expires=row["expires"],
        )

    def _item(self, connection: sqlite3.Connection, item_id: int) -> Item:
        row = connection.execute(
            f"{_ITEMS} WHERE items.id = :id", {"now": self._clock(), "id": item_id}
        ).fetchone()
        if row is None:
            raise IcefloeError(
                f"item {item_id}: not in the queue {self.path}. List the queue to see what is."
            )
        return _as_item(row)

    def _label(self, connection: sqlite3.Connection, label_id: int) -> Label:
        return _as_label(connection.execute("SELECT * FROM labels WHERE id = ?", (label_id,)).fetchone())


def _as_item(row: sqlite3.Row) -> Item:
    return Item(
        id=row["id"],
        dataset=row["dataset"],
        stem=row["stem"],
        round=row["round"],
        shape=(row["height"], row["width"]),
        classes=tuple(json.loads(row["classes"])),
        purpose=Purpose(row["strategy"], row["score"], row["rank"], row["reason"]),
        state=row["state"],
        has_presegmentation=bool(row["has_presegmentation"]),
        label_id=row["label"],
        data_version=row["data_version"],
        leased_to=row["leased_to"],
        lease_expires=row["lease_expires"],
    )


def _as_label(row: sqlite3.Row) -> Label:
    columns: Mapping[str, Any] = dict(row)
    return Label(
        id=columns["id"],
        item_id=columns["item"],
        labeler=columns["labeler"],
        time=columns["time"],
        seconds=columns["seconds"],
        source=columns["source"],
        png=columns["png"],
        refusal=columns["refusal"],
    )


def _check_duration(seconds: float) -> None:
    if not 0 < seconds < float("inf"):
        raise IcefloeError(f"a lease of {seconds} s can't be. Give a positive number of seconds.")
