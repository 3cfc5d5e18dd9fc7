"""Label Studio: tasks with brush or polygon pre-annotations out, its JSON export back."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

import numpy as np

from icefloe.active.exchange.brush import decode_brush, encode_brush
from icefloe.active.exchange.formats import (
    POLYGON_TOLERANCE,
    Format,
    Incoming,
    Known,
    Outgoing,
    check_outline,
    parse_seconds,
    parse_time,
    purpose_columns,
    read_json,
    write_viewable,
)
from icefloe.active.items import Item
from icefloe.datasets.annotations.drawing import IGNORE_NAME, draw_mask
from icefloe.datasets.annotations.regions import Polygon
from icefloe.datasets.labels import mask_polygons
from icefloe.errors import IcefloeError
from icefloe.files import write_text_atomic
from icefloe.typing import IGNORE, MaskArray

# Label Studio serves the files below LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT at this address.
LOCAL_FILES = "/data/local-files/?d="
COLOURS = ("#00a7e1", "#f28e2b", "#59a14f", "#e15759", "#b07aa1", "#edc948")


class LabelStudio(Format):
    """Tasks whose pre-annotations are brush masks, exact to the pixel.

    Writes `tasks.json`, the labelling interface `label_config.xml`, and `images/`, which Label Studio is told
    to serve as local files. Reads Label Studio's "JSON" export, in which brush and polygon regions may be
    mixed; a later region covers an earlier one. A task without an annotation is not labelled, whatever was
    predicted.
    """

    name = "label-studio"
    model_name: ClassVar[str] = "icefloe"

    def write(self, items: Sequence[Outgoing], folder: Path) -> None:
        for outgoing in items:
            write_viewable(folder / "images" / outgoing.image_name, outgoing.image)
        tasks = [self._task(outgoing) for outgoing in items]
        write_text_atomic(folder / "tasks.json", json.dumps(tasks))
        write_text_atomic(folder / "label_config.xml", _label_config(items[0].item.classes))

    def _task(self, outgoing: Outgoing) -> dict[str, Any]:
        item = outgoing.item
        return {
            "data": {
                "image": LOCAL_FILES + quote(outgoing.image_name),
                "dataset": item.dataset,
                "stem": item.stem,
                **purpose_columns(item),
            },
            "predictions": [
                {
                    "model_version": f"{self.model_name} {item.round}",
                    "score": item.purpose.score,
                    "result": self._regions(outgoing),
                }
            ],
        }

    def _regions(self, outgoing: Outgoing) -> list[dict[str, Any]]:
        mask, classes = outgoing.premask, outgoing.item.classes
        return [
            _region(
                outgoing,
                number,
                "brush",
                {
                    "format": "rle",
                    "rle": encode_brush(mask == value),
                    "brushlabels": [IGNORE_NAME if value == IGNORE else classes[value]],
                },
            )
            for number, value in enumerate(np.unique(mask[mask > 0]))
        ]

    def read(self, source: Path, items: Known) -> list[Incoming]:
        tasks = read_json(source)
        try:
            if not isinstance(tasks, list) or not all("annotations" in task for task in tasks):
                raise IcefloeError(
                    f"{source}: not Label Studio's export. Choose the export format `JSON` in Label Studio."
                )
            read = [_read_task(source, task, items) for task in tasks]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            reason = " ".join(repr(error).split())
            raise IcefloeError(
                f"{source}: not a valid Label Studio export ({reason}). Export it again."
            ) from error
        return [label for label in read if label is not None]


class LabelStudioPolygons(LabelStudio):
    """Tasks whose pre-annotations are polygons with few points to drag."""

    name = "label-studio-polygons"

    def _regions(self, outgoing: Outgoing) -> list[dict[str, Any]]:
        height, width = outgoing.item.shape
        outlines = mask_polygons(outgoing.premask, outgoing.item.classes, POLYGON_TOLERANCE)
        return [
            _region(
                outgoing,
                number,
                "polygon",
                {
                    # Label Studio counts in percent of the image's width and height.
                    "points": (polygon.points * (100 / width, 100 / height)).tolist(),
                    "closed": True,
                    "polygonlabels": [polygon.label],
                },
            )
            for number, polygon in enumerate(outlines)
        ]


def _region(outgoing: Outgoing, number: int, tool: str, value: Mapping[str, Any]) -> dict[str, Any]:
    height, width = outgoing.item.shape
    return {
        "id": f"region{number}",
        "from_name": tool,
        "to_name": "image",
        "type": f"{tool}labels",
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
        "value": value,
    }


def _label_config(classes: Sequence[str]) -> str:
    names = [*classes, IGNORE_NAME]
    labels = "\n".join(
        f"    <Label value={quoteattr(name)} background={quoteattr(COLOURS[number % len(COLOURS)])}/>"
        for number, name in enumerate(names)
    )
    return (
        '<View>\n  <Image name="image" value="$image" zoom="true" zoomControl="true"/>\n'
        '  <Text name="why" value="$reason"/>\n'
        f'  <BrushLabels name="brush" toName="image">\n{labels}\n  </BrushLabels>\n'
        f'  <PolygonLabels name="polygon" toName="image">\n{labels}\n  </PolygonLabels>\n</View>\n'
    )


def _read_task(source: Path, task: Mapping[str, Any], items: Known) -> Incoming | None:
    item = items.by_key(task["data"].get("dataset"), task["data"].get("stem"), source)
    what = f"{source}: {item.key}"
    done = [annotation for annotation in task["annotations"] if not annotation.get("was_cancelled")]
    if not done:
        return None
    if len(done) > 1:
        raise IcefloeError(f"{what} has {len(done)} annotations. Keep one of them in Label Studio.")
    (annotation,) = done
    mask = np.zeros(item.shape, np.uint8)
    for region in annotation["result"]:
        _draw_region(mask, region, item, what, source)
    return Incoming(
        item=item,
        mask=mask,
        what=what,
        author=_author(annotation.get("completed_by")),
        time=parse_time(annotation.get("updated_at") or annotation.get("created_at"), what),
        seconds=parse_seconds(annotation.get("lead_time"), what),
    )


def _draw_region(mask: MaskArray, region: Mapping[str, Any], item: Item, what: str, source: Path) -> None:
    kind, value = region["type"], region.get("value", {})
    if kind not in ("brushlabels", "polygonlabels"):
        raise IcefloeError(f"{what}: a region of kind {kind!r}. Draw with the brush or polygons.")
    size = (region["original_height"], region["original_width"])
    if size != item.shape or region.get("image_rotation"):
        raise IcefloeError(
            f"{what}: mask is {size[1]}x{size[0]}, turned by {region.get('image_rotation') or 0} degrees, "
            f"but the image is {item.shape[1]}x{item.shape[0]}. Label the exported image as it is."
        )
    label = _class_value(value[kind], item, what)
    if kind == "brushlabels":
        mask[decode_brush(value["rle"], item.shape, what)] = label
    else:
        points = np.asarray(value["points"], np.float64).reshape(-1, 2)
        outline = Polygon(None, points * (item.shape[1] / 100, item.shape[0] / 100))
        check_outline(outline, item.shape, what)
        mask[draw_mask(source, [outline], item.shape, ("outside", "inside")) == 1] = label


def _class_value(names: Sequence[str], item: Item, what: str) -> int:
    (name,) = names
    if name == IGNORE_NAME:
        return IGNORE
    if name not in item.classes:
        raise IcefloeError(f"{what}: unknown class {name!r}; known are {', '.join(item.classes)}. Rename it.")
    return item.classes.index(name)


def _author(completed_by: object) -> str | None:
    if isinstance(completed_by, dict):
        return completed_by.get("email") or _author(completed_by.get("id"))
    return None if completed_by is None else f"label-studio user {completed_by}"
