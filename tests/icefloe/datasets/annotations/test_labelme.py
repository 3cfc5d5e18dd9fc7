import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from icefloe.datasets.annotations.drawing import draw_mask
from icefloe.datasets.annotations.reading import read_annotations
from icefloe.datasets.annotations.regions import Annotation
from icefloe.errors import IcefloeError

ICE = ("background", "ice")
SQUARE = [[10, 8], [40, 8], [40, 30], [10, 30]]


def labelme(*shapes: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"shapes": list(shapes), "imagePath": "a.png", "imageHeight": 64, "imageWidth": 80} | changes


def shape(points: Any = SQUARE, kind: str | None = "polygon", **changes: Any) -> dict[str, Any]:
    return {"label": "ice", "points": points, "shape_type": kind} | changes


def read(folder: Path, content: Any) -> Annotation:
    (folder / "a.json").write_text(json.dumps(content))
    (annotation,) = read_annotations(folder / "a.json") or []
    return annotation


def png(pixels: np.ndarray) -> str:
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, format="PNG")
    return base64.b64encode(encoded.getvalue()).decode()


def test_rectangles_and_circles_are_drawn(tmp_path):
    annotation = read(
        tmp_path,
        labelme(shape([[2, 3], [5, 6]], "rectangle"), shape([[30, 30], [40, 30]], "circle")),
    )
    mask = draw_mask("x", annotation.regions, (64, 80), ICE)
    assert mask[3:7, 2:6].all()
    assert mask[20:41, 20:41].sum() == pytest.approx(np.pi * 10.5**2, rel=0.05)


@pytest.mark.parametrize("kind", ["rectangle", "polygon", None])
def test_four_corners_are_a_polygon_whatever_the_kind(tmp_path, kind):
    annotation = read(tmp_path, labelme(shape(kind=kind)))
    assert draw_mask("x", annotation.regions, (64, 80), ICE).sum() == 31 * 23


def test_the_bitmaps_of_labelmes_ai_tools_are_laid_at_their_place(tmp_path, rng):
    pixels = rng.random((11, 7)) < 0.5
    annotation = read(
        tmp_path, labelme(shape([[20, 30], [26, 40]], "mask", mask=png(pixels.astype(np.uint8))))
    )
    mask = draw_mask("x", annotation.regions, (64, 80), ICE)
    np.testing.assert_array_equal(mask[30:41, 20:27], pixels)
    assert mask.sum() == pixels.sum()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (labelme(shape([[10, 8]], "circle")), "shape 1 (ice) is a circle of 1 point, which encloses nothing"),
        (labelme(shape([[10, 8], [40, 30]])), "shape 1 (ice) is a polygon of 2 points"),
        (labelme(shape([])), "is a polygon of 0 points"),
        (labelme(shape([[1, 1]], "rectangle")), "is a rectangle of 1 point"),
        (
            labelme(shape([[1, 2], [3, 4]], "line")),
            "shape 1 (ice) is an outline of kind 'line'. Use polygons",
        ),
        (labelme(shape([[1, 2]], "point")), "of kind 'point'"),
        (labelme(shape([[0, 0], [1e19, 0], [1e19, 1e19]])), "far outside any image"),
        (labelme(shape([[0, 0], [1, "x"], [2, 2]])), "not valid COCO or labelme JSON"),
        (labelme(shape([[0, 0], [1, None], [2, 2]])), "a point of shape 1 (ice) is not a finite number"),
        (labelme(shape([[0, 0], [1], [2, 2]])), "not valid COCO or labelme JSON"),
        (labelme({"points": SQUARE}), "not valid COCO or labelme JSON ('label')"),
        (labelme(shape(label={})), "label is {}"),
        (labelme(3), "not valid COCO or labelme JSON"),
        (labelme(imageHeight=64.5), "the image's height is 64.5"),
        (labelme(imageWidth=None), "the image's width is None"),
        (labelme(imageWidth=-80), "the image's width is -80"),
        ({"shapes": None}, "not valid COCO or labelme JSON"),
        (labelme(shape([[2, 3], [5, 6]], "mask")), "is a mask without its box or its pixels"),
        (labelme(shape([[2, 3], [5, 6]], "mask", mask="x")), "not valid COCO or labelme JSON"),
    ],
)
def test_what_encloses_nothing_is_refused_in_one_line(tmp_path, content, message):
    with pytest.raises(IcefloeError) as error:
        read(tmp_path, content)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("corners", "mask", "message"),
    [
        ([[20, 30], [26, 40]], png(np.ones((3, 3), np.uint8)), "it is 3x3, not as its box says"),
        ([[70, 30], [90, 40]], png(np.ones((11, 21), np.uint8)), "reaches beyond the image of 80x64"),
        ([[20, 30], [26, 40]], png(np.zeros((11, 7), np.uint8)), "a bitmap without a pixel in it"),
        ([[20, 30], [26, 40]], base64.b64encode(b"no").decode(), "the PNG of a bitmap can't be read"),
        ([[26, 40], [20, 30]], png(np.ones((3, 3), np.uint8)), "not as its box says"),
    ],
)
def test_a_bitmap_that_does_not_fit_is_refused_when_drawn(tmp_path, corners, mask, message):
    annotation = read(tmp_path, labelme(shape(corners, "mask", mask=mask)))
    with pytest.raises(IcefloeError, match=message):
        draw_mask("x", annotation.regions, (64, 80), ICE)
