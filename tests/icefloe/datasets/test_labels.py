import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from icefloe.datasets.annotations.drawing import draw_mask
from icefloe.datasets.annotations.reading import read_annotations
from icefloe.datasets.labels import mask_polygons, write_coco, write_labelme, write_mask
from icefloe.datasets.readers import read_mask

CLASSES = ["background", "crystal", "crack"]
masks = hnp.arrays(
    np.uint8,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=14),
    elements=st.sampled_from([0, 1, 2, 255]),
)


@given(masks)
@settings(max_examples=60, deadline=None)
def test_a_mask_comes_back_exactly_from_its_polygons(mask):
    polygons = mask_polygons(mask, CLASSES)
    np.testing.assert_array_equal(draw_mask(Path("x"), polygons, mask.shape, CLASSES), mask)


def ring() -> np.ndarray:
    rows, columns = np.mgrid[:120, :160]
    radius = np.hypot(rows - 60, columns - 80)
    return ((radius < 50) & (radius > 20)).astype(np.uint8)


def test_a_tolerance_of_a_pixel_gives_far_fewer_points_and_nearly_the_mask():
    fine, coarse = mask_polygons(ring(), CLASSES), mask_polygons(ring(), CLASSES, tolerance=1.0)
    assert len(coarse) == 1
    assert len(coarse[0].points) < len(fine[0].points) / 5
    drawn = draw_mask(Path("x"), coarse, (120, 160), CLASSES)
    assert 2 * (drawn & ring()).sum() / (drawn.sum() + ring().sum()) > 0.98


@pytest.mark.parametrize("suffix", ["coco", "labelme"])
def test_what_is_written_is_read_back(tmp_path, suffix):
    mask = ring()
    mask[5:9, 5:30] = 2
    mask[100:, 150:] = 255
    path = tmp_path / "stack_1.json"
    if suffix == "coco":
        write_coco(path, {"stack_1.tif": mask}, CLASSES)
    else:
        write_labelme(path, "stack_1.tif", mask, CLASSES)
    annotations = read_annotations(path)
    assert annotations is not None
    (annotation,) = annotations
    assert (annotation.file_name, annotation.shape) == ("stack_1.tif", mask.shape)
    np.testing.assert_array_equal(draw_mask(path, annotation.regions, mask.shape, CLASSES), mask)


def test_coco_areas_and_boxes_describe_the_outline(tmp_path):
    mask = np.zeros((20, 30), np.uint8)
    mask[4:10, 7:19] = 1
    write_coco(tmp_path / "a.json", {"a.tif": mask}, CLASSES)
    (annotation,) = json.loads((tmp_path / "a.json").read_text())["annotations"]
    assert annotation["bbox"] == [7.5, 4.5, 11.0, 5.0]
    assert annotation["area"] == 55.0


def test_mask_files_have_the_same_bytes_each_time_and_are_plain_png(tmp_path):
    write_mask(tmp_path / "a.png", ring())
    first = (tmp_path / "a.png").read_bytes()
    write_mask(tmp_path / "a.png", ring())
    assert (tmp_path / "a.png").read_bytes() == first
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "a.png")), ring())


def test_real_polygons_and_masks_agree(real_data):
    agreement = []
    for path in sorted((real_data / "ice").glob("D*/*.json")):
        mask = read_mask(path.with_name(f"{path.stem}_label.png")) == 255
        (annotation,) = read_annotations(path) or []
        drawn = draw_mask(path, annotation.regions, mask.shape, ["background", "boundary"]) == 1
        agreement.append(2 * (mask & drawn).sum() / (mask.sum() + drawn.sum()))
    assert len(agreement) == 19
    assert min(agreement) >= 0.999
