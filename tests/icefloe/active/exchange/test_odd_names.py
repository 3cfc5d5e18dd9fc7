"""Images and datasets of odd names go to labelling tools and come back."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

from icefloe.active.exchange.transfer import FORMATS, export_items, import_labels
from icefloe.active.items import NewItem, Purpose
from icefloe.active.queue import open_queue
from icefloe.active.uploads import encode_png
from icefloe.datasets.importer import import_folder
from icefloe.settings import Settings

STEMS = (
    *(
        "T=-12°C_001",
        "-12C_002",
        "50%_x",
        "ice & water",
        "[Ceta] 0001",
        "(1)",
        "x..y",
        "a.b.c",
        "it's",
        "run#3",
    ),
    *("µm_5", "氷_1", "a b", "12:30?", "[b]", "{x}", "~1", "a%20b", "q+a"),
)


def annotated(folder: Path) -> Path:
    """What Label Studio exports where somebody has accepted every prediction."""
    tasks = json.loads((folder / "tasks.json").read_text(encoding="utf-8"))
    for task in tasks:
        task["annotations"] = [{"result": task.pop("predictions")[0]["result"], "completed_by": 1}]
    path = folder / "project.json"
    path.write_text(json.dumps(tasks), encoding="utf-8")
    return path


@pytest.mark.parametrize("dataset", ["D9", "-12°C = [a] 50%"])
@pytest.mark.parametrize("format_name", FORMATS)
def test_odd_names_go_to_labelling_tools_and_back(tmp_path, format_name, dataset):
    source = tmp_path / "odd"
    source.mkdir()
    for index, stem in enumerate(STEMS):
        image = np.arange(48 * 64, dtype=np.uint16).reshape(48, 64) + index
        tifffile.imwrite(source / f"{stem}.tif", image, photometric="minisblack")
    import_folder(source, dataset, tmp_path / "data")
    queue = open_queue(Settings(workspace=tmp_path))
    mask = np.zeros((48, 64), np.uint8)
    mask[10:30, 10:40] = 1
    purpose = Purpose("random", 0.0, 1, "drawn")
    classes = ("background", "ice")
    queue.add(
        NewItem(dataset, stem, "EA-T1", mask.shape, classes, purpose, encode_png(mask)) for stem in STEMS
    )
    out = tmp_path / "out"
    assert export_items(queue, tmp_path / "data", format_name, out) == len(STEMS)
    source = annotated(out) if format_name.startswith("label-studio") else out
    taken = import_labels(queue, source, format_name, "Ada", accept_unchanged=True)
    assert len(taken.labels) == len(STEMS)
    assert {item.stem for item in queue.items("submitted")} == set(STEMS)
