"""A look at the labelling queue: what is in it, who labels what, and what has happened."""

from collections.abc import Callable

from sqlalchemy import Connection

from icefloe.active.items import Event, Item, Label, Lease, LeaseRecord, QueueStatus, State
from icefloe.active.storage import events_table, items_table, labels_table, leases_table
from icefloe.database.engine import Database
from icefloe.errors import MissingError


class QueueView:
    """What the queue holds; `Queue` changes it.

    Parameters
    ----------
    database
        The database that holds the queue, opened.
    clock
        Seconds since the epoch; it says when leases expire. None: the database's, one for all machines.
    """

    def __init__(self, database: Database, clock: Callable[[], float] | None = None) -> None:
        self.database = database
        self._clock = clock or database.time

    @property
    def name(self) -> str:
        """What messages call the queue: the path of its file, or its URL without the password."""
        return self.database.name

    def leases(self, labeler: str) -> list[Lease]:
        """The running leases of `labeler`, oldest first, so that work goes on after a browser was closed."""
        with self.database.reading() as connection:
            running = leases_table.running(connection, labeler, self._clock())
            return [self._with_item(connection, lease) for lease in running]

    def lease_of(self, token: str) -> Lease:
        """The lease of a token, running or ended.

        Raises
        ------
        MissingError
            If there is no such lease.
        """
        with self.database.reading(once=True) as connection:
            lease = items_table.find_leased(connection, token, self._clock())
        if lease is None:
            raise _no_such_lease(token)
        return lease

    def pair(self, item_id: int) -> tuple[Label, Label]:
        """The labels of two people between whom a third decides, or who agreed.

        Raises
        ------
        MissingError
            If not both have labelled the image: until then nobody sees either.
        """
        with self.database.reading() as connection:
            item = self._item(connection, item_id)
            if item.first_label is None or item.second_label is None:
                raise MissingError(f"{item.key}: there are no two labels to compare. They come one by one.")
            return (
                labels_table.find(connection, item.first_label),
                labels_table.find(connection, item.second_label),
            )

    def items(
        self, state: State | None = None, dataset: str | None = None, round: str | None = None
    ) -> list[Item]:
        """Items in the order they were queued, all or those of one state, dataset or round."""
        with self.database.reading() as connection:
            return items_table.find_all(connection, self._clock(), state, dataset, round)

    def item(self, item_id: int) -> Item:
        """One item.

        Raises
        ------
        MissingError
            If there is none of that number.
        """
        with self.database.reading(once=True) as connection:
            return self._item(connection, item_id)

    def presegmentation(self, item_id: int) -> bytes | None:
        """PNG of the mask that the ensemble predicted for an item, if one was stored."""
        with self.database.reading() as connection:
            self._item(connection, item_id)
            return items_table.presegmentation(connection, item_id)

    def hides(self, dataset: str, stem: str) -> bool:
        """Whether an image waits to be labelled without a look at what the ensemble predicts for it."""
        with self.database.reading() as connection:
            return items_table.is_hidden(connection, dataset, stem)

    def labels(self, state: State = "submitted") -> list[Label]:
        """The accepted labels of the items in a state, in the order the items were queued."""
        with self.database.reading() as connection:
            return labels_table.accepted(connection, state)

    def refused_labels(self) -> list[Label]:
        """Labels that came too late, oldest first; none is ever thrown away."""
        with self.database.reading() as connection:
            return labels_table.refused(connection)

    def history(self, item_id: int | None = None) -> list[Event]:
        """What happened, oldest first, to one item or to all."""
        with self.database.reading() as connection:
            return events_table.read(connection, item_id)

    def status(self, dataset: str | None = None) -> QueueStatus:
        """Counts of items by state, and the labelling time so far."""
        with self.database.reading() as connection:
            return items_table.status(connection, self._clock(), dataset)

    def _item(self, connection: Connection, item_id: int) -> Item:
        item = items_table.find(connection, item_id, self._clock())
        if item is None:
            raise self._no_such_item(item_id)
        return item

    def _no_such_item(self, item_id: int) -> MissingError:
        return MissingError(f"item {item_id}: not in the queue {self.name}. List the queue to see what is.")

    def _lease(self, connection: Connection, token: str) -> LeaseRecord:
        lease = leases_table.find(connection, token)
        if lease is None:
            raise _no_such_lease(token)
        return lease

    def _with_item(self, connection: Connection, lease: LeaseRecord) -> Lease:
        return Lease(lease.token, self._item(connection, lease.item_id), lease.labeler, lease.expires)


def _no_such_lease(token: str) -> MissingError:
    return MissingError(f"lease {token!r}: no such lease. Lease an image first.")
