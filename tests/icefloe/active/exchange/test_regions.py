"""Items with regions through every format: what other tools see, and what is kept of what comes back."""

import csv
import json

import numpy as np
import pytest
import tifffile
from PIL import Image

from icefloe.active.exchange.polygon_files import REGION_NAME
from icefloe.active.exchange.transfer import FORMATS, export_items, import_labels
from icefloe.active.items import NewItem, Purpose
from icefloe.active.queue import Queue
from icefloe.active.region import Region, inside_any, limited
from icefloe.active.uploads import decode_png, encode_png
from icefloe.database.engine import Database
from icefloe.errors import IcefloeError
from tests.icefloe.active.conftest import SHAPE, ice

REGIONS = (Region(20, 30, 40, 30), Region(60, 90, 30, 30))
TWO = ("background", "ice")
THREE = ("background", "ice", "water")


@pytest.fixture
def make(database: Database, write_dataset):
    """The queue with two regions of D3/stack_1, and the workspace's datasets."""

    def queued(classes: tuple[str, ...] = TWO):
        dataset = write_dataset(classes=classes)
        queue = Queue(database)
        purpose = Purpose("bald", 0.3, 1, "members disagree here")
        predicted = encode_png(ice(30) * np.uint8(len(classes) - 1))
        queue.add([NewItem("D3", "stack_1", "EA-T1", SHAPE, classes, purpose, predicted, regions=REGIONS)])
        return queue, dataset.path.parent

    return queued


def annotated(folder):
    """Label Studio's export of tasks whose prediction a person took over as it was."""
    tasks = json.loads((folder / "tasks.json").read_text())
    for task in tasks:
        (prediction,) = task.pop("predictions")
        task["annotations"] = [{"result": prediction["result"], "completed_by": {"email": "a@b.org"}}]
    path = folder / "done.json"
    path.write_text(json.dumps(tasks))
    return path


@pytest.mark.parametrize("classes", [TWO, THREE])
@pytest.mark.parametrize("name", FORMATS)
def test_what_is_exported_comes_back_with_255_outside_the_regions(make, tmp_path, name, classes):
    queue, data = make(classes)
    export_items(queue, data, name, tmp_path / "out")
    source = annotated(tmp_path / "out") if name.startswith("label-studio") else tmp_path / "out"
    if name.startswith("coco"):
        source = source / "annotations.json"

    result = import_labels(queue, source, name, author="Ana", accept_unchanged=True, strict=True)

    (label,) = result.labels
    came = decode_png(label.png)
    inside = inside_any(REGIONS, SHAPE)
    assert (came[~inside] == 255).all()
    expected = ice(30) * np.uint8(len(classes) - 1)
    tolerated = 0.02 if name in ("coco", "labelme", "label-studio-polygons") else 0.0
    assert np.mean(came[inside] != expected[inside]) <= tolerated
    assert not any("255" in note for note in result.notes)


@pytest.mark.parametrize("name", [name for name in FORMATS if not name.startswith("label-studio")])
def test_a_mask_that_nobody_touched_is_no_label(make, tmp_path, name):
    queue, data = make()
    export_items(queue, data, name, tmp_path / "out")
    source = tmp_path / "out" / "annotations.json" if name.startswith("coco") else tmp_path / "out"
    with pytest.raises(IcefloeError, match="masks that came back as they went out: 1"):
        import_labels(queue, source, name, author="Ana")


@pytest.mark.parametrize("name", ["label-studio", "coco", "labelme", "png"])
def test_every_tool_shows_the_rest_of_the_image_dimmed(make, tmp_path, name):
    queue, data = make()
    export_items(queue, data, name, tmp_path / "out")
    (path,) = (path for path in (tmp_path / "out").rglob("stack_1.png") if "masks" not in path.parts)
    shown = np.asarray(Image.open(path))
    inside = inside_any(REGIONS, SHAPE)
    assert shown[inside].max() == 255
    assert shown[~inside].max() == round(0.4 * 255)


def test_label_studios_task_names_the_regions(make, tmp_path):
    queue, data = make()
    export_items(queue, data, "label-studio", tmp_path / "out")
    (task,) = json.loads((tmp_path / "out" / "tasks.json").read_text())
    assert task["data"]["regions"][0] == {"top": 20, "left": 30, "height": 40, "width": 30}


def test_the_table_beside_painted_masks_names_the_regions(make, tmp_path):
    queue, data = make()
    export_items(queue, data, "png", tmp_path / "out")
    with (tmp_path / "out" / "items.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["regions"] == "20 30 40 30; 60 90 30 30"


@pytest.mark.parametrize("name", ["coco", "coco-rle", "labelme"])
def test_outline_files_have_a_rectangle_for_each_region(make, tmp_path, name):
    queue, data = make()
    export_items(queue, data, name, tmp_path / "out")
    if name == "labelme":
        content = json.loads((tmp_path / "out" / "D3" / "stack_1.json").read_text())
        found = [shape["points"] for shape in content["shapes"] if shape["label"] == REGION_NAME]
    else:
        content = json.loads((tmp_path / "out" / "annotations.json").read_text())
        number = {one["name"]: one["id"] for one in content["categories"]}[REGION_NAME]
        outlines = [one["segmentation"] for one in content["annotations"] if one["category_id"] == number]
        found = [np.reshape(outline[0], (-1, 2)).tolist() for outline in outlines]
    # Points lie in pixels: the last row of the first region is 59, its last column 59.
    assert [(points[0], points[2]) for points in found] == [
        ([30.5, 20.5], [59.5, 59.5]),
        ([90.5, 60.5], [119.5, 89.5]),
    ]


def test_an_ome_tiffs_mask_is_255_outside_the_regions(make, tmp_path):
    queue, data = make()
    export_items(queue, data, "ome-tiff", tmp_path / "out")
    written = tifffile.imread(tmp_path / "out" / "masks" / "D3" / "stack_1.ome.tif")
    np.testing.assert_array_equal(written, limited(ice(30), REGIONS))
