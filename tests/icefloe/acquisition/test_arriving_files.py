"""Files of a growing folder: each once, when it is whole, and broken ones named."""

import threading
import time
from itertools import islice

import numpy as np
import pytest
import tifffile

from icefloe.acquisition.arriving_files import ArrivingFiles
from icefloe.datasets.readers import read_image

TIMES = {"poll_s": 0.02, "patience_s": 0.2}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "camera").mkdir()
    return tmp_path / "camera"


@pytest.fixture
def save(folder, rng):
    def save(name):
        tifffile.imwrite(folder / name, rng.integers(0, 255, (16, 16)).astype(np.uint8))

    return save


def arriving(folder, done=(), idle_s=0.1):
    return ArrivingFiles(folder, read_image, done, idle_s, **TIMES)


def names(arrived):
    return [one.path.name for one in arrived]


def test_files_come_in_natural_order_each_once_and_litter_does_not(folder, save):
    for name in ("t10.tif", "t9.tif", "t2.tif", ".hidden.tif", "Thumbs.db"):
        save(name) if name.endswith("tif") else (folder / name).touch()
    (folder / "notes.txt").write_text("x")
    (folder / "sub").mkdir()
    found = list(arriving(folder, done=["t9.tif"]))
    assert names(found) == ["t2.tif", "t10.tif"]
    np.testing.assert_array_equal(found[0].content, read_image(folder / "t2.tif"))


def test_a_folder_and_files_that_are_still_to_come_are_waited_for(tmp_path, folder, save):
    folder.rmdir()
    following = iter(arriving(folder, idle_s=30))

    def arrive():
        folder.mkdir()
        save("b.tif")
        time.sleep(0.2)
        save("a.tif")

    timer = threading.Timer(0.1, arrive)
    timer.start()
    assert names(islice(following, 2)) == ["b.tif", "a.tif"]
    timer.join()


def test_a_file_that_is_half_written_is_waited_for(folder, save):
    save("whole.tif")
    content = (folder / "whole.tif").read_bytes()
    growing = folder / "growing.tif"
    growing.write_bytes(content[:100])
    following = iter(ArrivingFiles(folder, read_image, (), 5.0, 0.02, 5.0))

    def go_on():
        with growing.open("ab") as file:
            file.write(content[100:])

    timer = threading.Timer(0.3, go_on)
    timer.start()
    found = list(islice(following, 2))
    timer.join()
    assert names(found) == ["whole.tif", "growing.tif"]
    assert found[1].problem == ""
    np.testing.assert_array_equal(found[1].content, found[0].content)


def test_a_broken_file_is_named_once_and_again_when_it_has_changed(folder, save):
    (folder / "broken.tif").write_bytes(b"II*\0" + b"\xff" * 50)
    save("fine.tif")
    following = iter(arriving(folder, idle_s=1))
    first, second = next(following), next(following)
    assert names([first, second]) == ["fine.tif", "broken.tif"]
    assert second.content is None
    assert "broken.tif" in second.problem

    save("broken.tif")  # as when the copy is made again
    assert [(one.path.name, one.problem) for one in following] == [("broken.tif", "")]


def test_it_does_not_end_before_a_doubtful_file_is_decided(folder):
    (folder / "broken.tif").write_bytes(b"II*\0")
    assert names(arriving(folder, idle_s=0.01)) == ["broken.tif"]
