"""Label formats: PNG masks, COCO and labelme polygons; read, drawn as masks, and written.

Polygon points are (x, y) from the top left *corner* of the image, in pixels, so that a point lies in the
pixel `(int(x), int(y))`. A polygon covers the pixels that its points lie in, those on the lines between
them, and all inside. So were the masks of Vision_for_Microscopy made from their polygons: this way the two
agree at Dice >= 0.999; counting only pixels whose centres lie inside the outline, at 0.993.
"""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from skimage import draw, measure

from icefloe.errors import IcefloeError
from icefloe.files import write_bytes_atomic, write_text_atomic
from icefloe.typing import IGNORE, MaskArray

IGNORE_NAME = "ignore"
"""Label name of pixels that count neither in training nor in any metric."""


@dataclass(frozen=True)
class Polygon:
    """An outline and the class it encloses.

    Attributes
    ----------
    label
        Class name; None where the file does not say.
    points : float64, shape (N, 2)
        (x, y) in pixels from the image's top left corner.
    """

    label: str | None
    points: NDArray[np.float64]


@dataclass(frozen=True)
class Annotation:
    """Polygons of one image; `shape` is the (H, W) that the file gives, None where it gives none."""

    file_name: str
    shape: tuple[int, int] | None
    polygons: tuple[Polygon, ...]


def read_annotations(path: Path) -> list[Annotation] | None:
    """Annotations in a JSON file of COCO or labelme; None if it is some other JSON file.

    Raises
    ------
    IcefloeError
        If the file is not JSON, or holds outlines other than polygons, rectangles and circles.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(content, dict) and {"images", "annotations"} <= content.keys():
            return _from_coco(path, content)
        if isinstance(content, dict) and "shapes" in content:
            return [_from_labelme(path, content)]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise IcefloeError(
            f"{path}: not valid COCO or labelme JSON ({reason}). Export the labels again."
        ) from error
    return None


def draw_mask(
    path: Path, polygons: Sequence[Polygon], shape: tuple[int, int], classes: Sequence[str]
) -> MaskArray:
    """Polygons drawn over background in the order given.

    Parameters
    ----------
    path
        The file that an error names.
    polygons
        A later one covers an earlier one.
    shape
        (H, W) of the mask.
    classes
        Names by mask value. With two classes every polygon is the second one, whatever the file calls it;
        with more a polygon must name its class. The name `ignore` gives 255.

    Returns
    -------
    uint8, shape (H, W)
        Class index, 255 = ignore.

    Raises
    ------
    IcefloeError
        If a polygon's class is not among `classes`.
    """
    mask = np.zeros(shape, dtype=np.uint8)
    for polygon in polygons:
        mask[_covered(polygon.points, shape)] = _class_index(path, polygon.label, classes)
    return mask


def mask_polygons(mask: MaskArray, classes: Sequence[str], tolerance: float = 0.0) -> list[Polygon]:
    """Outlines of a mask's connected areas, one polygon each.

    Parameters
    ----------
    mask : uint8, shape (H, W)
        Class index, 255 = ignore.
    classes
        Names by mask value.
    tolerance
        How far in pixels an outline may pass from the true one, for fewer points to drag; with 0
        `draw_mask` gives exactly the mask back.

    Returns
    -------
    list of Polygon
        Holes are joined to the outline by a cut of no width, which every label tool understands.
    """
    polygons = []
    for value in np.unique(mask[mask > 0]):
        label = IGNORE_NAME if value == IGNORE else classes[value]
        areas = measure.label(mask == value, connectivity=1)
        for area in measure.regionprops(areas):
            top, left, *_ = area.bbox
            padded = np.pad(area.image, 1)
            contours = measure.find_contours(padded.astype(np.float64), 0.5)
            outlines = [_border_pixels(padded, contour) for contour in contours]
            simpler = [measure.approximate_polygon(outline, tolerance) for outline in outlines]
            # One pixel of padding to take off; the middle of a pixel to point at.
            points = _join_holes(simpler)[:, ::-1] + (left - 0.5, top - 0.5)
            polygons.append(Polygon(label, points))
    return polygons


def write_mask(path: Path, mask: MaskArray) -> None:
    """Write a mask as PNG, whose bytes depend on the mask alone.

    Parameters
    ----------
    path
        File to write or replace.
    mask : uint8, shape (H, W)
        Class index, 255 = ignore.
    """
    encoded = io.BytesIO()
    # Uncompressed: the bytes, and so the data version, must not depend on this machine's zlib.
    Image.fromarray(np.ascontiguousarray(mask)).save(encoded, format="PNG", compress_level=0)
    write_bytes_atomic(path, encoded.getvalue())


def write_coco(
    path: Path, masks: Mapping[str, MaskArray], classes: Sequence[str], tolerance: float = 0.0
) -> None:
    """Write the masks of several images as polygons in one COCO file.

    Parameters
    ----------
    path
        JSON file to write or replace.
    masks : uint8, each of shape (H, W)
        By image file name.
    classes
        Names by mask value.
    tolerance
        As in `mask_polygons`.
    """
    names = [*classes[1:], IGNORE_NAME]
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for image_id, (file_name, mask) in enumerate(masks.items(), start=1):
        height, width = mask.shape
        images.append({"id": image_id, "file_name": file_name, "width": width, "height": height})
        for polygon in mask_polygons(mask, classes, tolerance):
            low, high = polygon.points.min(axis=0), polygon.points.max(axis=0)
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": names.index(polygon.label or "") + 1,
                    "segmentation": [polygon.points.ravel().tolist()],
                    "bbox": [*low.tolist(), *(high - low).tolist()],
                    "area": _enclosed_area(polygon.points),
                    "iscrowd": 0,
                }
            )
    categories = [{"id": number, "name": name} for number, name in enumerate(names, start=1)]
    content = {"images": images, "annotations": annotations, "categories": categories}
    write_text_atomic(path, json.dumps(content))


def write_labelme(
    path: Path, image_name: str, mask: MaskArray, classes: Sequence[str], tolerance: float = 0.0
) -> None:
    """Write one image's mask as polygons in a labelme file.

    Parameters
    ----------
    path
        JSON file to write or replace.
    image_name
        Image file, relative to the JSON file.
    mask : uint8, shape (H, W)
        Class index, 255 = ignore.
    classes
        Names by mask value.
    tolerance
        As in `mask_polygons`.
    """
    shapes = [
        {
            "label": polygon.label,
            "points": polygon.points.tolist(),
            "group_id": None,
            "shape_type": "polygon",
            "flags": {},
        }
        for polygon in mask_polygons(mask, classes, tolerance)
    ]
    content = {
        "version": "5.5.0",
        "flags": {},
        "shapes": shapes,
        "imagePath": image_name,
        "imageData": None,
        "imageHeight": mask.shape[0],
        "imageWidth": mask.shape[1],
    }
    write_text_atomic(path, json.dumps(content))


def _from_coco(path: Path, content: dict[str, Any]) -> list[Annotation]:
    names = {category["id"]: category["name"] for category in content.get("categories", [])}
    polygons: dict[Any, list[Polygon]] = {image["id"]: [] for image in content["images"]}
    for annotation in content["annotations"]:
        outlines = annotation["segmentation"]
        if not isinstance(outlines, list):
            raise IcefloeError(
                f"{path}: a run-length mask where polygons are read. Export polygons or PNG masks."
            )
        label = names.get(annotation.get("category_id"))
        for outline in outlines:
            polygons[annotation["image_id"]].append(Polygon(label, _points(np.reshape(outline, (-1, 2)))))
    return [
        Annotation(
            file_name=image["file_name"],
            shape=(int(image["height"]), int(image["width"])) if image.get("height") else None,
            polygons=tuple(polygons[image["id"]]),
        )
        for image in content["images"]
    ]


def _from_labelme(path: Path, content: dict[str, Any]) -> Annotation:
    polygons = []
    for shape in content["shapes"]:
        kind, points = (
            shape.get("shape_type") or "polygon",
            _points(np.asarray(shape["points"], dtype=np.float64)),
        )
        if kind == "rectangle":
            (left, top), (right, bottom) = points
            points = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
        elif kind == "circle":
            angle = np.linspace(0, 2 * np.pi, 180, endpoint=False)
            radius = np.hypot(*(points[1] - points[0]))
            points = points[0] + radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        elif kind != "polygon":
            raise IcefloeError(f"{path}: an outline of kind {kind!r}. Use polygons, rectangles or circles.")
        polygons.append(Polygon(shape["label"], points))
    height, width = content.get("imageHeight"), content.get("imageWidth")
    shape_hw = (int(height), int(width)) if height and width else None
    return Annotation(str(content.get("imagePath") or path.stem), shape_hw, tuple(polygons))


def _covered(points: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.bool_]:
    pixels = np.floor(points).astype(int)
    canvas = Image.new("1", shape[::-1])
    if len(pixels) > 1:
        # skimage.draw.polygon gives the same and takes seconds where Pillow takes a millisecond.
        ImageDraw.Draw(canvas).polygon([(int(x), int(y)) for x, y in pixels], fill=1, outline=1)
    covered = np.array(canvas)
    covered[draw.polygon_perimeter(pixels[:, 1], pixels[:, 0], shape=shape)] = True
    return covered


def _points(points: NDArray[Any]) -> NDArray[np.float64]:
    points = points.astype(np.float64)
    if not np.isfinite(points).all():
        raise ValueError("a point is not a finite number")
    return points


def _class_index(path: Path, label: str | None, classes: Sequence[str]) -> int:
    if label == IGNORE_NAME:
        return IGNORE
    if len(classes) == 2:
        return 1
    if label is None or label not in classes:
        raise IcefloeError(
            f"{path}: unknown class {label!r}; known are {', '.join(classes)}. Rename it, or name more."
        )
    return list(classes).index(label)


def _border_pixels(area: NDArray[np.bool_], contour: NDArray[np.float64]) -> NDArray[np.float64]:
    """The area's own pixels along a contour, whose points lie half way between one inside and one outside."""
    before, after = np.floor(contour).astype(int), np.ceil(contour).astype(int)
    return np.where(area[tuple(before.T)][:, None], before, after).astype(np.float64)


def _join_holes(outlines: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    outer, *holes = sorted(outlines, key=_enclosed_area, reverse=True)
    while holes:
        # The nearest first: the cut to it then crosses no other hole.
        distances = [np.hypot(*(outer[:, None] - hole[None]).transpose(2, 0, 1)) for hole in holes]
        nearest = min(range(len(holes)), key=lambda position: distances[position].min())
        hole, distance = holes.pop(nearest), distances[nearest]
        at_outer, at_hole = np.unravel_index(distance.argmin(), distance.shape)
        # There, once round, and back on the same line. Outlines are closed: their last point is their first.
        once_round = np.concatenate([hole[at_hole:], hole[1 : at_hole + 1]])
        outer = np.concatenate([outer[: at_outer + 1], once_round, outer[at_outer:]])
    return outer


def _enclosed_area(points: NDArray[np.float64]) -> float:
    x, y = points.T
    return float(abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2)
