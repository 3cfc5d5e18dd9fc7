"""COCO and labelme: outlines in JSON, with the images beside."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from icefloe.active.exchange.formats import (
    NOBODY_OUTLINED,
    OTHER_KIND,
    POLYGON_TOLERANCE,
    Format,
    Incoming,
    Outgoing,
    Reading,
    write_viewable,
)
from icefloe.active.exchange.kinds import check_format
from icefloe.active.exchange.known import Known
from icefloe.active.exchange.sources import Source, SourceFile
from icefloe.active.exchange.values import read_json
from icefloe.active.items import Item
from icefloe.datasets.annotations.drawing import draw_mask, foreground_alias
from icefloe.datasets.annotations.reading import annotations_in
from icefloe.datasets.annotations.regions import Annotation, Polygon
from icefloe.datasets.annotations.units import refuse_percent
from icefloe.datasets.labels import mask_polygons, write_coco, write_labelme
from icefloe.errors import IcefloeError
from icefloe.typing import MaskArray

PICTURES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
REGION_NAME = "region to label"
"""Label of the rectangles in which an image is to be labelled; they are no labels themselves."""
_RENAME = "Name the outlines as the exported ones are named."


class PolygonFormat(Format):
    """What they share: reading drawn outlines as a mask of the image's size."""

    kind: ClassVar[str]
    """What `kinds.check_format` calls such a file."""

    def as_exported(self, premask: MaskArray, classes: Sequence[str]) -> MaskArray:
        polygons = mask_polygons(premask, classes, POLYGON_TOLERANCE)
        return draw_mask("pre-annotation", polygons, premask.shape, classes)

    def _annotations(self, file: SourceFile) -> list[Annotation] | None:
        content = read_json(file)
        check_format(file, content, self.kind)
        annotations = annotations_in(Path(file.where), content)
        return annotations if annotations is None else [_without_rectangles(one) for one in annotations]


class Coco(PolygonFormat):
    """One `annotations.json` and `images/`, for CVAT and many others; reads one such JSON file."""

    name = kind = "coco"
    as_runs: ClassVar[bool] = False

    def write(self, items: Sequence[Outgoing], folder: Path) -> None:
        for outgoing in items:
            write_viewable(folder / "images" / outgoing.image_name, outgoing)
        write_coco(
            folder / "annotations.json",
            {outgoing.image_name: outgoing.premask for outgoing in items},
            items[0].item.classes,
            POLYGON_TOLERANCE,
            as_runs=self.as_runs,
            beside={outgoing.image_name: _rectangles(outgoing.item) for outgoing in items},
        )

    def read(self, source: Source, items: Known) -> Reading:
        file = source.only_json()
        annotations = self._annotations(file)
        if annotations is None:
            raise IcefloeError(f"{file.where}: no COCO file. Name the file that the tool exported.")
        reading = Reading(source.name)
        found = []
        for annotation in annotations:
            if not annotation.regions and not items.has_file(annotation.file_name):
                reading.leave(annotation.file_name, NOBODY_OUTLINED)
                continue
            item = items.by_file(annotation.file_name, file.where)
            reading.claim(item)
            found.append(Outlined(file, item, annotation))
        _draw(reading, found)
        return reading


class CocoRuns(Coco):
    """As `Coco`, but its pre-annotations are run lengths: exact to the pixel, where a tool edits those."""

    name = "coco-rle"
    as_runs = True

    def as_exported(self, premask: MaskArray, classes: Sequence[str]) -> MaskArray:
        return premask


class Labelme(PolygonFormat):
    """An image and a JSON file beside it for each item, by dataset; reads such files.

    A file's own name says which image it is of: the `imagePath` inside is often wrong.
    """

    name = kind = "labelme"

    def write(self, items: Sequence[Outgoing], folder: Path) -> None:
        for outgoing in items:
            image = folder / outgoing.image_name
            write_viewable(image, outgoing)
            write_labelme(
                image.with_name(f"{outgoing.item.stem}.json"),
                image.name,
                outgoing.premask,
                outgoing.item.classes,
                POLYGON_TOLERANCE,
                _rectangles(outgoing.item),
            )

    def read(self, source: Source, items: Known) -> Reading:
        reading = Reading(source.name)
        found = []
        for file in source.files:
            annotations = self._annotations(file) if file.suffix == ".json" else None
            if annotations is None:
                if file.suffix not in PICTURES:
                    reading.leave(str(file.name), OTHER_KIND)
                continue
            item = items.by_file(str(file.name), file.where, source.folder)
            reading.claim(item)
            found.append(Outlined(file, item, annotations[0], file.time))
        _draw(reading, found)
        return reading


def _rectangles(item: Item) -> list[Polygon]:
    """The item's regions as outlines through the middle of their outermost pixels."""
    polygons = []
    for region in item.regions:
        left, top = region.left + 0.5, region.top + 0.5
        right, bottom = left + region.width - 1, top + region.height - 1
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        polygons.append(Polygon(REGION_NAME, np.array(corners)))
    return polygons


def _without_rectangles(annotation: Annotation) -> Annotation:
    drawn = tuple(
        region
        for region in annotation.regions
        if region.label is None or region.label.strip().casefold() != REGION_NAME
    )
    return replace(annotation, regions=drawn)


@dataclass(frozen=True)
class Outlined:
    """The regions that a file has of an item's image; `time` (s since the epoch) is when they were saved."""

    file: SourceFile
    item: Item
    annotation: Annotation
    time: float | None = None


def _draw(reading: Reading, found: Sequence[Outlined]) -> None:
    """Add the labels; one unknown class name in all of them may stand for the second of two classes."""
    names: dict[tuple[str, ...], set[str | None]] = defaultdict(set)
    for one in found:
        names[one.item.classes] |= {region.label for region in one.annotation.regions}
    aliases = {
        classes: foreground_alias(reading.where, labels, classes, _RENAME)
        for classes, labels in names.items()
    }
    for classes, alias in aliases.items():
        if alias is not None:
            reading.notes.append(f"Outlines named {alias[:80]!r} are taken as {classes[1]!r}.")
    reading.labels += [_incoming(one, aliases[one.item.classes]) for one in found]
    refuse_percent(Path(reading.where), [(one.annotation, one.item.shape) for one in found])


def _incoming(outlined: Outlined, alias: str | None) -> Incoming:
    item, annotation = outlined.item, outlined.annotation
    what = f"{outlined.file.where}: {item.key}"
    shape = annotation.shape or item.shape
    if shape != item.shape:
        raise IcefloeError(
            f"{what} is {shape[1]}x{shape[0]} there but the image is {item.shape[1]}x{item.shape[0]}. "
            "Label the exported image as it is."
        )
    mask = draw_mask(what, annotation.regions, item.shape, item.classes, alias)
    return Incoming(item, mask, what, time=outlined.time, is_blank=not annotation.regions)
