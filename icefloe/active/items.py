"""What the labelling queue holds: images to label and why, leases, labels, and what happened."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from icefloe.active.region import Region, check_regions, limited
from icefloe.active.uploads import check_person, encode_png, read_mask_upload
from icefloe.datasets.label_origin import NOT_KNOWN, Origin
from icefloe.errors import IcefloeError
from icefloe.names import check_name

State = Literal["waiting", "submitted", "skipped", "imported"]

Task = Literal["label", "decide"]
"""What the next person does: draw a mask, or decide between two people's."""

Arm = Literal["with", "without"]
"""Whether an image is shown with its pre-segmentation or without, where the two are compared."""

MAX_LABEL_SECONDS = 7 * 24 * 3600.0


def timestamp(seconds: float) -> str:
    """Seconds since the epoch as ISO 8601 in UTC, such as `2026-03-01T12:00:00Z`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Purpose:
    """Why an image was chosen: the strategy, the score it gave, the rank among those chosen, and words.

    `uncertainty` is the image's mean standard deviation over members (0 to 0.5), whatever the strategy made
    of it; None where it is not known.
    """

    strategy: str
    score: float
    rank: int
    reason: str
    uncertainty: float | None = None


@dataclass(frozen=True)
class NewItem:
    """An image to be labelled.

    Attributes
    ----------
    dataset, stem
        Dataset of the image, and its file name without ending.
    round
        What it was chosen in, such as a data version or `EA-T1`; an image is queued once a round.
    shape
        (H, W) of the image, which its label must have.
    classes
        Class names by mask value.
    purpose
        Why the image was chosen: strategy, score, rank, and words.
    presegmentation
        PNG of class indices at the image's size for the labeler to correct, or None.
    predicted_by
        Version that gave the pre-segmentation, or None where that is not known.
    third_below
        Two people label it, neither seeing the other's mask, and a third decides where their Dice is below
        this; None: one labels it.
    arm
        `without`: it is shown without the pre-segmentation, to be compared with those shown `with` it; None:
        it takes no part in that.
    regions
        What of the image is to be labelled, all other pixels of its label are 255; none: all of it.
    """

    dataset: str
    stem: str
    round: str
    shape: tuple[int, int]
    classes: tuple[str, ...]
    purpose: Purpose
    presegmentation: bytes | None = None
    predicted_by: str | None = None
    third_below: float | None = None
    arm: Arm | None = None
    regions: tuple[Region, ...] = ()

    def checked(self) -> "NewItem":
        """The item with its pre-segmentation in the queue's own form.

        Raises
        ------
        IcefloeError
            If a name is unsafe, the shape, classes or regions can't be, or the pre-segmentation does not fit.
        """
        check_name("dataset", self.dataset)
        check_name("image", self.stem)
        check_name("round", self.round)
        what = f"{self.dataset}/{self.stem}"
        if min(self.shape) < 1 or len(self.classes) < 2 or not math.isfinite(self.purpose.score):
            raise IcefloeError(
                f"{what}: can't be queued with shape {self.shape}, classes {list(self.classes)}, "
                f"score {self.purpose.score}. Give the image's size, two or more classes and a finite score."
            )
        check_regions(what, self.regions, self.shape)
        if self.third_below is not None and not 0 <= self.third_below <= 1:
            raise IcefloeError(f"{what}: a Dice of {self.third_below} can't be. Give a number from 0 to 1.")
        if self.presegmentation is None:
            if self.arm is not None:
                raise IcefloeError(f"{what}: has no pre-segmentation that labels could be compared with.")
            return self
        what = f"{what}: pre-segmentation"
        mask = read_mask_upload(self.presegmentation, self.shape, len(self.classes), what)
        return replace(self, presegmentation=encode_png(mask))


@dataclass(frozen=True)
class Item:
    """An image in the queue; `leased_to` and `lease_expires` (s since the epoch) tell of a running lease.

    `labelers` are those of two people who have labelled it, `first_label` and `second_label` the numbers of
    their labels, `agreement` the Dice of both; `revision` counts its changes. Only its
    `regions` are labelled, where it has any.
    """

    id: int
    dataset: str
    stem: str
    round: str
    shape: tuple[int, int]
    classes: tuple[str, ...]
    purpose: Purpose
    state: State
    has_presegmentation: bool
    label_id: int | None
    data_version: str | None
    leased_to: str | None
    lease_expires: float | None
    predicted_by: str | None = None
    third_below: float | None = None
    first_label: int | None = None
    second_label: int | None = None
    labelers: tuple[str, ...] = ()
    agreement: float | None = None
    arm: Arm | None = None
    revision: int = 1
    regions: tuple[Region, ...] = ()

    @property
    def key(self) -> str:
        """The sample key, such as `D3/stack_7`."""
        return f"{self.dataset}/{self.stem}"

    @property
    def task(self) -> Task:
        """What the next person who leases it does."""
        return "label" if self.second_label is None else "decide"

    @property
    def is_hidden(self) -> bool:
        """Whether nobody may see what the ensemble predicts for it, until it is labelled."""
        return self.arm == "without" and self.state == "waiting"

    def to_dict(self) -> dict[str, Any]:
        """For tables and JSON."""
        return {
            "item": self.id,
            "dataset": self.dataset,
            "stem": self.stem,
            "round": self.round,
            "state": self.state,
            "strategy": self.purpose.strategy,
            "score": self.purpose.score,
            "rank": self.purpose.rank,
            "reason": self.purpose.reason,
            "regions": len(self.regions),
            "leased_to": self.leased_to,
            "lease_expires": None if self.lease_expires is None else timestamp(self.lease_expires),
            "data_version": self.data_version,
        }


@dataclass(frozen=True)
class Lease:
    """A labeler's right to label an item until `expires` (seconds since the epoch); `token` proves it."""

    token: str
    item: Item
    labeler: str
    expires: float


@dataclass(frozen=True)
class LeaseRecord:
    """A lease as the queue keeps it; `ended` says how it ended, None while it runs.

    `expires` is seconds since the epoch; a lease whose time is over runs on until the queue notices.
    """

    token: str
    item_id: int
    labeler: str
    expires: float
    ended: str | None = None


@dataclass(frozen=True)
class OutsideLabel:
    """A label made in another tool, for an item that nobody need have leased.

    `token` names this very label, so that importing it twice submits it once; `time` is s since the epoch;
    `seconds` is the time spent, None where nobody measured it; `client` names the program it was made with.
    """

    item_id: int
    labeler: str
    png: bytes
    seconds: float | None
    time: float
    source: str
    token: str
    client: str | None = None

    def checked(self, item: Item) -> "OutsideLabel":
        """The label with its mask in the queue's own form: 255 outside the item's regions.

        Parameters
        ----------
        item
            Queue item of the image that was labelled.

        Raises
        ------
        IcefloeError
            If the author has no name, the time spent is impossible, or the mask does not fit the image.
        """
        check_person(self.labeler)
        # The comparison is false for NaN, too.
        if self.seconds is not None and not 0 <= self.seconds <= MAX_LABEL_SECONDS:
            raise IcefloeError(
                f"{item.key}: {self.seconds} s of labelling can't be. Give seconds, 0 or more."
            )
        mask = read_mask_upload(self.png, item.shape, len(item.classes), item.key)
        # Encoded anew, so that what is kept holds pixels only, whatever the sender's file held besides.
        return replace(self, png=encode_png(limited(mask, item.regions)))


@dataclass(frozen=True)
class Label:
    """A label as the queue keeps it; `refusal` says why it was set aside, None where it was accepted.

    `time` is seconds since the epoch, `seconds` the labeler's time spent, None where nobody measured it.
    `likeness` is its Dice with the pre-segmentation, where images are shown with and without, to be compared.
    """

    id: int
    item_id: int
    labeler: str
    time: float
    seconds: float | None
    source: str
    png: bytes
    refusal: str | None
    origin: Origin = NOT_KNOWN
    likeness: float | None = None


@dataclass(frozen=True)
class Event:
    """One line of the queue's history; `time` is seconds since the epoch."""

    id: int
    time: float
    item_id: int
    actor: str
    what: str
    detail: Mapping[str, Any]


@dataclass(frozen=True)
class QueueStatus:
    """How many items are where; `waiting` excludes `leased`; `seconds` were spent on accepted labels.

    `halfway` of those that wait or are leased have the first of two people's labels, `to_decide` both.
    """

    waiting: int
    leased: int
    submitted: int
    skipped: int
    imported: int
    refused_labels: int
    seconds: float
    halfway: int = 0
    to_decide: int = 0

    def sentence(self) -> str:
        """The counts in words."""
        wanted = ((self.halfway, "a second labeler"), (self.to_decide, "a third to decide"))
        others = ", ".join(f"{number} for {whom}" for number, whom in wanted if number)
        return (
            f"{self.waiting} waiting, {self.leased} being labelled, {self.submitted} labelled, "
            f"{self.imported} imported, {self.skipped} skipped; {self.seconds / 60:.1f} min of labelling."
            f"{f' Some wait for another person: {others}.' if others else ''}"
        )
