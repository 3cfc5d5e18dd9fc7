"""Annotations of a project of Label Studio back into the queue: what fits, and why the rest does not."""

from collections.abc import Mapping
from typing import Any

from icefloe.active.exchange.formats import Reading
from icefloe.active.exchange.known import Known
from icefloe.active.exchange.label_studio_export import LABEL_STUDIO, read_task
from icefloe.active.exchange.transfer import ImportResult, outside_label
from icefloe.active.label_studio.server import Server
from icefloe.active.queue import Queue
from icefloe.errors import IcefloeError
from icefloe.progress import Progress, tracked

WHERE = "Label Studio"


def pull(queue: Queue, server: Server, title: str, progress: Progress) -> ImportResult:
    """Submit a project's annotations to the queue, each by itself.

    Pulling again changes nothing. Who made a label, and when, is as Label Studio says.

    Parameters
    ----------
    queue
        The queue that the images were pushed from.
    server, title
        Label Studio, and the project's title there.
    progress
        Told of every task.

    Returns
    -------
    ImportResult
        The labels, and in `refused` why others are not taken: of another size, of an unknown class, too late.

    Raises
    ------
    IcefloeError
        If there is no such project, or Label Studio refuses.
    """
    project = server.project(title)
    if project is None:
        raise IcefloeError(
            f"{server.url}: there is no project {title!r}. Name one of its projects: --project."
        )
    people = server.people()
    known, reading, refused = Known(queue.items()), Reading(WHERE), []
    before = {label.id for state in ("submitted", "imported") for label in queue.labels(state)}
    for task in tracked(server.touched(project), progress, "Pulling"):
        try:
            read_task(WHERE, task["id"], _named(task, people), known, reading)
        except IcefloeError as error:
            refused.append(str(error))
    labels = []
    for label in reading.labels:
        try:
            labels.append(queue.submit_outside(outside_label(label, LABEL_STUDIO, None)))
        except IcefloeError as error:
            refused.append(str(error))
    n_known = sum(label.id in before for label in labels)
    notes = tuple(reading.notes)
    return ImportResult(tuple(labels), (), n_known, reading.left_out, notes, tuple(refused))


def _named(task: Mapping[str, Any], people: Mapping[int, str]) -> dict[str, Any]:
    """The task with its annotators' addresses in place of their numbers."""

    def author(number: object) -> object:
        known = people.get(number) if isinstance(number, int) else None
        return number if known is None else {"id": number, "email": known}

    annotations = task["annotations"] or ()
    return {
        **task,
        "annotations": [{**one, "completed_by": author(one.get("completed_by"))} for one in annotations],
    }
