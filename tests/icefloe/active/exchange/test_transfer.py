"""Exchange: labels made in another tool come back as they were drawn, or not at all."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.draw import polygon2mask

from icefloe.active.exchange.transfer import FORMATS, export_items, import_labels
from icefloe.active.items import NewItem, Purpose
from icefloe.active.queue import Queue
from icefloe.active.uploads import decode_png, encode_png
from icefloe.database.open import open_url
from icefloe.database.url import sqlite_url
from icefloe.datasets.labels import write_coco, write_labelme
from icefloe.errors import IcefloeError

SHAPE = (96, 128)


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * np.logical_and(a, b).sum() / (a.sum() + b.sum())


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "workspace" / "data"


@pytest.fixture
def export(filled: Queue, data: Path, tmp_path: Path) -> Callable[[str], Path]:
    def run(name: str) -> Path:
        export_items(filled, data, name, tmp_path / name)
        return tmp_path / name

    return run


def approve(tasks: Path, **changes) -> list[dict]:
    """What Label Studio exports after somebody submitted each prediction as it was."""
    exported = []
    for task in json.loads(tasks.read_text()):
        annotation = {
            "result": task["predictions"][0]["result"],
            "completed_by": {"id": 3, "email": "ann@lab.org"},
            "was_cancelled": False,
            "created_at": "2026-03-01T12:00:00.000000Z",
            "updated_at": "2026-03-01T12:03:00.000000Z",
            "lead_time": 171.5,
        }
        exported.append({**task, "annotations": [{**annotation, **changes}]})
    tasks.write_text(json.dumps(exported))
    return exported


def premasks(queue: Queue) -> dict[str, np.ndarray]:
    return {item.key: decode_png(queue.presegmentation(item.id)) for item in queue.items()}


def labels(queue: Queue) -> dict[str, np.ndarray]:
    keys = {item.id: item.key for item in queue.items()}
    return {keys[label.item_id]: decode_png(label.png) for label in queue.labels()}


def source_of(name: str, folder: Path) -> Path:
    if name.startswith("label-studio"):
        approve(folder / "tasks.json")
        return folder / "tasks.json"
    return folder


@pytest.mark.parametrize(("name", "least"), [
    ("label-studio", 1.0), ("png", 1.0),
    ("label-studio-polygons", 0.99), ("coco", 0.99), ("labelme", 0.99),
])  # fmt: skip
def test_masks_come_back_as_they_went_out(filled, export, name, least):
    result = import_labels(filled, source_of(name, export(name)), name, author="bob", accept_unchanged=True)
    assert len(result.labels) == 3
    back = labels(filled)
    for key, premask in premasks(filled).items():
        assert dice(back[key], premask) >= least


@pytest.mark.parametrize("name", ["png", "coco", "labelme"])
def test_masks_that_nobody_touched_are_no_labels(filled, export, name):
    with pytest.raises(
        IcefloeError, match=r"no labels in it; masks that came back as they went out: 3. Label the"
    ):
        import_labels(filled, export(name), name, author="bob")
    assert filled.labels() == []


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_importing_twice_imports_once(filled, export, name):
    source = source_of(name, export(name))
    first = import_labels(filled, source, name, author="bob", accept_unchanged=True)
    again = import_labels(filled, source, name, author="bob", accept_unchanged=True)
    assert (again.labels, again.n_known) == (first.labels, len(first.labels))
    assert len(filled.labels()) == 3


def test_label_studio_tasks_say_what_they_are(filled, export):
    folder = export("label-studio")
    task = json.loads((folder / "tasks.json").read_text())[0]
    assert task["data"]["image"] == "/data/local-files/?d=D3/stack_0.png"
    assert task["data"]["reason"] == "mean uncertainty 0.03, rank 1 of 4 images"
    region = task["predictions"][0]["result"][0]
    assert (region["type"], region["from_name"], region["to_name"]) == ("brushlabels", "brush", "image")
    assert (region["original_width"], region["original_height"]) == (128, 96)
    assert region["value"]["brushlabels"] == ["ice"]
    assert '<Label value="ice"' in (folder / "label_config.xml").read_text()
    with Image.open(folder / "images" / "D3" / "stack_0.png") as image:
        assert (image.size, image.mode) == ((128, 96), "L")


def test_label_studio_labels_carry_author_time_and_seconds(filled, export):
    source = source_of("label-studio", export("label-studio"))
    label = import_labels(filled, source, "label-studio").labels[0]
    assert (label.labeler, label.seconds, label.source) == ("ann@lab.org", 171.5, "label-studio")
    assert label.time == 1772366580.0  # 2026-03-01T12:03:00Z


def test_label_studio_polygons_are_in_percent(filled, export):
    folder = export("label-studio-polygons")
    approve(
        folder / "tasks.json",
        completed_by=3,
        result=[
            {
                "type": "polygonlabels",
                "original_width": 128,
                "original_height": 96,
                "value": {"points": [[25, 25], [75, 25], [75, 75], [25, 75]], "polygonlabels": ["ice"]},
            }
        ],
    )
    result = import_labels(filled, folder / "tasks.json", "label-studio")
    expected = polygon2mask(SHAPE, [(24, 32), (24, 96), (72, 96), (72, 32)])
    assert dice(decode_png(result.labels[0].png), expected) > 0.98
    assert result.labels[0].labeler == "label-studio user 3"


def test_label_studio_regions_cover_earlier_ones(filled, export):
    folder = export("label-studio")
    (ice,) = json.loads((folder / "tasks.json").read_text())[0]["predictions"][0]["result"]
    hole = json.loads(json.dumps(ice))
    hole["value"]["brushlabels"] = ["background"]
    approve(folder / "tasks.json", result=[ice, hole])
    assert not decode_png(import_labels(filled, folder / "tasks.json", "label-studio").labels[0].png).any()


def test_label_studio_tasks_that_nobody_annotated_are_left_out(filled, export):
    path = export("label-studio") / "tasks.json"
    exported = approve(path)
    exported[0]["annotations"] = []
    exported[1]["annotations"][0]["was_cancelled"] = True
    path.write_text(json.dumps(exported))
    assert len(import_labels(filled, path, "label-studio").labels) == 1


def test_an_annotation_without_regions_says_that_there_is_no_ice(filled, export):
    path = export("label-studio") / "tasks.json"
    approve(path, result=[])
    import_labels(filled, path, "label-studio")
    assert not any(mask.any() for mask in labels(filled).values())


def test_classes_and_ignored_pixels_come_back(tmp_path, write_dataset):
    classes = ("background", "ice", "frost")
    write_dataset(count=1, classes=list(classes))
    mask = np.zeros(SHAPE, np.uint8)
    mask[10:40, 10:60], mask[50:80, 20:90], mask[60:70, 30:50] = 1, 2, 255
    purpose = Purpose("random", 0.5, 1, "drawn at random")
    for name in FORMATS:
        queue = Queue(open_url(sqlite_url(tmp_path / f"{name}.db")))
        queue.add([NewItem("D3", "stack_0", "EA-T1", SHAPE, classes, purpose, encode_png(mask))])
        export_items(queue, tmp_path / "workspace" / "data", name, tmp_path / name)
        source = source_of(name, tmp_path / name)
        import_labels(queue, source, name, author="bob", accept_unchanged=True)
        np.testing.assert_array_equal(labels(queue)["D3/stack_0"], mask, err_msg=name)


def test_a_png_mask_painted_over_is_a_label_with_author_and_time_from_the_table(filled, export):
    folder = export("png")
    painted = folder / "masks" / "D3" / "stack_1.png"
    with Image.open(painted) as image:
        pixels = np.array(image)
    assert set(np.unique(pixels)) == {0, 255}  # seen in any viewer
    pixels[:10, :10] = 255
    Image.fromarray(pixels).save(painted)
    with (folder / "items.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[1]["reason"] == "mean uncertainty 0.03, rank 1 of 4 images"
    rows[1] |= {"author": "cleo", "time": "2026-03-01T13:00:00+01:00", "seconds": "99"}
    with (folder / "items.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    result = import_labels(filled, folder, "png")
    assert result.unchanged == ("D3/stack_0", "D3/stack_2")
    assert result.sentence() == "1 label imported; 2 came back unchanged, not imported."
    assert import_labels(filled, folder, "png").sentence() == (
        "0 labels imported; 1 had been imported before; 2 came back unchanged, not imported."
    )
    (label,) = result.labels
    assert (label.labeler, label.seconds, label.time) == ("cleo", 99.0, 1772366400.0)
    np.testing.assert_array_equal(decode_png(label.png), pixels // 255)


def test_masks_that_nobody_touched_stop_a_strict_import(filled, export):
    folder = export("png")
    path = folder / "masks" / "D3" / "stack_0.png"
    path.write_bytes(encode_png(GOOD))
    with pytest.raises(IcefloeError, match=r"masks that came back as they went out: 2. Nothing was imported"):
        import_labels(filled, folder, "png", "bob", strict=True)
    assert filled.labels() == []
    assert len(import_labels(filled, folder, "png", "bob").labels) == 1


def test_images_are_known_by_their_file_names_alone(filled, tmp_path):
    write_coco(tmp_path / "cvat.json", {"stack_2.png": np.ones(SHAPE, np.uint8)}, ("background", "ice"))
    import_labels(filled, tmp_path / "cvat.json", "coco", author="bob")
    assert list(labels(filled)) == ["D3/stack_2"]


def test_a_file_name_of_two_datasets_needs_the_dataset(filled, tmp_path):
    item = NewItem("D4", "stack_2", "EA-T1", SHAPE, ("background", "ice"), Purpose("random", 0.5, 1, ""))
    filled.add([item])
    write_coco(tmp_path / "cvat.json", {"stack_2.png": np.ones(SHAPE, np.uint8)}, ("background", "ice"))
    with pytest.raises(
        IcefloeError, match=r"stack_2.png could be D3/stack_2 or D4/stack_2. Name the dataset"
    ):
        import_labels(filled, tmp_path / "cvat.json", "coco", author="bob")


def test_a_leased_item_is_not_exported(filled, data, tmp_path):
    filled.lease("ann")
    assert export_items(filled, data, "coco", tmp_path / "out") == 2


def test_nothing_waiting_is_said(data, tmp_path):
    with pytest.raises(IcefloeError, match=r"nothing waits to be labelled. Sample a dataset first."):
        export_items(Queue(open_url(sqlite_url(tmp_path / "empty.db"))), data, "coco", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_export_overwrites_nothing(filled, data, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    with pytest.raises(IcefloeError, match=r"out: exists and is not empty. Name a new folder."):
        export_items(filled, data, "coco", tmp_path / "out")


def test_an_unknown_format_lists_the_names(filled, tmp_path):
    with pytest.raises(IcefloeError) as error:
        import_labels(filled, tmp_path, "voc")
    assert str(error.value) == (
        "'voc' is not an exchange format. There are: coco, coco-rle, label-studio, label-studio-polygons, "
        "labelme, ome-tiff, png."
    )


GOOD = np.pad(np.ones((40, 40), np.uint8), ((0, 56), (0, 88)))
NAMES = ("background", "ice")


def _coco(
    folder: Path, masks: dict[str, np.ndarray], edit: Callable[[dict], None] = lambda content: None
) -> Path:
    path = folder / "a.json"
    write_coco(path, masks, NAMES)
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))
    return path


def _task(**changes) -> dict:
    region = {
        "type": "brushlabels",
        "original_width": 128,
        "original_height": 96,
        "value": {"rle": [0, 0], "brushlabels": ["ice"]},
    }
    value = {**region["value"], **changes.pop("value", {})}
    return {
        "data": changes.pop("data", {"dataset": "D3", "stem": "stack_0"}),
        "annotations": [{"result": [{**region, **changes, "value": value}], "completed_by": 1}],
    }


def _write(path: Path, content: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def _png(folder: Path, name: str, mask: np.ndarray = GOOD) -> Path:
    path = folder / "masks" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_png(mask))
    return folder


def _labelme(folder: Path, name: str, mask: np.ndarray = GOOD) -> Path:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    write_labelme(folder / name, "x.png", mask, NAMES)
    return folder


def _huge_polygon(content: dict) -> None:
    content["annotations"][0]["segmentation"] = [[0, 0, 1e300, 0, 1e300, 5]]


def _no_polygon(content: dict) -> None:
    content["annotations"][0]["segmentation"] = [[]]


def _unknown_image(content: dict) -> None:
    content["annotations"][0]["image_id"] = 77


BAD = {
    "malformed JSON, label-studio": (
        "label-studio",
        lambda f: _write(f / "a.json", "{"),
        "a.json: not valid JSON",
    ),
    "malformed JSON, coco": ("coco", lambda f: _write(f / "a.json", "]"), "a.json: not valid JSON"),
    "malformed JSON, labelme": (
        "labelme",
        lambda f: _write(f / "D3/stack_0.json", "").parents[1],
        "not valid JSON",
    ),
    "nested too deep": ("coco", lambda f: _write(f / "a.json", "[" * 10**6), "not valid JSON"),
    "not UTF-8": (
        "coco",
        lambda f: (f / "a.json").write_bytes(b"\xff\xfe\x00") and f / "a.json",
        "not valid JSON",
    ),
    "missing file": ("coco", lambda f: f / "none.json", "none.json: no such file or folder."),
    "a folder where a file is meant": ("label-studio", lambda f: f, "Name the file that the tool exported."),
    "other JSON, coco": (
        "coco",
        lambda f: _write(f / "a.json", {"a": 1}),
        "a.json: no COCO file. Name the file",
    ),
    "other JSON, label-studio": (
        "label-studio",
        lambda f: _write(f / "a.json", {"a": 1}),
        "not Label Studio's exp",
    ),
    "JSON_MIN": (
        "label-studio",
        lambda f: _write(f / "a.json", [{"brush": []}]),
        "Choose the export format `JSON`",
    ),
    "numbers for tasks": (
        "label-studio",
        lambda f: _write(f / "a.json", [1]),
        "not Label Studio's export",
    ),
    "nothing in it": ("label-studio", lambda f: _write(f / "a.json", []), "no labels in it"),
    "unknown image, coco": (
        "coco",
        lambda f: _coco(f, {"D3/x.png": GOOD}),
        "a.json: D3/x is not in the queue.",
    ),
    "unknown image, png": (
        "png",
        lambda f: _png(f, "D3/x.png"),
        "x.png: D3/x is not in the queue. Import labels",
    ),
    "unknown image, labelme": ("labelme", lambda f: _labelme(f, "D3/x.json"), "D3/x is not in the queue."),
    "unknown image, label-studio": (
        "label-studio",
        lambda f: _write(f / "a.json", [_task(data={"dataset": "D9", "stem": "a"})]),
        "D9/a is not in the queue.",
    ),
    "size, coco": (
        "coco",
        lambda f: _coco(f, {"D3/stack_0.png": GOOD.T}),
        "is 96x128 there but the image is 128x96",
    ),
    "size, png": (
        "png",
        lambda f: _png(f, "D3/stack_0.png", GOOD.T.copy()),
        "mask is 96x128 but the image is 128x96",
    ),
    "size, labelme": (
        "labelme",
        lambda f: _labelme(f, "D3/stack_0.json", GOOD.T),
        "is 96x128 there but the image",
    ),
    "size, label-studio": (
        "label-studio",
        lambda f: _write(f / "a.json", [_task(original_width=64)]),
        "was labelled at 64x96 but the image is 128x96. Label the exported image as it is.",
    ),
    "turned": (
        "label-studio",
        lambda f: _write(f / "a.json", [_task(image_rotation=90)]),
        "turned by 90 degrees",
    ),
    "damaged brush": (
        "label-studio",
        lambda f: _write(f / "a.json", [_task()]),
        "can't be decoded (no header)",
    ),
    "rectangles": (
        "label-studio",
        lambda f: _write(f / "a.json", [_task(type="rectanglelabels")]),
        "Draw with the br",
    ),
    "unknown class": (
        "label-studio",
        lambda f: _write(f / "a.json", [_task(value={"brushlabels": ["slush"]})]),
        "unknown class 'slush'; known are background, ice. Rename it.",
    ),
    "two annotations": (
        "label-studio",
        lambda f: _write(f / "a.json", [{**_task(), "annotations": _task()["annotations"] * 2}]),
        "has 2 annotations (label-studio user 1, label-studio user 1). Keep one of them in Label Studio.",
    ),
    "two labels": (
        "png",
        lambda f: _png(_png(f, "D3/stack_0.png"), "stack_0.png"),
        "two labels for D3/stack_0.",
    ),
    "classes, png": (
        "png",
        lambda f: _png(f, "D3/stack_0.png", GOOD * 7),
        "1600 pixels are of no class (grey levels 7)",
    ),
    "no PNG": (
        "png",
        lambda f: _write(f / "masks/D3/stack_0.png", "junk").parents[2],
        "the mask is not a PNG.",
    ),
    "traversal, coco": (
        "coco",
        lambda f: _coco(f, {"../../etc/passwd.png": GOOD}),
        "'../../etc/passwd.png' is not a s",
    ),
    "absolute path, coco": (
        "coco",
        lambda f: _coco(f, {"/etc/passwd": GOOD}),
        "file name '/etc/passwd' is not a safe",
    ),
    "Windows path, coco": (
        "coco",
        lambda f: _coco(f, {"..\\a.png": GOOD}),
        "is not a safe name, it leads to another folder.",
    ),
    "traversal, label-studio": (
        "label-studio",
        lambda f: _write(f / "a.json", [_task(data={"dataset": "..", "stem": "../../etc/passwd"})]),
        "../../../etc/passwd is not in the queue.",
    ),
    "far points": (
        "coco",
        lambda f: _coco(f, {"D3/stack_0.png": GOOD}, _huge_polygon),
        "far outside any image",
    ),
    "no points": (
        "coco",
        lambda f: _coco(f, {"D3/stack_0.png": GOOD}, _no_polygon),
        "D3/stack_0: an outline of 0 points encloses nothing. Draw it again, or",
    ),
    "lost image": (
        "coco",
        lambda f: _coco(f, {"D3/stack_0.png": GOOD}, _unknown_image),
        "annotation 1 is of an image with id 77, and there is none.",
    ),
    "bad table": (
        "png",
        lambda f: (
            _write(_png(f, "D3/stack_0.png") / "items.csv", "dataset,stem,time\nD3,stack_0,noon\n").parent
        ),
        "items.csv: D3/stack_0: time 'noon' is not ISO 8601. Write it as 2026-03-01 13:00.",
    ),
    "bad seconds": (
        "png",
        lambda f: (
            _write(_png(f, "D3/stack_0.png") / "items.csv", "dataset,stem,seconds\nD3,stack_0,x\n").parent
        ),
        "seconds 'x' is not a number. Write it as 99.5.",
    ),
    "table of unknown images": (
        "png",
        lambda f: _write(_png(f, "D3/stack_0.png") / "items.csv", "a,b\n1,2\n").parent,
        "items.csv: no columns `dataset` and `stem`, but a, b. Keep the heading as it was exported.",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_export_is_refused_in_one_line_and_nothing_is_imported(filled, tmp_path, case):
    name, make, message = BAD[case]
    folder = tmp_path / "from outside"
    folder.mkdir()
    with pytest.raises(IcefloeError) as error:
        import_labels(filled, make(folder), name, author="bob")
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert filled.labels() == []
    assert filled.refused_labels() == []


@pytest.mark.parametrize("name", ["coco", "labelme", "png"])
def test_one_bad_label_keeps_the_good_ones_out(filled, export, name):
    folder = export(name)
    if name == "coco":
        path = folder / "annotations.json"
        path.write_text(path.read_text().replace("D3/stack_2", "D3/stack_9"))
    else:
        ending = {"labelme": "D3/stack_2.json", "png": "masks/D3/stack_2.png"}[name]
        shutil.move(folder / ending, (folder / ending).with_stem("stack_9"))
    with pytest.raises(IcefloeError, match="D3/stack_9 is not in the queue"):
        import_labels(filled, folder, name, author="bob", accept_unchanged=True)
    assert filled.labels() == []


def test_labels_without_an_author_need_one(filled, tmp_path):
    with pytest.raises(
        IcefloeError, match=r"D3/stack_0: the label names no author. Name one: --author NAME."
    ):
        import_labels(filled, _coco(tmp_path, {"D3/stack_0.png": GOOD}), "coco")


def test_an_image_that_somebody_is_labelling_stops_the_import(filled, tmp_path):
    filled.lease("cleo")
    with pytest.raises(IcefloeError, match=r"cleo is labelling the image until .* Nothing was imported"):
        import_labels(
            filled, _coco(tmp_path, {"D3/stack_1.png": GOOD, "D3/stack_0.png": GOOD}), "coco", "bob"
        )
    assert filled.labels() == []
