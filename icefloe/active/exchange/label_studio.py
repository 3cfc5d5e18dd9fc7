"""Label Studio: tasks with brush or polygon pre-annotations out, its JSON export back."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from icefloe.active.exchange.formats import (
    POLYGON_TOLERANCE,
    Format,
    Outgoing,
    Reading,
    write_viewable,
)
from icefloe.active.exchange.known import Known
from icefloe.active.exchange.label_studio_config import IMAGE, POLYGON, label_config
from icefloe.active.exchange.label_studio_export import LABEL_STUDIO, read_export
from icefloe.active.exchange.label_studio_tasks import brush_regions, prediction, region, task_data
from icefloe.active.exchange.sources import Source
from icefloe.datasets.labels import mask_polygons
from icefloe.files import write_text_atomic

# Label Studio serves the files below LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT at this address.
LOCAL_FILES = "/data/local-files/?d="


class LabelStudio(Format):
    """Tasks whose pre-annotations are brush masks, exact to the pixel.

    Writes `tasks.json`, the labelling interface `label_config.xml`, and `images/`, which Label Studio is told
    to serve as local files. Reads Label Studio's "JSON" export, in which brush and polygon regions may be
    mixed; a later region covers an earlier one. A task without an annotation is not labelled, whatever was
    predicted.
    """

    name = LABEL_STUDIO

    def write(self, items: Sequence[Outgoing], folder: Path) -> None:
        for outgoing in items:
            write_viewable(folder / "images" / outgoing.image_name, outgoing)
        tasks = [self.task(outgoing, LOCAL_FILES + quote(outgoing.image_name)) for outgoing in items]
        write_text_atomic(folder / "tasks.json", json.dumps(tasks))
        write_text_atomic(folder / "label_config.xml", label_config(items[0].item.classes))

    def task(self, outgoing: Outgoing, address: str) -> dict[str, Any]:
        """The task of an item; `address` is where Label Studio finds its image."""
        item = outgoing.item
        version = f"icefloe {item.round}"
        predicted = prediction(self._regions(outgoing), version, item.purpose.uncertainty)
        return {"data": task_data(item, address), "predictions": [predicted]}

    def _regions(self, outgoing: Outgoing) -> list[dict[str, Any]]:
        return brush_regions(outgoing.premask, outgoing.item.classes)

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
            region(
                number,
                (height, width),
                (POLYGON, IMAGE, "polygonlabels"),
                {
                    # Label Studio counts in percent of the image's width and height.
                    "points": (polygon.points * (100 / width, 100 / height)).tolist(),
                    "closed": True,
                    "polygonlabels": [polygon.label],
                },
            )
            for number, polygon in enumerate(outlines)
        ]
