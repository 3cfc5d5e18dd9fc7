"""An independent reading of label files, with PIL and pycocotools: short, slow, and without any check."""

import base64
import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from pycocotools import mask as coco_mask
from skimage import draw

Mask = np.ndarray[Any, Any]


def labelme_mask(content: dict[str, Any], shape: tuple[int, int], edges: bool = True) -> Mask:
    """The mask of a labelme file for the classes background, ice; other names are ice."""
    mask = np.zeros(shape, np.uint8)
    for entry in content["shapes"]:
        mask[_LABELME[entry.get("shape_type") or "polygon"](entry, shape, edges)] = _value(entry["label"])
    return mask


def coco_masks(content: dict[str, Any], shape: tuple[int, int], edges: bool = True) -> dict[str, Mask]:
    """The masks of the images of a COCO file that have annotations, by stem."""
    names = {category["id"]: category.get("name") for category in content.get("categories") or []}
    only = next(iter(names.values())) if len(names) == 1 else None
    masks = {}
    for image in content["images"]:
        mine = [one for one in content["annotations"] if one["image_id"] == image["id"]]
        mask = np.zeros(shape, np.uint8)
        for annotation in mine:
            covered = _segmentation(annotation["segmentation"], shape, edges)
            mask[covered] = _value(names.get(annotation.get("category_id"), only))
        if mine:
            masks[str(image["file_name"]).replace("\\", "/").split("/")[-1].rsplit(".", 1)[0]] = mask
    return masks


def drawn(points: Any, shape: tuple[int, int], edges: bool) -> Mask:
    """A polygon as labelme itself draws it with PIL; with `edges`, its lines from pixel to pixel too."""
    outline = [(int(np.floor(x)), int(np.floor(y))) for x, y in points]
    picture = Image.new("L", (shape[1], shape[0]))
    ImageDraw.Draw(picture).polygon(
        outline if edges else [tuple(point) for point in points], fill=1, outline=1
    )
    mask = np.array(picture).astype(bool)
    if edges:
        for (x0, y0), (x1, y1) in zip(outline, [*outline[1:], outline[0]], strict=True):
            rows, columns = draw.line(y0, x0, y1, x1)
            inside = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
            mask[rows[inside], columns[inside]] = True
    return mask


def _value(name: Any) -> int:
    plain = "" if name is None else str(name).strip().lower()
    return 0 if "background" in plain else 255 if "ignore" in plain else 1


def _rectangle(entry: dict[str, Any], shape: tuple[int, int], edges: bool) -> Mask:
    if len(entry["points"]) > 2:
        return drawn(entry["points"], shape, edges)
    (x0, y0), (x1, y1) = entry["points"]
    return drawn([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], shape, edges)


def _circle(entry: dict[str, Any], shape: tuple[int, int], edges: bool) -> Mask:
    (x, y), (at_x, at_y) = entry["points"]
    radius = np.hypot(at_x - x, at_y - y)
    turns = np.radians(np.arange(0, 360, 2))
    return drawn(zip(x + radius * np.cos(turns), y + radius * np.sin(turns), strict=True), shape, edges)


def _bitmap(entry: dict[str, Any], shape: tuple[int, int], edges: bool) -> Mask:
    mask = np.zeros(shape, bool)
    (left, top), (right, bottom) = np.floor(entry["points"]).astype(int)
    picture = Image.open(io.BytesIO(base64.b64decode(entry["mask"])))
    mask[top : bottom + 1, left : right + 1] = np.asarray(picture) > 0
    return mask


_LABELME: dict[str, Callable[[dict[str, Any], tuple[int, int], bool], Mask]] = {
    "polygon": lambda entry, shape, edges: drawn(entry["points"], shape, edges),
    "rectangle": _rectangle,
    "circle": _circle,
    "mask": _bitmap,
}


def _segmentation(segmentation: Any, shape: tuple[int, int], edges: bool) -> Mask:
    if isinstance(segmentation, dict):
        runs = json.loads(json.dumps(segmentation))
        runs = coco_mask.frPyObjects(runs, *shape) if isinstance(runs["counts"], list) else runs
        return np.asarray(coco_mask.decode(runs)).astype(bool)
    outlines = segmentation if isinstance(segmentation[0], list) else [segmentation]
    pairs = [np.reshape(outline, (-1, 2)) for outline in outlines]
    return np.logical_or.reduce([drawn(outline, shape, edges) for outline in pairs])
