"""Labels as files: masks as PNG, and as polygons or run lengths in COCO or labelme JSON for label tools."""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage import measure

from icefloe.datasets.annotations.drawing import IGNORE_NAME
from icefloe.datasets.annotations.regions import FEWEST_POINTS, Polygon, RunLength
from icefloe.files import write_bytes_atomic, write_text_atomic
from icefloe.typing import IGNORE, MaskArray


def mask_polygons(mask: MaskArray, classes: Sequence[str], tolerance: float = 0.0) -> list[Polygon]:
    """Outlines of a mask's connected areas, one polygon each.

    Parameters
    ----------
    mask : uint8, shape (H, W)
        Class index, 255 = ignore.
    classes
        Class names by mask value, background first.
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
            # An area one pixel wide shrinks to two points, which label tools refuse.
            missing = max(0, FEWEST_POINTS - len(points))
            points = np.concatenate([points, np.repeat(points[-1:], missing, axis=0)])
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


def mask_runs(mask: MaskArray, classes: Sequence[str]) -> list[RunLength]:
    """A mask's connected areas as COCO's run lengths, which are exact to the pixel; as `mask_polygons`."""
    height, width = mask.shape
    runs = []
    for value in np.unique(mask[mask > 0]):
        label = IGNORE_NAME if value == IGNORE else classes[value]
        for area in measure.regionprops(measure.label(mask == value, connectivity=1)):
            rows, columns = area.coords.T
            pixels = np.sort(columns * height + rows)  # column by column, as COCO counts
            first = np.flatnonzero(np.diff(pixels, prepend=-2) > 1)
            starts, lengths = pixels[first], np.diff(np.append(first, pixels.size))
            ends = starts + lengths
            gaps = starts - np.concatenate([[0], ends[:-1]])
            counts = np.column_stack([gaps, lengths]).ravel().tolist()
            counts += [height * width - int(ends[-1])] if ends[-1] < height * width else []
            runs.append(RunLength(label, (height, width), tuple(counts)))
    return runs


def write_coco(
    path: Path,
    masks: Mapping[str, MaskArray],
    classes: Sequence[str],
    tolerance: float = 0.0,
    *,
    as_runs: bool = False,
    beside: Mapping[str, Sequence[Polygon]] = MappingProxyType({}),
) -> None:
    """Write the masks of several images as polygons, or as run lengths, in one COCO file.

    Parameters
    ----------
    path
        JSON file to write or replace.
    masks : uint8, each of shape (H, W)
        By image file name.
    classes
        Class names by mask value, background first.
    tolerance
        Largest distance of an outline from the border, in pixels; as in `mask_polygons`.
    as_runs
        Write run lengths, which no tolerance changes.
    beside
        Further outlines, by image file name, under labels of their own.
    """
    others = {polygon.label or "" for polygons in beside.values() for polygon in polygons}
    names = [*classes[1:], IGNORE_NAME, *sorted(others)]
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for image_id, (file_name, mask) in enumerate(masks.items(), start=1):
        height, width = mask.shape
        images.append({"id": image_id, "file_name": file_name, "width": width, "height": height})
        regions: list[Polygon | RunLength] = [*beside.get(file_name, ())]
        regions += mask_runs(mask, classes) if as_runs else mask_polygons(mask, classes, tolerance)
        for region in regions:
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": names.index(region.label or "") + 1,
                    **(_as_runs(region) if isinstance(region, RunLength) else _as_polygon(region)),
                    "iscrowd": 0,  # run lengths or not: tools leave crowds out
                }
            )
    categories = [{"id": number, "name": name} for number, name in enumerate(names, start=1)]
    content = {"images": images, "annotations": annotations, "categories": categories}
    write_text_atomic(path, json.dumps(content))


def write_labelme(
    path: Path,
    image_name: str,
    mask: MaskArray,
    classes: Sequence[str],
    tolerance: float = 0.0,
    beside: Sequence[Polygon] = (),
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
        Class names by mask value, background first.
    tolerance
        Largest distance of an outline from the border, in pixels; as in `mask_polygons`.
    beside
        Further outlines, under labels of their own.
    """
    shapes = [
        {
            "label": polygon.label,
            "points": polygon.points.tolist(),
            "group_id": None,
            "shape_type": "polygon",
            "flags": {},
        }
        for polygon in (*mask_polygons(mask, classes, tolerance), *beside)
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


def _as_polygon(polygon: Polygon) -> dict[str, Any]:
    low, high = polygon.points.min(axis=0), polygon.points.max(axis=0)
    return {
        "segmentation": [polygon.points.ravel().tolist()],
        "bbox": [*low.tolist(), *(high - low).tolist()],
        "area": _enclosed_area(polygon.points),
    }


def _as_runs(runs: RunLength) -> dict[str, Any]:
    covered = runs.covered(runs.size)
    rows, columns = np.flatnonzero(covered.any(axis=1)), np.flatnonzero(covered.any(axis=0))
    top, left = int(rows[0]), int(columns[0])
    return {
        "segmentation": {"size": list(runs.size), "counts": list(runs.counts)},
        "bbox": [left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top],
        "area": int(covered.sum()),
    }


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
