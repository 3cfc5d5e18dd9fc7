"""What the API shows of the queue: progress, items, leases, receipts, history."""

from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, ConfigDict

from icefloe.active.items import Event, Item, Lease, State, Task


class Progress(BaseModel):
    """Where the queue's items are, and seconds of labelling spent on those accepted.

    Of those not labelled yet, `halfway` have the first of two people's labels, `to_decide` both.
    """

    model_config = ConfigDict(frozen=True)

    waiting: int
    leased: int
    submitted: int
    skipped: int
    imported: int
    refused_labels: int
    seconds: float
    halfway: int
    to_decide: int
    sentence: str


class ItemRegion(BaseModel):
    """A rectangle of an image, in px: its first row and column, and its size."""

    model_config = ConfigDict(frozen=True)

    top: int
    left: int
    height: int
    width: int


class QueueItem(BaseModel):
    """An image of the queue.

    Attributes
    ----------
    id, dataset, stem, round
        Number, image, and what the image was chosen in.
    height, width
        Size in px, which its mask must have.
    classes
        Class names by mask value.
    strategy, score, rank, reason
        Why it was chosen.
    state
        `waiting`, `submitted`, `skipped` or `imported`.
    has_presegmentation
        Whether there is a mask to begin with.
    data_version
        That holds its label, once there is one.
    leased_to, lease_expires
        Who labels it now, and until when, in s since the epoch.
    task
        What the next person does: `label`, or `decide` between two people's masks.
    two_labelers, labelers, agreement
        Whether two people label it, those who have, and the Dice of both.
    without_presegmentation
        Whether it is labelled without seeing what the ensemble predicts.
    regions
        What of the image is labelled, every other pixel of its label is 255; none: all of it.
    revision
        Number of its changes; its ETag.
    """

    model_config = ConfigDict(frozen=True)

    id: int
    dataset: str
    stem: str
    round: str
    height: int
    width: int
    classes: tuple[str, ...]
    strategy: str
    score: float
    rank: int
    reason: str
    state: State
    has_presegmentation: bool
    data_version: str | None
    leased_to: str | None
    lease_expires: float | None
    task: Task
    two_labelers: bool
    labelers: tuple[str, ...]
    agreement: float | None
    without_presegmentation: bool
    regions: tuple[ItemRegion, ...]
    revision: int

    @classmethod
    def of(cls, item: Item) -> "QueueItem":
        """The form in which the API shows an item."""
        return cls(
            id=item.id,
            dataset=item.dataset,
            stem=item.stem,
            round=item.round,
            height=item.shape[0],
            width=item.shape[1],
            classes=item.classes,
            strategy=item.purpose.strategy,
            score=item.purpose.score,
            rank=item.purpose.rank,
            reason=item.purpose.reason,
            state=item.state,
            has_presegmentation=item.has_presegmentation and not item.is_hidden,
            data_version=item.data_version,
            leased_to=item.leased_to,
            lease_expires=item.lease_expires,
            task=item.task,
            two_labelers=item.third_below is not None,
            labelers=item.labelers,
            agreement=item.agreement,
            without_presegmentation=item.arm == "without",
            regions=tuple(ItemRegion(**asdict(region)) for region in item.regions),
            revision=item.revision,
        )


class ItemLease(BaseModel):
    """The right to label an item until `expires` (s since the epoch), proved by `token`."""

    model_config = ConfigDict(frozen=True)

    token: str
    item: QueueItem
    expires: float

    @classmethod
    def of(cls, lease: Lease) -> "ItemLease":
        """The form in which the API shows a lease."""
        return cls(token=lease.token, item=QueueItem.of(lease.item), expires=lease.expires)


class Receipt(BaseModel):
    """An accepted label: its number, item, author, and time in s since the epoch."""

    model_config = ConfigDict(frozen=True)

    id: int
    item_id: int
    labeler: str
    time: float
    seconds: float | None


class HistoryLine(BaseModel):
    """What happened to an item; `time` in s since the epoch."""

    model_config = ConfigDict(frozen=True)

    id: int
    time: float
    actor: str
    what: str
    detail: dict[str, Any]

    @classmethod
    def of(cls, event: Event, item: Item) -> "HistoryLine":
        """The form in which the API shows an event.

        Until the second of two people has labelled the image, nothing tells of the first one's mask: its hash
        would say whether it is a certain one.
        """
        is_halfway = item.third_below is not None and item.second_label is None
        detail = {
            name: value for name, value in event.detail.items() if not (is_halfway and name == "sha256")
        }
        return cls(id=event.id, time=event.time, actor=event.actor, what=event.what, detail=detail)
