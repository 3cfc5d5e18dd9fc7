"""The waiting images into a project of Label Studio: each once, however often they are pushed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from icefloe.active.exchange.formats import viewable_png
from icefloe.active.exchange.label_studio import LabelStudio
from icefloe.active.exchange.label_studio_config import find_brush, label_config
from icefloe.active.exchange.label_studio_tasks import task_data
from icefloe.active.exchange.transfer import outgoing, waiting_items
from icefloe.active.label_studio.server import Project, Server
from icefloe.active.queue import Queue
from icefloe.datasets.annotations.drawing import class_index
from icefloe.errors import IcefloeError
from icefloe.progress import Progress, tracked

Identity = tuple[object, object, object]
"""By which a task is known again: dataset, stem and round of its image."""


@dataclass(frozen=True)
class Pushed:
    """What a push did: tasks that are new, that were brought up to date, and that stay as they are."""

    url: str
    project: str
    n_new: int
    n_updated: int
    n_known: int

    def sentence(self) -> str:
        """The counts in words, and where to label."""
        parts = [f"{self.n_new} new task{'' if self.n_new == 1 else 's'}"]
        parts += [f"{self.n_updated} brought up to date"] if self.n_updated else []
        parts += [f"{self.n_known} there before"] if self.n_known else []
        return f"{', '.join(parts)} in the project {self.project!r}: {self.url}."


def push(
    queue: Queue, data: Path, server: Server, title: str, progress: Progress, dataset: str | None = None
) -> Pushed:
    """Bring the waiting images, with their predicted masks, into a project.

    The project is made if it is not there. A push that was interrupted goes on where it stopped.

    Parameters
    ----------
    queue
        Labelling queue whose waiting images are pushed.
    data
        Folder of the workspace's datasets.
    server, title
        Label Studio, and the project's title there.
    progress
        Told of every image.
    dataset
        Dataset whose images are pushed; None: those of all.

    Raises
    ------
    IcefloeError
        If nothing waits, the images or the project are of different classes, or Label Studio refuses.
    """
    items = sorted(waiting_items(queue, dataset), key=lambda item: item.purpose.rank)
    project = _project(server, title, items[0].classes)
    known = {_identity(task): (number, task) for number, task in server.tasks(project)}
    new = [item for item in items if (item.dataset, item.stem, item.round) not in known]
    n_updated = 0
    for item in items:
        number, task = known.get((item.dataset, item.stem, item.round), (0, None))
        if task is not None and (fresh := {**task, **task_data(item, str(task.get("image")))}) != task:
            server.update_task(number, fresh)
            n_updated += 1
    for one in tracked(outgoing(queue, data, new), progress, "Pushing", len(new)):
        address = server.upload(project, one.image_name.replace("/", "_"), viewable_png(one))
        server.add_task(project, LabelStudio().task(one, address))
    return Pushed(
        url=f"{server.url}/projects/{project.id}",
        project=title,
        n_new=len(new),
        n_updated=n_updated,
        n_known=len(items) - len(new) - n_updated,
    )


def _identity(task: Mapping[str, Any]) -> Identity:
    return task.get("dataset"), task.get("stem"), task.get("round")


def _project(server: Server, title: str, classes: Sequence[str]) -> Project:
    """The project, made or given its labelling interface if need be."""
    config = label_config(classes, with_reason=False)
    project = server.project(title)
    if project is None:
        return server.create_project(title, config)
    what = f"Label Studio's project {title!r}"
    brush = find_brush(project.config, what)
    if brush is None:
        server.set_config(project, config)
        return project
    painted = {class_index(label, classes) for label in brush.labels}
    if not set(range(1, len(classes))) <= painted:
        raise IcefloeError(
            f"{what} labels {', '.join(brush.labels)}, but the images are of {', '.join(classes)}. "
            "Push to another project: --project."
        )
    return project
