"""`icefloe queue` and the database that the settings name."""

import json
from pathlib import Path

import numpy as np
import pytest

from icefloe.active.items import NewItem, Purpose
from icefloe.active.queue import open_queue
from icefloe.active.uploads import encode_png
from icefloe.settings import load_settings


def test_an_empty_queue_is_listed(cli, workspace):
    outcome = cli("-C", workspace, "queue", "list")
    assert outcome.code == 0
    assert "0 waiting, 0 being labelled" in outcome.out
    assert (workspace / ".icefloe" / "queue.db").is_file()


def test_the_queue_is_in_the_database_that_the_settings_name(cli, workspace):
    (workspace / "icefloe.toml").write_text('database_url = "sqlite:///state/icefloe.db"\n')

    assert cli("-C", workspace, "queue", "list").code == 0

    assert open_queue(load_settings(workspace)).name == str(workspace / "state" / "icefloe.db")
    assert (workspace / "state" / "icefloe.db").is_file()
    assert not (workspace / ".icefloe" / "queue.db").exists()


def test_a_database_out_of_reach_is_one_line_without_the_password(cli, workspace):
    url = "postgresql+psycopg://ana:s3cret@127.0.0.1:1/icefloe"
    (workspace / "icefloe.toml").write_text(f'database_url = "{url}"\n')

    outcome = cli("-C", workspace, "queue", "list")

    assert outcome.refusal.startswith("postgresql://ana@127.0.0.1:1/icefloe: connection failed: ")
    assert "s3cret" not in outcome.out + outcome.err


@pytest.fixture
def coco(workspace: Path) -> Path:
    """A queue in which D/a, D/b and D/c wait, and a COCO file in which only D/a is outlined."""
    purpose = Purpose("random", 0.5, 1, "drawn at random")
    open_queue(load_settings(workspace)).add(
        NewItem("D", stem, "EA-T1", (64, 80), ("background", "ice"), purpose) for stem in "abc"
    )
    content = {
        "images": [{"id": number, "file_name": f"D/{stem}.png"} for number, stem in enumerate(["a", "[b]"])],
        "annotations": [{"id": 1, "image_id": 0, "category_id": 1, "segmentation": [[10, 8, 40, 8, 40, 30]]}],
        "categories": [{"id": 1, "name": "ice [old]"}],
    }
    path = workspace / "annotations.json"
    path.write_text(json.dumps(content))
    return path


def test_an_import_says_what_it_took_decided_and_left_out(cli, workspace, coco):
    outcome = cli("-C", workspace, "queue", "import", "coco", coco, "--author", "Ana")

    assert outcome.code == 0
    assert outcome.out.splitlines() == [
        "1 label imported.",
        "Outlines named 'ice [old]' are taken as 'ice'.",
        "1 not taken (nobody outlined anything): D/[b].png",
    ]


def test_a_strict_import_refuses_what_it_would_leave_out(cli, workspace, coco):
    outcome = cli("-C", workspace, "queue", "import", "coco", coco, "--author", "Ana", "--strict")

    assert outcome.refusal == (
        f"{coco}: 1 not taken (nobody outlined anything): D/[b].png. "
        "Nothing was imported; label or remove them, or leave out --strict."
    )
    assert open_queue(load_settings(workspace)).labels() == []


def test_agreement_says_that_nothing_can_be_compared_and_how_it_could(cli, workspace, coco):
    outcome = cli("-C", workspace, "queue", "agreement")
    assert outcome.code == 0
    assert "no image went to two people" in " ".join(outcome.out.split())
    assert "sampling.labelling" in outcome.out


def test_agreement_lists_images_that_two_people_labelled(cli, workspace):
    queue = open_queue(load_settings(workspace))
    purpose = Purpose("random", 0.5, 1, "drawn at random")
    queue.add([NewItem("D", "a", "EA-T1", (64, 80), ("background", "ice"), purpose, third_below=0.8)])
    for who, value in (("Ann", 0), ("Bob", 1)):
        queue.submit(queue.lease(who).token, encode_png(np.full((64, 80), value, np.uint8)), 60)
    outcome = cli("-C", workspace, "queue", "agreement")
    assert outcome.code == 0
    told = " ".join(outcome.out.split())
    assert "Ann and Bob" in told
    assert "Two people labelled 1 image: mean Dice 0.000, lowest 0.000 (D/a); 0 decided, and 1" in told
