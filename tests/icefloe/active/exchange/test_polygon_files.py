"""COCO and labelme in the queue: a hole is one, an image that nobody outlined has no label."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from icefloe.active.exchange.transfer import import_labels
from icefloe.datasets.labels import write_coco, write_labelme
from icefloe.errors import IcefloeError

SQUARE = [[10, 8], [40, 8], [40, 30], [10, 30]]
HOLE = [[20, 14], [30, 14], [30, 24], [20, 24]]

Write = Callable[..., Path]


@pytest.fixture
def coco(tmp_path: Path) -> Write:
    def write(regions: list[tuple[str, str, Any]], *images: str) -> Path:
        """Of each region: image, class name, points or a whole segmentation."""
        names = sorted({name for _, name, _ in regions})
        files = list(dict.fromkeys([*(image for image, _, _ in regions), *images]))
        content = {
            "images": [
                {"id": files.index(name), "file_name": name, "height": 64, "width": 80} for name in files
            ],
            "categories": [{"id": names.index(name), "name": name} for name in names],
            "annotations": [
                {
                    "id": number,
                    "image_id": files.index(image),
                    "category_id": names.index(name),
                    "bbox": [10, 8, 30, 22],
                    "segmentation": [np.ravel(points).tolist()] if points and points[0] else points,
                }
                for number, (image, name, points) in enumerate(regions)
            ],
        }
        path = tmp_path / "annotations.json"
        path.write_text(json.dumps(content))
        return path

    return write


@pytest.fixture
def labelme(tmp_path: Path) -> Write:
    def write(regions: list[tuple[str, Any]], name: str = "Q/c_2.json") -> Path:
        shapes = [{"label": label, "points": points, "shape_type": "polygon"} for label, points in regions]
        path = tmp_path / "tasks" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {"shapes": shapes, "imagePath": "x.png", "imageHeight": 64, "imageWidth": 80}
        path.write_text(json.dumps(content))
        return tmp_path / "tasks"

    return write


def test_an_image_that_nobody_outlined_is_no_label_and_told(take, coco):
    masks, said = take(coco([("Q/c_1.png", "ice", SQUARE)], "Q/c_2.png", "Q/c_77.png"), "coco")
    assert list(masks) == ["Q/c_1"]
    assert said == ("1 label imported.", "2 not taken (nobody outlined anything): Q/c_77.png, Q/c_2")


def test_a_labelme_file_without_outlines_is_no_label(take, labelme):
    with pytest.raises(
        IcefloeError, match=r"no labels in it; 1 not taken \(nobody outlined anything\): Q/c_2. Label"
    ):
        take(labelme([]), "labelme")


def test_that_nothing_is_there_can_be_said_with_an_outline_of_background(take, labelme):
    masks, _ = take(labelme([("background", [[0, 0], [79, 0], [79, 63], [0, 63]])]), "labelme")
    assert not masks["Q/c_2"].any()


@pytest.mark.parametrize("name", ["coco", "labelme"])
def test_a_prediction_of_nothing_can_be_approved(take, make_queue, tmp_path, name):
    empty = np.zeros((64, 80), np.uint8)
    queue = make_queue("Q/c_2", premask=empty)
    if name == "coco":
        write_coco(tmp_path / "a.json", {"Q/c_2.png": empty}, ("background", "ice"))
    else:
        write_labelme(tmp_path / "Q/c_2.json", "c_2.png", empty, ("background", "ice"))
    source = tmp_path / "a.json" if name == "coco" else tmp_path / "Q"
    with pytest.raises(
        IcefloeError, match=r"masks that came back as they went out: 1. Label the images, or take"
    ):
        take(source, name, queue)
    masks, said = take(source, name, queue, accept_unchanged=True)
    assert said == ("1 label imported.",)
    assert not masks["Q/c_2"].any()


@pytest.mark.parametrize("name", ["background", "_background_", "Background"])
def test_a_hole_drawn_as_background_is_one(take, coco, labelme, name):
    for masks, _ in (
        take(coco([("Q/c_2.png", "ice", SQUARE), ("Q/c_2.png", name, HOLE)]), "coco"),
        take(labelme([("ice", SQUARE), (name, HOLE)]), "labelme"),
    ):
        assert masks["Q/c_2"].sum() == 592
        assert not masks["Q/c_2"][14:25, 20:31].any()


def test_a_hole_in_the_exported_outline_is_a_change(take, make_queue, labelme, square):
    queue = make_queue("Q/c_2", premask=square.astype(np.uint8))
    with pytest.raises(IcefloeError, match="masks that came back as they went out: 1"):
        import_labels(queue, labelme([("ice", SQUARE)]), "labelme", "Ana")
    assert take(labelme([("ice", SQUARE), ("_background_", HOLE)]), "labelme", queue)[0]["Q/c_2"].sum() == 592


@pytest.mark.parametrize("name", ["ignore", "__ignore__"])
def test_ignored_outlines_are_ignored(take, labelme, name):
    assert (take(labelme([("ice", SQUARE), (name, HOLE)]), "labelme")[0]["Q/c_2"] == 255).sum() == 121
    alone = take(labelme([(name, HOLE)]), "labelme")[0]["Q/c_2"]
    assert sorted(np.unique(alone)) == [0, 255]


def test_one_other_name_stands_for_ice_and_is_told(take, labelme):
    assert take(labelme([("Eis", SQUARE)]), "labelme")[1] == (
        "1 label imported.",
        "Outlines named 'Eis' are taken as 'ice'.",
    )


def test_two_other_names_are_refused(take, labelme):
    with pytest.raises(
        IcefloeError, match=r"labels named 'dirt', .* Name the outlines as the exported ones are"
    ):
        take(labelme([("ice", SQUARE), ("dirt", HOLE)]), "labelme")


@pytest.mark.parametrize(
    "name", ["Q\\c_2.png", "images\\Q\\c_2.png", "images/c_2.png", "images/0a1b2c3d-c_2.png"]
)
def test_file_names_of_any_tool_are_known(take, coco, square, name):
    np.testing.assert_array_equal(take(coco([(name, "ice", SQUARE)]), "coco")[0]["Q/c_2"], square)


BAD = {
    "box only": ([], "annotation 0 of Q/c_2.png has no outline, only a box."),
    "outside": ([[100, 100], [120, 100], [120, 120]], "lies outside the image of 80x64."),
    "fractions": ([[0.1, 0.1], [0.4, 0.1], [0.4, 0.3]], "an outline in fractions of the image's size"),
    "two points": ([[10, 8], [40, 30]], "2 points"),
    "huge": ([[0, 0], [1e19, 0], [1e19, 1e19]], "far outside any image"),
}


@pytest.mark.parametrize("case", BAD)
def test_outlines_that_are_none_are_refused_in_one_line(take, coco, labelme, make_queue, case):
    points, message = BAD[case]
    queue = make_queue()
    sources = {"coco": coco([("Q/c_1.png", "ice", SQUARE), ("Q/c_2.png", "ice", points)])}
    if points:
        sources["labelme"] = labelme([("ice", points)])
    for name, source in sources.items():
        with pytest.raises(IcefloeError) as error:
            take(source, name, queue)
        assert message.replace("annotation 0", "annotation 1") in str(error.value)
        assert "\n" not in str(error.value)
    assert queue.labels() == []


def test_files_beside_that_are_no_labels_are_told(take, labelme):
    folder = labelme([("ice", SQUARE)])
    for name in ("Q/c_1.xml", "notes.txt", "Q/c_1.png", "package.json"):
        (folder / name).write_text("{}")
    assert take(folder, "labelme")[1] == (
        "1 label imported.",
        "3 not taken (not a label file of this format): Q/c_1.xml, notes.txt, package.json",
    )


def test_json_of_another_tool_is_refused_by_its_name(take, labelme):
    folder = labelme([("ice", SQUARE)])
    (folder / "via.json").write_text(json.dumps({"_via_settings": {}, "_via_img_metadata": {}}))
    with pytest.raises(IcefloeError, match=r"via.json: labels in the format of the VGG Image Annotator"):
        take(folder, "labelme")
