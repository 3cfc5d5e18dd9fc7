"""Page *Queue*: which images people should label, why, and what became of them."""

from collections.abc import Mapping
from typing import Annotated, get_args

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from icefloe.active.consistency import label_consistency
from icefloe.active.items import Item, State, timestamp
from icefloe.active.queue import Queue
from serving.auth.identity import CurrentPerson
from serving.auth.roles import Role
from serving.pages.render import render
from serving.snapshot import read_snapshot

router = APIRouter(include_in_schema=False)

STATES: tuple[State, ...] = get_args(State)
MOST = 200
"""Rows of a page; filters show the others."""


@router.get("/queue")
def queue(
    request: Request,
    person: CurrentPerson,
    state: Annotated[str, Query()] = "waiting",
    dataset: Annotated[str, Query()] = "",
    round: Annotated[str, Query()] = "",
) -> HTMLResponse:
    queue: Queue = request.app.state.queue
    wanted: State | None = next((known for known in STATES if known == state), None)
    everything = queue.items()
    rounds = list(dict.fromkeys(item.round for item in everything))
    found = queue.items(wanted, dataset or None, round or None)
    may_reopen = person.role.includes(Role.OPERATOR)
    snapshot = read_snapshot(request.app.state.settings)
    predicted = {v.dataset: v.predicted_images for v in reversed(snapshot.drift)} if snapshot else {}
    found.sort(key=lambda item: (rounds.index(item.round), item.purpose.rank, item.id))
    return render(
        request,
        "queue.html",
        items=[_row(item, person.name, predicted.get(item.dataset, {})) for item in found[:MOST]],
        n_found=len(found),
        most=MOST,
        status=queue.status().sentence(),
        agreement=label_consistency(queue).sentence() if may_reopen else "",
        states=STATES,
        datasets=sorted({item.dataset for item in everything}),
        rounds=rounds,
        chosen={"state": state if wanted else "", "dataset": dataset, "round": round},
        may_label=person.role.includes(Role.LABELER),
        may_reopen=may_reopen,
    )


def _row(item: Item, name: str, predicted: Mapping[str, str]) -> dict[str, object]:
    until = "" if item.lease_expires is None else timestamp(item.lease_expires)
    return {
        "id": item.id,
        "dataset": item.dataset,
        "stem": item.stem,
        "round": item.round,
        "rank": item.purpose.rank,
        "reason": item.purpose.reason,
        "predicted": "" if item.is_hidden else predicted.get(item.stem, ""),
        "state": item.state,
        "leased_to": item.leased_to,
        "until": until[11:16],
        "data_version": item.data_version,
        "revision": item.revision,
        "is_hidden": item.is_hidden,
        "task": item.task,
        "has_labelled": name in item.labelers,
        "labelers": item.labelers,
        "agreement": item.agreement,
        "wants": _wanted(item),
    }


def _wanted(item: Item) -> str:
    """Whom an image waits for that several people label; empty for others."""
    if item.state != "waiting" or item.third_below is None:
        return ""
    return ("two labelers", "a second labeler", "a third to decide")[len(item.labelers)]
