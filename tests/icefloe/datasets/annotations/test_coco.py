import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from icefloe.datasets.annotations.drawing import draw_mask
from icefloe.datasets.annotations.reading import read_annotations
from icefloe.datasets.annotations.regions import Annotation
from icefloe.errors import IcefloeError

ICE = ("background", "ice")
SHAPE = (64, 80)
OUTLINE = [10, 8, 40, 8, 40, 30, 10, 30]


def coco(**changes: Any) -> dict[str, Any]:
    content: dict[str, Any] = {
        "images": [
            {"id": 1, "file_name": "a.png", "height": 64, "width": 80},
            {"id": 2, "file_name": "b.png", "height": 64, "width": 80},
        ],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "segmentation": [OUTLINE]}],
        "categories": [{"id": 1, "name": "ice"}],
    }
    return content | changes


def annotation(**changes: Any) -> dict[str, Any]:
    return coco()["annotations"][0] | changes


def read(folder: Path, content: Any) -> list[Annotation]:
    (folder / "x.json").write_text(json.dumps(content))
    annotations = read_annotations(folder / "x.json")
    assert annotations is not None
    return annotations


def test_an_image_that_nobody_annotated_has_no_region(tmp_path):
    first, second = read(tmp_path, coco())
    assert (len(first.regions), first.shape, second.regions) == (1, SHAPE, ())


def test_a_single_outline_without_its_list_is_read(tmp_path):
    first, _ = read(tmp_path, coco(annotations=[annotation(segmentation=OUTLINE)]))
    assert draw_mask("x", first.regions, SHAPE, ICE).sum() == 31 * 23


def test_an_annotation_without_category_is_of_the_only_one(tmp_path):
    first, _ = read(tmp_path, coco(annotations=[annotation(category_id=None)]))
    assert first.regions[0].label == "ice"
    categories = [{"id": 1, "name": "ice"}, {"id": 2, "name": "dust"}]
    with pytest.raises(IcefloeError, match="of a category with id None, and there is none"):
        read(tmp_path, coco(annotations=[annotation(category_id=None)], categories=categories))


@pytest.mark.parametrize("packed", [True, False])
def test_run_lengths_are_read_as_pycocotools_reads_them(tmp_path, rng, packed):
    mask = np.asfortranarray(rng.random(SHAPE) < 0.3, dtype=np.uint8)
    encoded = coco_mask.encode(mask)
    runs: Any = {"size": list(SHAPE), "counts": encoded["counts"].decode()}
    if not packed:
        flat = mask.ravel(order="F")
        borders = np.flatnonzero(np.diff(flat)) + 1
        counts = np.diff([0, *borders, flat.size]).tolist()
        runs["counts"] = [0, *counts] if flat[0] else counts
    first, _ = read(tmp_path, coco(annotations=[annotation(segmentation=runs)]))
    np.testing.assert_array_equal(draw_mask("x", first.regions, SHAPE, ICE), mask)


def runs(counts: Any, size: Any = SHAPE) -> dict[str, Any]:
    return coco(annotations=[annotation(segmentation={"size": size, "counts": counts})])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (coco(annotations=[annotation(segmentation=[], bbox=[1, 2, 3, 4])]), "has no outline, only a box"),
        (coco(annotations=[annotation(segmentation=None)]), "annotation 1 of a.png has no outline. Draw"),
        (coco(annotations=[annotation(image_id=7)]), "of an image with id 7, and there is none"),
        (coco(annotations=[annotation(category_id=7)]), "of a category with id 7, and there is none"),
        (coco(annotations=[annotation(), annotation()]), "annotations number 1 and 2 have the same id 1."),
        (
            coco(images=[{"id": 1, "file_name": "a.png"}, {"id": 1, "file_name": "b.png"}]),
            "two images have the id 1 ('a.png' and 'b.png')",
        ),
        (
            coco(images=[{"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": "a.png"}]),
            "'a.png' stands twice, with the ids 1 and 2",
        ),
        (
            coco(categories=[{"id": 1, "name": "ice"}, {"id": 1, "name": "dust"}]),
            "two categories have the id 1 ('ice' and 'dust')",
        ),
        (
            coco(images=[{"id": 1, "file_name": "a", "height": 64}], annotations=[]),
            "the image's width is None",
        ),
        (coco(annotations=[annotation(segmentation=[[1, 2, 3, 4, 5]])]), "has 5 numbers, which are no x, y"),
        (coco(annotations=[annotation(segmentation=[[1, 2, 3, 4, 5, None]])]), "is not a finite number"),
        (coco(annotations=[annotation(segmentation=[[1, 2, 3, 4, 5, 10**400]])]), "not valid COCO"),
        (coco(annotations=[annotation(segmentation=[[1, 2, 3, 4, 5, 1e19]])]), "far outside any image"),
        (coco(annotations=[annotation(segmentation="x")]), "neither polygons nor run lengths"),
        (coco(annotations=[3]), "not valid COCO"),
        (coco(annotations=3), "not valid COCO"),
        (coco(images=None), "not valid COCO"),
        (coco(categories=[{"id": 1, "name": "ice"}, {"id": 2}]), "not valid COCO or labelme JSON ('name')"),
        (coco(images=[{"id": [1], "file_name": "a"}]), "not valid COCO"),
        (runs("~"), "'~' in a run-length mask"),
        (runs("PP"), "cut off"),
        (runs([-1, 5]), "-1 is no number of pixels"),
        (runs([1.5]), "1.5 is no number of pixels"),
        (runs([3], "xx"), "not valid COCO"),
    ],
)
def test_what_does_not_say_what_is_labelled_is_refused_in_one_line(tmp_path, content, message):
    with pytest.raises(IcefloeError) as error:
        read(tmp_path, content)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (runs([10, 5]), "a run-length mask of 15 pixels where the image has 5120"),
        (runs([0, 10**30]), "where the image has 5120"),
        (runs([5120]), "a bitmap without a pixel in it"),
        (runs([0, 100], [10, 10]), "a run-length mask of 10x10 but the image is 80x64"),
        (coco(annotations=[annotation(segmentation=[[]])]), "an outline of 0 points"),
        (coco(annotations=[annotation(segmentation=[[1, 2, 3, 4]])]), "an outline of 2 points"),
    ],
)
def test_what_cannot_be_of_the_image_is_refused_when_drawn(tmp_path, content, message):
    first, *_ = read(tmp_path, content)
    with pytest.raises(IcefloeError, match=message):
        draw_mask("x", first.regions, SHAPE, ICE)
