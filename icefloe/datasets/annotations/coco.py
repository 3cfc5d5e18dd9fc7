"""COCO: one JSON file for many images, with polygons or run lengths."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from icefloe.datasets.annotations.regions import Annotation, Polygon, Region, RunLength
from icefloe.datasets.annotations.values import image_size, points_of, shown, text
from icefloe.errors import IcefloeError


def is_coco(content: object) -> bool:
    """Whether parsed JSON is of this format."""
    return isinstance(content, dict) and {"images", "annotations"} <= content.keys()


def read_coco(path: Path, content: Mapping[str, Any]) -> list[Annotation]:
    """Annotations of every image in the file, in the file's order; those of nobody's labelling are empty.

    Raises
    ------
    IcefloeError
        If an id or an image stands twice, an annotation is of no image or class of the file, or has no
        outline.
    KeyError, TypeError, ValueError
        If the content isn't what COCO prescribes.
    """
    images = _by_id(path, "images", content["images"], "file_name")
    entries = _by_id(path, "categories", content.get("categories") or [], "name")
    categories = {number: text(category["name"], "name") for number, category in entries.items()}
    _refuse_same_annotation(path, content["annotations"])
    _refuse_same_file(path, content["images"])
    regions: dict[Any, list[Region]] = {image_id: [] for image_id in images}
    for number, annotation in enumerate(content["annotations"], start=1):
        what = f"annotation {shown(annotation.get('id', f'number {number}'))}"
        image_id = annotation["image_id"]
        if image_id not in images:
            raise IcefloeError(
                f"{path}: {what} is of an image with id {shown(image_id)}, and there is none. "
                "Export the labels again."
            )
        label = _label(path, what, annotation, categories)
        file_name = shown(images[image_id]["file_name"])
        regions[image_id] += _regions(path, f"{what} of {file_name}", annotation, label)
    return [
        Annotation(
            file_name=text(image["file_name"], "file_name"),
            shape=image_size(image.get("height"), image.get("width")),
            regions=tuple(regions[image_id]),
        )
        for image_id, image in images.items()
    ]


def _by_id(
    path: Path, kind: str, entries: Sequence[Mapping[str, Any]], name: str
) -> dict[Any, Mapping[str, Any]]:
    found: dict[Any, Mapping[str, Any]] = {}
    for entry in entries:
        twin = found.setdefault(entry["id"], entry)
        if twin is not entry:
            raise IcefloeError(
                f"{path}: two {kind} have the id {shown(entry['id'])} ('{shown(twin[name])}' and "
                f"'{shown(entry[name])}'), so labels can't be told apart. Give each an id of its own."
            )
    return found


def _refuse_same_annotation(path: Path, annotations: Sequence[Mapping[str, Any]]) -> None:
    numbers: dict[Any, int] = {}
    for number, annotation in enumerate(annotations, start=1):
        if annotation.get("id") is None:
            continue
        twin = numbers.setdefault(annotation["id"], number)
        if twin != number:
            raise IcefloeError(
                f"{path}: annotations number {twin} and {number} have the same id {shown(annotation['id'])}. "
                "Export the labels again, or remove one of them."
            )


def _refuse_same_file(path: Path, images: Sequence[Mapping[str, Any]]) -> None:
    ids: dict[str, Any] = {}
    for image in images:
        if image["file_name"] in ids:
            raise IcefloeError(
                f"{path}: '{shown(image['file_name'])}' stands twice, with the ids "
                f"{shown(ids[image['file_name']])} and {shown(image['id'])}. Keep one."
            )
        ids[image["file_name"]] = image["id"]


def _label(path: Path, what: str, annotation: Mapping[str, Any], categories: Mapping[Any, str]) -> str | None:
    if not categories:
        return None
    category = annotation.get("category_id")
    if category is None and len(categories) == 1:
        category = next(iter(categories))
    if category not in categories:
        raise IcefloeError(
            f"{path}: {what} is of a category with id {shown(category)}, and there is none. "
            "Export the labels again, with their categories."
        )
    return categories[category]


def _regions(path: Path, what: str, annotation: Mapping[str, Any], label: str | None) -> list[Region]:
    outlines = annotation.get("segmentation")
    if not outlines:
        raise IcefloeError(
            f"{path}: {what} has no outline{', only a box' if annotation.get('bbox') else ''}. "
            "Draw polygons, or remove it."
        )
    if isinstance(outlines, dict):
        return [_run_length(outlines, label)]
    if not isinstance(outlines, list):
        raise TypeError(f"segmentation of {what} is neither polygons nor run lengths")
    # Some tools leave out the list around a single outline.
    outlines = [outlines] if not isinstance(outlines[0], list) else outlines
    return [Polygon(label, points_of(outline, what)) for outline in outlines]


def _run_length(entry: Mapping[str, Any], label: str | None) -> RunLength:
    height, width = (_whole(side) for side in entry["size"])
    counts = entry["counts"]
    counts = _unpacked(counts) if isinstance(counts, str) else [_whole(count) for count in counts]
    return RunLength(label, (height, width), tuple(counts))


def _whole(value: Any) -> int:
    if isinstance(value, bool) or int(value) != value or value < 0:
        raise ValueError(f"{value!r} is no number of pixels")
    return int(value)


def _unpacked(packed: str) -> list[int]:
    """Run lengths from COCO's own text form.

    Six bits a character from `0` on: five of the number, lowest first, and one that says whether more
    follow; from the third on each number is the difference to the last but one.
    """
    counts: list[int] = []
    value = shift = 0
    for character in packed:
        bits = ord(character) - ord("0")
        if not 0 <= bits < 64:
            raise ValueError(f"{character!r} in a run-length mask")
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            value -= (bits & 16) and 1 << shift  # the sign
            counts.append(_whole(value + counts[-2]) if len(counts) > 2 else _whole(value))
            value = shift = 0
    if shift:
        raise ValueError("a run-length mask that is cut off")
    return counts
