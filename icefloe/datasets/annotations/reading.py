"""Annotation files of any tool: those that are read, and those known well enough to say what to do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from icefloe.datasets.annotations.coco import is_coco, read_coco
from icefloe.datasets.annotations.json_file import read_json
from icefloe.datasets.annotations.labelme import is_labelme, read_labelme
from icefloe.datasets.annotations.regions import Annotation
from icefloe.errors import IcefloeError


def read_annotations(path: Path) -> list[Annotation] | None:
    """Annotations in a JSON file of COCO or labelme; None if it is no annotation file at all.

    Raises
    ------
    IcefloeError
        If the file is not JSON, is of another label tool, names something twice or something that isn't
        there, or has an annotation without an outline.
    """
    return annotations_in(path, read_json(path))


def annotations_in(path: Path, content: Any) -> list[Annotation] | None:
    """As `read_annotations`, of JSON that is parsed already; `path` is the file that an error names.

    Raises
    ------
    IcefloeError
        If it is of another label tool, names something twice or something that isn't there, or has an
        annotation without an outline.
    """
    try:
        if is_coco(content):
            return read_coco(path, content)
        if is_labelme(content):
            return [read_labelme(path, content)]
    # What a file may hold in place of a number or a list is endless; each of these says that it does.
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError) as error:
        reason = " ".join(str(error).split())[:120]
        raise IcefloeError(
            f"{path}: not valid COCO or labelme JSON ({reason}). Export the labels again."
        ) from error
    for tool, knows in OTHER_TOOLS.items():
        if knows(content):
            raise IcefloeError(
                f"{path}: labels in the format of {tool}, which is not read here. "
                "Export them as COCO with polygons, or as PNG masks."
            )
    return None


def _has(content: Any, *keys: str) -> bool:
    return isinstance(content, dict) and set(keys) <= content.keys()


def _all(content: Any, *keys: str) -> bool:
    return isinstance(content, list) and bool(content) and all(_has(entry, *keys) for entry in content)


def _is_via(content: Any) -> bool:
    values = content.values() if isinstance(content, dict) else ()
    return (
        any(_has(content, key) for key in ("_via_img_metadata", "_via_settings"))
        or _has(content, "project", "config", "metadata")
        or (bool(values) and all(_has(value, "filename", "regions") for value in values))
    )


OTHER_TOOLS: dict[str, Callable[[Any], bool]] = {
    "Label Studio": lambda content: (
        _all(content, "data", "annotations")
        or _all(content, "data", "completions")
        or _all(content, "data", "predictions")
        or _all(content, "image", "annotation_id")
        or _all(content, "image", "label")
        or _has(content, "task", "result")
    ),
    "the VGG Image Annotator": _is_via,
    "COCO results": lambda content: _all(content, "image_id", "category_id"),
    "Datumaro": lambda content: _has(content, "items", "categories"),
    "Supervisely": lambda content: _has(content, "objects", "size"),
    "Labelbox": lambda content: _all(content, "data_row"),
    "SuperAnnotate": lambda content: _has(content, "instances", "metadata"),
    "GeoJSON (QuPath)": lambda content: _has(content, "features") or _all(content, "geometry"),
    "a label tool that is unknown here": lambda content: _has(content, "annotations"),
}
"""How to tell formats that other tools write and people put beside their images."""
