"""Label Studio's export: what a person drew there, and nothing else, becomes a label."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from icefloe.active.exchange.brush import encode_brush
from icefloe.errors import IcefloeError

Export = Callable[..., Path]


def region(kind: str, value: dict[str, Any], **changes) -> dict[str, Any]:
    placed = {"id": kind, "from_name": kind, "to_name": "image", "type": f"{kind}labels", "value": value}
    return {**placed, "original_width": 80, "original_height": 64, "image_rotation": 0, **changes}


def brush(mask: np.ndarray, label: str = "ice", **changes) -> dict[str, Any]:
    return region("brush", {"format": "rle", "rle": encode_brush(mask), "brushlabels": [label]}, **changes)


def polygon(*points: tuple[float, float], label: str = "ice", **value) -> dict[str, Any]:
    return region("polygon", {"points": points, "closed": True, "polygonlabels": [label], **value})


def answer(kind: str) -> dict[str, Any]:
    return {
        "id": "q",
        "type": kind,
        "from_name": f"{kind} asked",
        "to_name": "image",
        "value": {kind: ["good"]},
    }


def task(*results: list[dict[str, Any]], stem: str = "c_2", data: object = None, **changes) -> dict[str, Any]:
    annotations = [
        {"id": number, "completed_by": number, "was_cancelled": False, "result": result}
        for number, result in enumerate(results, start=1)
    ]
    data = (
        {"image": f"/data/local-files/?d=Q/{stem}.png", "dataset": "Q", "stem": stem}
        if data is None
        else data
    )
    return {"id": 7, "data": data, "annotations": annotations, **changes}


SKIPPED = {"was_cancelled": True, "result": []}


@pytest.fixture
def export(tmp_path: Path) -> Export:
    def write(*tasks: object, encoding: str = "utf-8") -> Path:
        path = tmp_path / "export.json"
        path.write_bytes(json.dumps(tasks).encode(encoding))
        return path

    return write


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_an_export_is_read_with_or_without_byte_order_mark(take, export, square, encoding):
    masks, said = take(export(task([brush(square)]), encoding=encoding), "label-studio")
    np.testing.assert_array_equal(masks["Q/c_2"], square)
    assert said == ("1 label imported.",)


@pytest.mark.parametrize(
    "address", ["/data/upload/1/ab12cd34-c_2.png", "/data/local-files/?d=Q/c_2.png", "s3://lab/Q/c_2.png"]
)
@pytest.mark.parametrize("name", ["image", "img"])
def test_an_image_that_was_uploaded_by_hand_is_known_by_its_name(take, export, square, address, name):
    masks, _ = take(export(task([brush(square)], data={name: address})), "label-studio")
    np.testing.assert_array_equal(masks["Q/c_2"], square)


def test_an_uploaded_image_of_two_datasets_is_refused(take, export, square, make_queue):
    path = export(task([brush(square)], data={"image": "/data/upload/1/ab12cd34-c_2.png"}))
    with pytest.raises(IcefloeError, match=r"ab12cd34-c_2.png could be Q/c_2 or R/c_2. Name the dataset."):
        take(path, "label-studio", make_queue("Q/c_2", "R/c_2"))


def test_answers_about_the_whole_image_are_ignored_and_told(take, export, square):
    result = [answer("choices"), brush(square), answer("textarea"), answer("rating")]
    masks, said = take(export(task(result)), "label-studio")
    np.testing.assert_array_equal(masks["Q/c_2"], square)
    assert said == (
        "1 label imported.",
        "3 not taken (an answer beside the mask): Q/c_2: choices asked, Q/c_2: textarea asked, "
        "Q/c_2: rating asked",
    )


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (task(stem="c_1", predictions=[{"result": [brush(np.ones((64, 80), bool))]}]), "nobody annotated it"),
        (task(stem="c_1", drafts=[{"result": []}]), "a draft that was not submitted"),
        (task([answer("choices")], stem="c_1"), "answered, but nothing drawn"),
        (task([], stem="c_1") | {"annotations": [SKIPPED]}, "skipped in Label Studio"),
    ],
)  # fmt: skip
def test_a_task_that_nobody_finished_is_no_label_and_told(take, export, square, other, reason):
    masks, said = take(export(other, task([brush(square)])), "label-studio")
    assert list(masks) == ["Q/c_2"]
    assert said == ("1 label imported.", f"1 not taken ({reason}): Q/c_1")
    with pytest.raises(
        IcefloeError, match=r"Nothing was imported; label or remove them, or leave out --strict"
    ):
        take(export(other, task([brush(square)])), "label-studio", strict=True)


def test_a_task_of_another_project_that_nobody_annotated_stops_nothing(take, export, square):
    other = task(data={"image": "/data/upload/1/ab12cd34-cat.png"})
    assert take(export(other, task([brush(square)])), "label-studio")[1] == (
        "1 label imported.",
        "1 not taken (nobody annotated it): ab12cd34-cat.png",
    )


def test_what_is_ignored_stays_ignored_where_nothing_else_is_drawn(take, export, square):
    masks, _ = take(export(task([brush(square, "ignore")])), "label-studio")
    np.testing.assert_array_equal(masks["Q/c_2"], square * np.uint8(255))


@pytest.mark.parametrize("email", ["\udce4", "a\nb", " "])
def test_an_author_that_is_no_name_is_refused_in_one_line(take, export, square, email):
    content = task([brush(square)])
    content["annotations"][0]["completed_by"] = {"email": email}
    with pytest.raises(IcefloeError, match=r"author .*: not a name. Say who made the label.") as error:
        take(export(content), "label-studio")
    assert str(error.value).isprintable()


def test_the_time_of_a_tab_that_stayed_open_is_not_kept(make_queue, take, export, square):
    content = task([brush(square)])
    content["annotations"][0]["lead_time"] = 1e7
    queue = make_queue()
    assert take(export(content), "label-studio", queue)[1] == (
        "1 label imported.",
        "Q/c_2: the labelling time of 10000000 s can't be, and is not kept.",
    )
    assert queue.labels()[0].seconds is None


def test_background_makes_a_hole_whatever_the_tool_draws_it_with(take, export, square):
    for hole in (
        brush(np.roll(square, 20), "background"),
        polygon((25, 25), (75, 25), (75, 75), label="Background"),
    ):
        masks, _ = take(export(task([brush(square), hole])), "label-studio")
        assert 0 < masks["Q/c_2"].sum() < square.sum()


TRIANGLE = ((1, 1), (50, 1), (50, 50))
HALF = np.ones((32, 40), bool)
TWO_CLASSES = region("brush", {"rle": [], "brushlabels": ["ice", "background"]})
NO_CLASS = region("polygon", {"points": TRIANGLE, "polygonlabels": []})
BITMAP = region("bitmask", {"imageDataURL": "data:image/png;base64,AAAA", "bitmasklabels": ["ice"]})
REFUSED = {
    "two people": (
        task([polygon(*TRIANGLE)], [polygon(*TRIANGLE)]),
        "Q/c_2 has 2 annotations (label-studio user 1, label-studio user 2). Keep one of them in Label",
    ),
    "rotated": (
        task([brush(np.ones((64, 80), bool), image_rotation=90)]),
        "Q/c_2: was labelled turned by 90 degrees. Label the exported image as it is.",
    ),
    "resized": (
        task([brush(HALF, original_width=40, original_height=32)]),
        "Q/c_2: was labelled at 40x32 but the image is 80x64. Label the exported image as it is.",
    ),
    "brush of another size": (
        task([brush(HALF)]),
        "Q/c_2: the brush mask can't be decoded (it has 5120 values, not the 20480 of the image).",
    ),
    "no size": (task([{"type": "brushlabels"}]), "Q/c_2: region.original_width: Field required."),
    "open polygon": (
        task([polygon(*TRIANGLE, closed=False)]),
        "Q/c_2: a polygon is not closed. Click its first point in Label Studio.",
    ),
    "two points": (task([polygon((1, 1), (50, 1))]), "Q/c_2: an outline of 2 points encloses nothing."),
    "outside": (task([polygon((120, 120), (130, 120), (130, 130))]), "outside the image of 80x64."),
    "not finite": (
        task([polygon((1, 1), (5, float("nan")), (3, 3))]),
        "Q/c_2: polygon.points.1.1: Input should be a finite number",
    ),
    "bitmap": (task([BITMAP]), "Q/c_2: a region of kind 'bitmasklabels'. Draw with the brush or polygons."),
    "kind that is no text": (task([{"type": []}]), "Q/c_2: a region of kind '[]'. Draw with the brush"),
    "two classes": (
        task([TWO_CLASSES]),
        "Q/c_2: a region of 2 classes. Give each region one in Label Studio.",
    ),
    "no class": (task([NO_CLASS]), "Q/c_2: a region of 0 classes."),
    "unknown class": (
        task([polygon(*TRIANGLE, label="frost")]),
        "Q/c_2: unknown class 'frost'; known are background, ice.",
    ),
    "no image": (task([polygon(*TRIANGLE)], data={}), "task 7 names no image."),
    "no result": (
        task() | {"annotations": [{"was_cancelled": False}]},
        "task 1.annotations.0.result: Field required.",
    ),
    "annotations by number": (task() | {"annotations": [31]}, "task 1.annotations.0: Input should be"),
    "twice": (task([polygon(*TRIANGLE)]), "two labels for Q/c_2. Leave one."),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_can_not_be_drawn_as_it_was_meant_is_refused_in_one_line(take, export, make_queue, case):
    content, message = REFUSED[case]
    queue = make_queue()
    with pytest.raises(IcefloeError) as error:
        take(export(content, content) if case == "twice" else export(content), "label-studio", queue)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert queue.labels() == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"shapes": []}, "a file of labelme. Import it with: icefloe queue import labelme"),
        ({"images": [], "annotations": []}, "a file of coco. Import it with: icefloe queue import coco"),
        ([{"data": {"stem": "c_2"}, "predictions": []}], "tasks as they were exported, without annotations."),
        ([{"image": "c_2.png", "brush": []}], "not Label Studio's export. Choose the export format `JSON`"),
        ({"id": 1}, "not Label Studio's export."),
    ],
)
def test_another_tools_file_is_told_by_its_name(take, tmp_path, content, message):
    path = tmp_path / "export.json"
    path.write_text(json.dumps(content))
    with pytest.raises(IcefloeError, match=message):
        take(path, "label-studio")


@pytest.mark.parametrize("format_name", ["labelme", "coco"])
def test_an_export_of_label_studio_under_another_name_is_told(take, export, square, format_name):
    with pytest.raises(
        IcefloeError, match=r"a file of label-studio. Import it with: icefloe queue import label-studio"
    ):
        take(export(task([brush(square)])), format_name)
