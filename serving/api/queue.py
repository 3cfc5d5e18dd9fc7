"""The labelling queue: which images wait, who labels which, and the masks that come back."""

import dataclasses
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from icefloe.active.drafts import Drafts, StaleDraftError
from icefloe.active.items import MAX_LABEL_SECONDS, Event, Item, Lease, State
from icefloe.active.queue import LEASE_SECONDS, Queue
from icefloe.errors import MissingError
from serving.auth.identity import CurrentPerson
from serving.etags import etag, expected_revision
from serving.parameters import LARGEST_ID, RowId
from serving.problems import RefusedError

router = APIRouter(prefix="/queue", tags=["queue"])

PNG = "image/png"
SOURCE = "service"
"""What the dataset's label history says of labels that came this way."""

LeaseToken = Annotated[
    str, Header(alias="Icefloe-Lease", max_length=64, description="Token of the lease; never in a URL.")
]


class Progress(BaseModel):
    """Where the queue's items are, and seconds of labelling spent on those accepted."""

    model_config = ConfigDict(frozen=True)

    waiting: int
    leased: int
    submitted: int
    skipped: int
    imported: int
    refused_labels: int
    seconds: float
    sentence: str


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

    @classmethod
    def of(cls, item: Item) -> "QueueItem":
        """The form in which the API shows an item."""
        content = dataclasses.asdict(item)
        content |= dataclasses.asdict(item.purpose) | {"height": item.shape[0], "width": item.shape[1]}
        return cls.model_validate({name: content[name] for name in cls.model_fields})


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

    model_config = ConfigDict(frozen=True, from_attributes=True)

    id: int
    time: float
    actor: str
    what: str
    detail: dict[str, Any]


class Wanted(BaseModel):
    """Which image to lease: the next of all or of one dataset, or a certain item."""

    dataset: Annotated[str | None, Field(max_length=255)] = None
    item_id: Annotated[int | None, Field(ge=1, le=LARGEST_ID)] = None


class Reason(BaseModel):
    """Why, in words."""

    reason: Annotated[str, Field(min_length=1, max_length=1000)]


async def queue_of(request: Request) -> Queue:
    """The workspace's queue."""
    queue: Queue = request.app.state.queue
    return queue


OpenQueue = Annotated[Queue, Depends(queue_of)]


def own_lease(token: LeaseToken, person: CurrentPerson, queue: OpenQueue) -> Lease:
    """The lease of the header, if it is the person's own: others' do not exist for her.

    Raises
    ------
    MissingError
        If it is not.
    """
    lease = queue.lease_of(token)
    if lease.labeler != person.name:
        raise MissingError(f"lease {token!r}: no such lease. Lease an image first.")
    return lease


OwnLease = Annotated[Lease, Depends(own_lease)]


async def lease_of_item(item_id: RowId, lease: OwnLease) -> Lease:
    """The person's own lease, if it is for the item of the path.

    Raises
    ------
    MissingError
        If it is for another.
    """
    if lease.item.id != item_id:
        raise MissingError(f"item {item_id}: this lease is for item {lease.item.id}. Use the item's own.")
    return lease


ItemsLease = Annotated[Lease, Depends(lease_of_item)]
Seconds = Annotated[
    float, Header(alias="Icefloe-Seconds", ge=0, le=MAX_LABEL_SECONDS, description="Time spent, in s.")
]
MASK_BODY = {"requestBody": {"required": True, "content": {PNG: {"schema": {"type": "string"}}}}}
MASK_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"content": {PNG: {}}, "description": "Class indices, 255 = ignore"}
}


async def drafts_of(request: Request) -> Drafts:
    """The workspace's drafts."""
    drafts: Drafts = request.app.state.drafts
    return drafts


OpenDrafts = Annotated[Drafts, Depends(drafts_of)]


async def expected_draft(
    if_match: Annotated[str | None, Header()] = None, if_none_match: Annotated[str | None, Header()] = None
) -> int:
    """The revision of the draft that a new one follows: `If-None-Match: *` where there is none."""
    if if_match is None and if_none_match == "*":
        return 0
    return expected_revision(if_match)


async def png_body(request: Request) -> bytes:
    """The body of a request that sends a mask.

    Raises
    ------
    RefusedError
        415 if it says that it is something else.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().casefold()
    if kind != PNG:
        raise RefusedError(415, f"A mask is sent as {PNG}, not {kind or 'without a type'}. Export it as PNG.")
    return await request.body()


@router.get("")
def show_progress(queue: OpenQueue, dataset: str | None = None) -> Progress:
    """How far the labelling is, in all or of one dataset."""
    status = queue.status(dataset)
    return Progress(**dataclasses.asdict(status), sentence=status.sentence())


@router.get("/items")
def list_items(
    queue: OpenQueue, state: State | None = None, dataset: str | None = None, round: str | None = None
) -> list[QueueItem]:
    """Items in the order they were queued, all or those of one state, dataset or round."""
    return [QueueItem.of(item) for item in queue.items(state, dataset, round)]


@router.get("/items/{item_id}")
def show_item(item_id: RowId, queue: OpenQueue) -> QueueItem:
    """One item."""
    return QueueItem.of(queue.item(item_id))


@router.get("/items/{item_id}/history")
def show_history(item_id: RowId, queue: OpenQueue) -> list[HistoryLine]:
    """What happened to an item, oldest first."""
    queue.item(item_id)
    events: list[Event] = queue.history(item_id)
    return [HistoryLine.model_validate(event) for event in events]


@router.get("/items/{item_id}/presegmentation", response_class=Response, responses=MASK_ANSWER)
def show_presegmentation(item_id: RowId, queue: OpenQueue) -> Response:
    """The mask that the ensemble predicted, as 8-bit PNG of class indices."""
    png = queue.presegmentation(item_id)
    if png is None:
        raise MissingError(f"item {item_id}: has no pre-segmentation. Begin with an empty mask.")
    return Response(png, media_type=PNG)


@router.post(
    "/leases", status_code=201, response_model=ItemLease, responses={204: {"description": "No image waits"}}
)
def lease_next(wanted: Wanted, queue: OpenQueue, person: CurrentPerson) -> Any:
    """Lease the next waiting image, the best ranked of the oldest round; 204 if none waits."""
    lease = queue.lease(person.name, dataset=wanted.dataset, item_id=wanted.item_id)
    return Response(status_code=204) if lease is None else ItemLease.of(lease)


@router.get("/leases")
def list_leases(queue: OpenQueue, person: CurrentPerson) -> list[ItemLease]:
    """Your running leases, oldest first, so that work goes on after a browser was closed."""
    return [ItemLease.of(lease) for lease in queue.leases(person.name)]


@router.put("/leases/current")
def renew_lease(
    lease: OwnLease,
    queue: OpenQueue,
    seconds: Annotated[float, Query(gt=0, le=LEASE_SECONDS)] = LEASE_SECONDS,
) -> ItemLease:
    """Let the lease of the header run on, from now."""
    return ItemLease.of(queue.renew(lease.token, seconds))


@router.delete("/leases/current", status_code=204)
def release_lease(lease: OwnLease, queue: OpenQueue) -> None:
    """Give the image of the header's lease back, unlabelled."""
    queue.release(lease.token)


@router.get(
    "/items/{item_id}/draft",
    response_class=Response,
    responses=MASK_ANSWER | {204: {"description": "You have none"}},
)
def show_draft(item_id: RowId, queue: OpenQueue, drafts: OpenDrafts, person: CurrentPerson) -> Response:
    """Your own draft of an item's mask, with the seconds of work in it; 204 if you have none."""
    draft = drafts.read(queue.item(item_id).id, person.name)
    if draft is None:
        return Response(status_code=204)
    headers = {"ETag": etag(draft.revision), "Icefloe-Seconds": repr(draft.seconds)}
    return Response(draft.png, media_type=PNG, headers=headers)


@router.put("/items/{item_id}/draft", status_code=204, openapi_extra=MASK_BODY)
def save_draft(
    lease: ItemsLease,
    png: Annotated[bytes, Depends(png_body)],
    drafts: OpenDrafts,
    seconds: Seconds,
    revision: Annotated[int, Depends(expected_draft)],
) -> Response:
    """Keep a mask that you are still at work on; the ETag of the answer is for the next one."""
    try:
        saved = drafts.save(lease, png, seconds, revision)
    except StaleDraftError as error:
        raise RefusedError(412, str(error), {"ETag": etag(error.revision)}) from error
    return Response(status_code=204, headers={"ETag": etag(saved)})


@router.put("/items/{item_id}/label", openapi_extra=MASK_BODY)
def submit_label(
    lease: ItemsLease,
    png: Annotated[bytes, Depends(png_body)],
    queue: OpenQueue,
    drafts: OpenDrafts,
    seconds: Seconds,
) -> Receipt:
    """Hand in a mask: 8-bit PNG of class indices, 255 = ignore; sending it twice is as once."""
    label = queue.submit(lease.token, png, seconds, SOURCE)
    drafts.remove(label.item_id, label.labeler)
    return Receipt(
        id=label.id, item_id=label.item_id, labeler=label.labeler, time=label.time, seconds=label.seconds
    )


@router.post("/items/{item_id}/skip", status_code=204)
def skip_item(lease: ItemsLease, why: Reason, queue: OpenQueue) -> None:
    """Take an image out of the queue because it cannot be labelled."""
    queue.skip(lease.token, why.reason)


@router.post("/items/{item_id}/reopen")
def reopen_item(item_id: RowId, why: Reason, queue: OpenQueue, person: CurrentPerson) -> QueueItem:
    """Put a skipped image, or one whose label is no good, back in the queue."""
    queue.reopen(item_id, person.name, why.reason)
    return QueueItem.of(queue.item(item_id))
