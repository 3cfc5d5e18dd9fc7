"""Label Studio's JSON export: one label for each task that a person annotated."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, FiniteFloat

from icefloe.active.exchange.brush import decode_brush
from icefloe.active.exchange.formats import Incoming, Reading
from icefloe.active.exchange.kinds import check_format
from icefloe.active.exchange.known import Known
from icefloe.active.exchange.sources import SourceFile, shown
from icefloe.active.exchange.values import parse_seconds, parse_time, read_json
from icefloe.active.items import MAX_LABEL_SECONDS, Item
from icefloe.datasets.annotations.drawing import class_index
from icefloe.datasets.annotations.regions import Polygon
from icefloe.errors import IcefloeError
from icefloe.typing import MaskArray
from icefloe.validation import validated

LABEL_STUDIO = "label-studio"

NOT_ANNOTATED = "nobody annotated it"
SKIPPED = "skipped in Label Studio"
DRAFT = "a draft that was not submitted"
ONLY_ANSWERS = "answered, but nothing drawn"
ANSWER = "an answer beside the mask"

_ANSWERS = frozenset(
    ("choices", "datetime", "number", "pairwise", "ranker", "rating", "relation", "taxonomy", "textarea")
)
_FIX = "Export it from Label Studio again."


class _Annotation(BaseModel):
    result: list[dict[str, Any]]
    was_cancelled: bool | None = False
    completed_by: Any = None
    created_at: Any = None
    updated_at: Any = None
    lead_time: Any = None


class _Task(BaseModel):
    id: Any = None
    data: dict[str, Any]
    annotations: list[_Annotation]
    drafts: Any = None

    @property
    def name(self) -> str:
        """What a person knows the task by."""
        if "stem" in self.data:
            return f"{self.data.get('dataset')}/{self.data['stem']}"
        return f"task {self.id}" if self.address is None else self.address.rpartition("/")[-1]

    @property
    def address(self) -> str | None:
        """The image's, under whatever name the labelling interface gave it."""
        texts = {key: value for key, value in self.data.items() if isinstance(value, str)}
        return texts.get("image", next(iter(texts.values()), None))


class _BrushValue(BaseModel):
    format: Literal["rle"] = "rle"
    rle: Any
    brushlabels: list[str]


class _PolygonValue(BaseModel):
    points: list[tuple[FiniteFloat, FiniteFloat]]
    closed: bool | None = True
    polygonlabels: list[str]


class _Region(BaseModel):
    original_width: int
    original_height: int
    image_rotation: float | None = 0
    value: dict[str, Any]


def read_export(file: SourceFile, items: Known, reading: Reading) -> None:
    """Add the labels in a JSON export to `reading`; tasks that nobody annotated are none, predicted or not.

    Raises
    ------
    IcefloeError
        If it is another file, an image is not in the queue or has several annotations, or a region can't be
        drawn.
    """
    tasks = read_json(file)
    check_format(file, tasks, LABEL_STUDIO)
    if not isinstance(tasks, list) or not all(isinstance(task, dict) and "data" in task for task in tasks):
        raise IcefloeError(
            f"{file.where}: not Label Studio's export. Choose the export format `JSON` in Label Studio."
        )
    if not all("annotations" in task for task in tasks):
        raise IcefloeError(
            f"{file.where}: tasks as they were exported, without annotations. Export the project from "
            "Label Studio, in the format `JSON`."
        )
    for number, task in enumerate(tasks, start=1):
        read_task(file.where, number, task, items, reading)


def read_task(where: str, number: int, content: object, items: Known, reading: Reading) -> None:
    """Add the label of one task to `reading`, or why it is none.

    Parameters
    ----------
    where, number
        What messages name: the file or the project, and the task in it.
    content
        The task with its annotations, parsed from JSON.
    items
        The queue's items.
    reading
        What is added to.

    Raises
    ------
    IcefloeError
        If it is malformed, its image is not in the queue or has several annotations, or a region can't be
        drawn.
    """
    task = validated(_Task, content, f"{where}: task {number}.", _FIX)
    done = [annotation for annotation in task.annotations if not annotation.was_cancelled]
    if not done:
        skipped = SKIPPED if task.annotations else DRAFT if task.drafts else NOT_ANNOTATED
        reading.leave(task.name, skipped)
        return
    item = _item(where, task, items)
    what = f"{where}: {item.key}"
    if len(done) > 1:
        people = ", ".join(shown(_author(annotation.completed_by)) for annotation in done[:5])
        raise IcefloeError(
            f"{what} has {len(done)} annotations ({people}). Keep one of them in Label Studio."
        )
    reading.claim(item)
    (annotation,) = done
    regions = [region for region in annotation.result if _kind(region) not in _ANSWERS]
    if annotation.result and not regions:
        reading.leave(item.key, ONLY_ANSWERS)
        return
    for answer in annotation.result:
        if _kind(answer) in _ANSWERS:
            reading.leave(f"{item.key}: {answer.get('from_name') or _kind(answer)}", ANSWER)
    reading.labels.append(
        Incoming(
            item=item,
            mask=_draw(regions, item, what),
            what=what,
            author=_author(annotation.completed_by),
            time=parse_time(annotation.updated_at or annotation.created_at, what),
            seconds=_seconds(annotation, item, what, reading),
        )
    )


def _item(where: str, task: _Task, items: Known) -> Item:
    if "dataset" in task.data and "stem" in task.data:
        return items.by_key(task.data["dataset"], task.data["stem"], where, task.data.get("round"))
    if task.address is None:
        raise IcefloeError(f"{where}: {shown(task.name)} names no image. {_FIX}")
    return items.by_address(task.address, where)


def _draw(regions: Sequence[Mapping[str, Any]], item: Item, what: str) -> MaskArray:
    """Regions over background; a later one covers an earlier one."""
    mask = np.zeros(item.shape, np.uint8)
    for region in regions:
        kind = _kind(region)
        if kind not in ("brushlabels", "polygonlabels"):
            raise IcefloeError(f"{what}: a region of kind {kind[:40]!r}. Draw with the brush or polygons.")
        value = _value(region, item, what)
        if kind == "brushlabels":
            brush = validated(_BrushValue, value, f"{what}: brush.", _FIX)
            mask[decode_brush(brush.rle, item.shape, what)] = _class_index(brush.brushlabels, item, what)
        else:
            polygon = validated(_PolygonValue, value, f"{what}: polygon.", _FIX)
            mask[_inside(polygon, item, what)] = _class_index(polygon.polygonlabels, item, what)
    return mask


def _kind(region: Mapping[str, Any]) -> str:
    return str(region.get("type"))


def _value(region: Mapping[str, Any], item: Item, what: str) -> dict[str, Any]:
    placed = validated(_Region, region, f"{what}: region.", _FIX)
    width, height = placed.original_width, placed.original_height
    if (height, width) != item.shape:
        raise IcefloeError(
            f"{what}: was labelled at {width}x{height} but the image is {item.shape[1]}x{item.shape[0]}. "
            "Label the exported image as it is."
        )
    if placed.image_rotation:
        raise IcefloeError(
            f"{what}: was labelled turned by {placed.image_rotation:g} degrees. "
            "Label the exported image as it is."
        )
    return placed.value


def _inside(polygon: _PolygonValue, item: Item, what: str) -> NDArray[np.bool_]:
    if polygon.closed is False:
        raise IcefloeError(f"{what}: a polygon is not closed. Click its first point in Label Studio.")
    # Label Studio counts in percent of the image's width and height.
    height, width = item.shape
    points = np.asarray(polygon.points, np.float64).reshape(-1, 2) * (width / 100, height / 100)
    try:
        return Polygon(None, points).covered(item.shape)
    except ValueError as error:
        raise IcefloeError(f"{what}: {error}") from error


def _class_index(names: Sequence[str], item: Item, what: str) -> int:
    if len(names) != 1:
        raise IcefloeError(f"{what}: a region of {len(names)} classes. Give each region one in Label Studio.")
    index = class_index(names[0], item.classes)
    if index is None:
        raise IcefloeError(
            f"{what}: unknown class {names[0][:80]!r}; known are {', '.join(item.classes)}. Rename it."
        )
    return index


def _seconds(annotation: _Annotation, item: Item, what: str, reading: Reading) -> float | None:
    seconds = parse_seconds(annotation.lead_time, what)
    if seconds is None or 0 <= seconds <= MAX_LABEL_SECONDS:
        return seconds
    # Label Studio counts on while a tab stays open, and nobody can correct it there.
    reading.notes.append(f"{item.key}: the labelling time of {seconds:.0f} s can't be, and is not kept.")
    return None


def _author(completed_by: object) -> str | None:
    if isinstance(completed_by, dict):
        if completed_by.get("email"):
            return str(completed_by["email"])
        completed_by = completed_by.get("id")
    return None if completed_by is None else f"label-studio user {completed_by}"
