"""COCO and labelme: polygons in JSON, with the images beside."""

from collections.abc import Sequence
from pathlib import Path

from icefloe.active.exchange.formats import (
    POLYGON_TOLERANCE,
    Format,
    Incoming,
    Known,
    Outgoing,
    read_json,
    write_viewable,
)
from icefloe.active.items import Item
from icefloe.datasets.annotations.drawing import draw_mask, foreground_alias
from icefloe.datasets.annotations.reading import read_annotations
from icefloe.datasets.annotations.regions import Annotation
from icefloe.datasets.labels import mask_polygons, write_coco, write_labelme
from icefloe.errors import IcefloeError
from icefloe.typing import MaskArray


class PolygonFormat(Format):
    """What the two share: reading drawn outlines as a mask of the image's size."""

    def as_exported(self, premask: MaskArray, classes: Sequence[str]) -> MaskArray:
        polygons = mask_polygons(premask, classes, POLYGON_TOLERANCE)
        return draw_mask(Path("pre-annotation"), polygons, premask.shape, classes)

    def _incoming(self, path: Path, annotation: Annotation, item: Item, time: float | None) -> Incoming:
        shape = annotation.shape or item.shape
        if shape != item.shape:
            raise IcefloeError(
                f"{path}: {item.key} is {shape[1]}x{shape[0]} there but the image is "
                f"{item.shape[1]}x{item.shape[0]}. Label the exported image as it is."
            )
        what = f"{path}: {item.key}"
        alias = foreground_alias(what, [region.label for region in annotation.regions], item.classes)
        mask = draw_mask(what, annotation.regions, item.shape, item.classes, alias)
        return Incoming(item=item, mask=mask, what=what, time=time)

    def _annotations(self, path: Path) -> list[Annotation]:
        read_json(path)  # refuses what is missing, huge or broken, before it is read as annotations
        annotations = read_annotations(path)
        if annotations is None:
            raise IcefloeError(f"{path}: neither COCO nor labelme. Name the file that the tool exported.")
        return annotations


class Coco(PolygonFormat):
    """One `annotations.json` and `images/`, for CVAT and many others; reads one such JSON file."""

    name = "coco"

    def write(self, items: Sequence[Outgoing], folder: Path) -> None:
        for outgoing in items:
            write_viewable(folder / "images" / outgoing.image_name, outgoing.image)
        masks = {outgoing.image_name: outgoing.premask for outgoing in items}
        write_coco(folder / "annotations.json", masks, items[0].item.classes, POLYGON_TOLERANCE)

    def read(self, source: Path, items: Known) -> list[Incoming]:
        path = source / "annotations.json" if source.is_dir() else source
        return [
            self._incoming(path, annotation, items.by_file(annotation.file_name, path), None)
            for annotation in self._annotations(path)
        ]


class Labelme(PolygonFormat):
    """An image and a JSON file beside it for each item, by dataset; reads a folder of such files.

    A file's own name says which image it is of: the `imagePath` inside is often wrong.
    """

    name = "labelme"

    def write(self, items: Sequence[Outgoing], folder: Path) -> None:
        for outgoing in items:
            image = folder / outgoing.image_name
            write_viewable(image, outgoing.image)
            write_labelme(
                image.with_name(f"{outgoing.item.stem}.json"),
                image.name,
                outgoing.premask,
                outgoing.item.classes,
                POLYGON_TOLERANCE,
            )

    def read(self, source: Path, items: Known) -> list[Incoming]:
        labels = []
        for path in sorted(source.rglob("*.json")):
            item = items.by_file(path.relative_to(source).as_posix(), path)
            annotations = self._annotations(path)
            if len(annotations) != 1:
                raise IcefloeError(f"{path}: holds {len(annotations)} images. Import it as COCO.")
            labels.append(self._incoming(path, annotations[0], item, path.stat().st_mtime))
        return labels
