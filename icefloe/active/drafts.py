"""Drafts: masks that labelers are still at work on, so that no stroke is lost with a browser."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, bindparam, delete, insert, select, update

from icefloe.active.items import MAX_LABEL_SECONDS, Lease
from icefloe.active.uploads import encode_png, read_mask_upload
from icefloe.database.engine import Database
from icefloe.database.schema import drafts
from icefloe.errors import ConflictError, IcefloeError

_FORGET = delete(drafts).where(
    drafts.c.item == bindparam("item_id"), drafts.c.labeler == bindparam("of_labeler")
)


@dataclass(frozen=True)
class Draft:
    """A mask in the making: 8-bit PNG of class indices, seconds of work so far, a number of each change."""

    png: bytes
    seconds: float
    revision: int


class StaleDraftError(ConflictError):
    """Another window has saved a later draft; `revision` is its number, 0 where there is none (any more)."""

    def __init__(self, what: str, revision: int) -> None:
        super().__init__(f"{what}: another window has saved it since. Load the draft again.")
        self.revision = revision


class Drafts:
    """The drafts of a workspace: one for each image and labeler.

    Parameters
    ----------
    database
        The workspace's database, opened.
    clock
        Seconds since the epoch; None: the database's.
    """

    def __init__(self, database: Database, clock: Callable[[], float] | None = None) -> None:
        self.database = database
        self._clock = clock or database.time

    def read(self, item_id: int, labeler: str) -> Draft | None:
        """A labeler's own draft, if there is one."""
        with self.database.reading() as connection:
            return _find(connection, item_id, labeler)

    def save(self, lease: Lease, png: bytes, seconds: float, revision: int) -> int:
        """Keep a draft in place of an earlier one; return its revision.

        Parameters
        ----------
        lease
            The labeler's lease of the image, running or ended: work goes on while others have not taken it.
        png
            PNG of class indices at the image's size.
        seconds
            Time spent so far, in s.
        revision
            Of the draft that this one follows; 0: there is none.

        Raises
        ------
        IcefloeError
            If the mask does not fit, or the time can't be.
        StaleDraftError
            If another window has saved a later one.
        """
        item = lease.item
        if not 0 <= seconds <= MAX_LABEL_SECONDS:
            raise IcefloeError(f"{item.key}: {seconds} s of labelling can't be. Give seconds, 0 or more.")
        mask = read_mask_upload(png, item.shape, len(item.classes), item.key)
        values = {
            "png": encode_png(mask),
            "seconds": seconds,
            "time": self._clock(),
            "revision": revision + 1,
        }
        with self.database.writing() as connection:
            present = _find(connection, item.id, lease.labeler)
            if revision != (present.revision if present else 0):
                raise StaleDraftError(f"{item.key}: draft", present.revision if present else 0)
            if present is None:
                whose = {"item": item.id, "labeler": lease.labeler}
                connection.execute(insert(drafts), whose | values)
            else:
                connection.execute(update(drafts).where(_own(item.id, lease.labeler)).values(values))
        return revision + 1


def forget(connection: Connection, item_id: int, labeler: str) -> None:
    """Remove a labeler's draft, if there is one, in the transaction that makes it superfluous."""
    connection.execute(_FORGET, {"item_id": item_id, "of_labeler": labeler})


def _own(item_id: int, labeler: str) -> ColumnElement[bool]:
    return (drafts.c.item == item_id) & (drafts.c.labeler == labeler)


def _find(connection: Connection, item_id: int, labeler: str) -> Draft | None:
    row = connection.execute(select(drafts).where(_own(item_id, labeler))).first()
    return None if row is None else Draft(row.png, row.seconds, row.revision)
