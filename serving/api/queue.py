"""The labelling queue: which images wait, who labels which, and the masks that come back."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from icefloe.active.drafts import Drafts, StaleDraftError
from icefloe.active.items import MAX_LABEL_SECONDS, Lease, State
from icefloe.active.queue import LEASE_SECONDS, Queue
from icefloe.active.rules import StaleItemError
from icefloe.errors import MissingError
from serving.api.queue_content import HistoryLine, ItemLease, Progress, QueueItem, Receipt
from serving.auth.identity import CurrentPerson
from serving.etags import etag, expected_revision
from serving.parameters import LARGEST_ID, RowId
from serving.problems import RefusedError

router = APIRouter(prefix="/queue", tags=["queue"])

PNG = "image/png"
UNSEEN = "is labelled without a look at what the ensemble predicts, to measure how that pulls."

SOURCE = "service"
"""What the dataset's label history says of labels that came this way."""

LeaseToken = Annotated[
    str, Header(alias="Icefloe-Lease", max_length=64, description="Token of the lease; never in a URL.")
]


class Wanted(BaseModel):
    """Which image to lease: the next of all or of one dataset, or a certain item."""

    dataset: Annotated[str | None, Field(max_length=255)] = None
    item_id: Annotated[int | None, Field(ge=1, le=LARGEST_ID)] = None


class Reason(BaseModel):
    """Why, in words."""

    reason: Annotated[str, Field(min_length=1, max_length=1000)]


class Settled(Reason):
    """Whose label an image gets, and why."""

    labeler: Annotated[str, Field(min_length=1, max_length=255)]


async def queue_of(request: Request) -> Queue:
    """The workspace's queue."""
    queue: Queue = request.app.state.queue
    return queue


OpenQueue = Annotated[Queue, Depends(queue_of)]


@dataclass(frozen=True)
class Claim:
    """What a request says that it has: the lease of a token, for a person and an item (None: for any)."""

    queue: Queue
    token: str
    labeler: str
    item_id: int | None = None

    def lease(self) -> Lease:
        """The lease, if it is the person's own, others' do not exist for her, and for the item.

        Raises
        ------
        MissingError
            If it is not.
        """
        lease = self.queue.lease_of(self.token)
        if lease.labeler != self.labeler:
            raise MissingError(f"lease {self.token!r}: no such lease. Lease an image first.")
        if self.item_id not in (None, lease.item.id):
            raise MissingError(
                f"item {self.item_id}: this lease is for item {lease.item.id}. Use the item's own."
            )
        return lease


async def own_claim(token: LeaseToken, person: CurrentPerson, queue: OpenQueue) -> Claim:
    """To the lease of the header."""
    return Claim(queue, token, person.name)


async def items_claim(item_id: RowId, token: LeaseToken, person: CurrentPerson, queue: OpenQueue) -> Claim:
    """To the lease of the header, for the item of the path."""
    return Claim(queue, token, person.name, item_id)


OwnClaim = Annotated[Claim, Depends(own_claim)]
ItemsClaim = Annotated[Claim, Depends(items_claim)]
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


Client = Annotated[
    str | None,
    Header(
        alias="Icefloe-Client",
        max_length=128,
        description="Program that the mask was made with, and its version.",
    ),
]


def program(client: str | None, user_agent: str | None) -> str | None:
    """The program that a mask was made with, by its own account."""
    told = "".join(filter(str.isprintable, client or user_agent or ""))
    return told[:128].strip() or None


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


# Fifty labelers ask for these two every second. Routes are tried one after the other, so they come first; and
# each dependency takes FastAPI as long as a statement takes the database, so they have none of their own.
@router.post(
    "/leases", status_code=201, response_model=ItemLease, responses={204: {"description": "No image waits"}}
)
async def lease_next(wanted: Wanted, request: Request) -> Any:
    """Lease the next waiting image, the best ranked of the oldest round; 204 if none waits."""
    queue: Queue = request.app.state.queue
    labeler = request.state.person.name
    lease = await run_in_threadpool(queue.lease, labeler, dataset=wanted.dataset, item_id=wanted.item_id)
    return Response(status_code=204) if lease is None else ItemLease.of(lease)


@router.put("/items/{item_id}/label", openapi_extra=MASK_BODY)
async def submit_label(
    item_id: RowId,
    request: Request,
    token: LeaseToken,
    seconds: Seconds,
    client: Client = None,
    user_agent: Annotated[str | None, Header()] = None,
) -> Receipt:
    """Hand in a mask: 8-bit PNG of class indices, 255 = ignore; sending it twice is as once.

    Where the item has regions, what is painted outside them is not kept: those pixels become 255.

    Where two people's masks are to be decided between, each of its pixels is as one of them has it.
    """
    queue: Queue = request.app.state.queue
    claim = Claim(queue, token, request.state.person.name, item_id)
    png, made_with = await png_body(request), program(client, user_agent)
    # One thread for all of it: another for each part would take longer than most parts do.
    label = await run_in_threadpool(lambda: queue.submit(claim.lease(), png, seconds, SOURCE, made_with))
    return Receipt(
        id=label.id, item_id=label.item_id, labeler=label.labeler, time=label.time, seconds=label.seconds
    )


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
def show_item(item_id: RowId, queue: OpenQueue, response: Response) -> QueueItem:
    """One item."""
    item = queue.item(item_id)
    response.headers["ETag"] = etag(item.revision)
    return QueueItem.of(item)


@router.get("/items/{item_id}/history")
def show_history(item_id: RowId, queue: OpenQueue) -> list[HistoryLine]:
    """What happened to an item, oldest first."""
    item = queue.item(item_id)
    return [HistoryLine.of(event, item) for event in queue.history(item_id)]


@router.get("/items/{item_id}/presegmentation", response_class=Response, responses=MASK_ANSWER)
def show_presegmentation(item_id: RowId, queue: OpenQueue) -> Response:
    """The mask that the ensemble predicted, as 8-bit PNG of class indices."""
    item = queue.item(item_id)
    if item.is_hidden:
        raise MissingError(f"{item.key}: {UNSEEN} Begin with an empty mask.")
    png = queue.presegmentation(item_id)
    if png is None:
        raise MissingError(f"item {item_id}: has no pre-segmentation. Begin with an empty mask.")
    return Response(png, media_type=PNG)


@router.get("/items/{item_id}/pair/{which}", response_class=Response, responses=MASK_ANSWER)
def show_pair(item_id: RowId, which: Literal["a", "b"], queue: OpenQueue) -> Response:
    """The mask of the first (a) or the second (b) of two people, once both are in, as 8-bit PNG."""
    first, second = queue.pair(item_id)
    return Response((first if which == "a" else second).png, media_type=PNG)


@router.get("/leases")
def list_leases(queue: OpenQueue, person: CurrentPerson) -> list[ItemLease]:
    """Your running leases, oldest first, so that work goes on after a browser was closed."""
    return [ItemLease.of(lease) for lease in queue.leases(person.name)]


@router.put("/leases/current")
def renew_lease(
    claim: OwnClaim,
    queue: OpenQueue,
    seconds: Annotated[float, Query(gt=0, le=LEASE_SECONDS)] = LEASE_SECONDS,
) -> ItemLease:
    """Let the lease of the header run on, from now."""
    return ItemLease.of(queue.renew(claim.lease().token, seconds))


@router.delete("/leases/current", status_code=204)
def release_lease(claim: OwnClaim, queue: OpenQueue) -> None:
    """Give the image of the header's lease back, unlabelled."""
    queue.release(claim.lease().token)


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
    claim: ItemsClaim,
    png: Annotated[bytes, Depends(png_body)],
    drafts: OpenDrafts,
    seconds: Seconds,
    revision: Annotated[int, Depends(expected_draft)],
) -> Response:
    """Keep a mask that you are still at work on; the ETag of the answer is for the next one."""
    try:
        saved = drafts.save(claim.lease(), png, seconds, revision)
    except StaleDraftError as error:
        raise RefusedError(412, str(error), {"ETag": etag(error.revision)}) from error
    return Response(status_code=204, headers={"ETag": etag(saved)})


@router.post("/items/{item_id}/skip", status_code=204)
def skip_item(claim: ItemsClaim, why: Reason, queue: OpenQueue) -> None:
    """Take an image out of the queue because it cannot be labelled."""
    queue.skip(claim.lease().token, why.reason)


@router.post("/items/{item_id}/reopen")
def reopen_item(
    item_id: RowId,
    why: Reason,
    revision: Annotated[int, Depends(expected_revision)],
    queue: OpenQueue,
    person: CurrentPerson,
    response: Response,
) -> QueueItem:
    """Put a skipped image, or one whose label is no good, back in the queue."""
    with stale_items_are_412():
        queue.reopen(item_id, person.name, why.reason, revision)
    return show_item(item_id, queue, response)


@router.post("/items/{item_id}/settle")
def settle_item(
    item_id: RowId,
    settled: Settled,
    revision: Annotated[int, Depends(expected_revision)],
    queue: OpenQueue,
    person: CurrentPerson,
    response: Response,
) -> QueueItem:
    """Give an image that waits for a second or third person the label of one who has labelled it."""
    with stale_items_are_412():
        queue.settle(item_id, settled.labeler, person.name, settled.reason, revision)
    return show_item(item_id, queue, response)


@contextmanager
def stale_items_are_412() -> Iterator[None]:
    """Answer a change that is based on another state of an item with the present one."""
    try:
        yield
    except StaleItemError as error:
        current = QueueItem.of(error.current).model_dump(mode="json")
        raise RefusedError(
            412, str(error), {"ETag": etag(error.current.revision)}, current=current
        ) from error
