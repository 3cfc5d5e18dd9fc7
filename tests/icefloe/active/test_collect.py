"""Collecting: each label enters the data once, killed or not."""

import multiprocessing
import os
from pathlib import Path

import numpy as np
import pytest

from icefloe.active import collect as collecting
from icefloe.active.collect import collect
from icefloe.active.items import NewItem, timestamp
from icefloe.active.labelers import TruthLabeler
from icefloe.active.origin import icefloe_version, sha256
from icefloe.active.queue import Queue
from icefloe.active.uploads import encode_png
from icefloe.datasets import versions
from icefloe.datasets.dataset import Dataset, load_datasets
from icefloe.datasets.label_history import read_history
from icefloe.datasets.label_origin import Origin
from icefloe.errors import IcefloeError

PROCESSES = multiprocessing.get_context("fork")


@pytest.fixture
def workspace(filled: Queue, tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    versions.init_workspace(folder, "")
    versions.commit(folder, "images")
    TruthLabeler().label_all(filled, load_datasets(folder / "data"))
    return folder


def check_complete(queue: Queue, workspace: Path) -> None:
    dataset = Dataset.load(workspace / "data" / "D3")
    assert [sample.stem for sample in dataset.labelled] == ["stack_0", "stack_1", "stack_2"]
    for sample in dataset.labelled:
        np.testing.assert_array_equal(sample.mask(), sample.truth())
    history = read_history(dataset.path)
    assert [(record.stem, record.author, record.source, record.seconds) for record in history] == [
        (f"stack_{number}", "truth", "simulation", 180.0) for number in range(3)
    ]
    assert len({record.time for record in history}) == 1
    current = versions.current_version(workspace)
    assert [item.data_version for item in queue.items("imported")] == [current.rev] * 3
    assert versions.is_clean(workspace)
    assert [event.what for event in queue.history()].count("imported") == 3


def test_submitted_labels_become_a_data_version_and_are_imported_once(filled, workspace):
    before = versions.current_version(workspace)
    result = collect(filled, workspace)
    assert result.keys == ("D3/stack_0", "D3/stack_1", "D3/stack_2")
    assert result.seconds == 540.0
    assert result.sentence().startswith(
        f"3 labels (9.0 min of work) are in data version {result.version.rev[:10]}"
    )
    check_complete(filled, workspace)
    difference = versions.diff(workspace, before.rev, result.version.rev)
    assert difference.labels_added == result.keys
    assert difference.images_changed == ()
    again = collect(filled, workspace)
    assert again.keys == ()
    assert again.sentence() == f"No new labels; the data version stays {result.version.rev[:10]}."


@pytest.mark.parametrize("moment", ["add_labels", "commit"])
@pytest.mark.parametrize("after", [False, True])
def test_a_collection_killed_at_any_step_is_completed_by_running_it_again(
    filled, workspace, monkeypatch, moment, after
):
    real = getattr(collecting, moment)

    def killed(*arguments, **keywords):
        if after:
            real(*arguments, **keywords)
        os._exit(9)  # as SIGKILL does: nothing is cleaned up

    def run() -> None:
        monkeypatch.setattr(collecting, moment, killed)
        collect(filled, workspace)

    process = PROCESSES.Process(target=run)
    process.start()
    process.join(60)
    assert process.exitcode == 9
    assert len(filled.items("submitted")) == 3
    result = collect(filled, workspace)
    assert len(result.keys) == 3
    check_complete(filled, workspace)


def test_two_collections_at_once_make_one_data_version(filled, workspace):
    start, told = PROCESSES.Event(), PROCESSES.Queue()

    def run() -> None:
        start.wait()
        told.put(len(collect(filled, workspace).keys))

    processes = [PROCESSES.Process(target=run) for _ in range(2)]
    for process in processes:
        process.start()
    start.set()
    assert sorted(told.get(timeout=120) for _ in processes) == [0, 3]
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    check_complete(filled, workspace)


def test_labels_of_several_authors_are_kept_apart_but_come_in_at_one_time(filled, tmp_path):
    folder = tmp_path / "workspace"
    versions.init_workspace(folder, "")
    for author in ("ann", "bob"):
        filled.submit(filled.lease(author).token, encode_png(np.ones((96, 128), np.uint8)), 60)
    collect(filled, folder, "first labels")
    history = read_history(folder / "data" / "D3")
    assert [(record.stem, record.author) for record in history] == [("stack_0", "ann"), ("stack_1", "bob")]
    assert len({record.time for record in history}) == 1


def test_labels_of_a_lost_image_stay_submitted(filled, workspace):
    (workspace / "data" / "D3" / "images" / "stack_1.tif").unlink()
    with pytest.raises(IcefloeError, match="a label for 'stack_1', but no such image"):
        collect(filled, workspace)
    assert len(filled.items("submitted")) == 3
    assert Dataset.load(workspace / "data" / "D3").labelled == ()


def test_the_data_know_how_each_label_came_about(filled, tmp_path):
    folder = tmp_path / "workspace"
    versions.init_workspace(folder, "")
    item = filled.items()[0]
    new = NewItem("D3", "stack_3", "EA-T2", item.shape, item.classes, item.purpose, third_below=1.0)
    filled.add([new])
    one, other = np.zeros((2, 96, 128), np.uint8)
    other[:40] = 1
    (both,) = (item.id for item in filled.items() if item.third_below)
    for who, mask in (("ann", one), ("bob", other), ("cem", other)):
        filled.submit(filled.lease(who, item_id=both).token, encode_png(mask), 60, client="editor 12ab")
    filled.submit(filled.lease("ann").token, encode_png(one), 30, client="editor 12ab")
    collect(filled, folder)
    history = {record.stem: record for record in read_history(folder / "data" / "D3")}
    decided, single = history["stack_3"], history["stack_0"]
    assert (decided.author, decided.making.others, decided.making.agreement) == ("cem", "ann and bob", 0.0)
    assert decided.making.origin == Origin(None, None, "editor 12ab", icefloe_version())
    assert single.making.origin.presegmentation == sha256(filled.presegmentation(item.id))
    (label,) = (label for label in filled.labels("imported") if label.item_id == item.id)
    assert single.making.made == timestamp(label.time)
    assert (single.making.others, single.making.agreement) == (None, None)
