"""Label Studio: tasks with brush or polygon pre-annotations out, its JSON export back."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

import numpy as np

from icefloe.active.exchange.brush import encode_brush
from icefloe.active.exchange.formats import (
    POLYGON_TOLERANCE,
    Format,
    Outgoing,
    Reading,
    purpose_columns,
    write_viewable,
)
from icefloe.active.exchange.known import Known
from icefloe.active.exchange.label_studio_export import LABEL_STUDIO, read_export
from icefloe.active.exchange.sources import Source
from icefloe.datasets.annotations.drawing import IGNORE_NAME
from icefloe.datasets.labels import mask_polygons
from icefloe.files import write_text_atomic
from icefloe.typing import IGNORE

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

    name = LABEL_STUDIO
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

    def read(self, source: Source, items: Known) -> Reading:
        reading = Reading(source.name)
        read_export(source.only_json(), items, reading)
        return reading


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
