"""What a person names: a file, a folder or a ZIP, of which nothing leads elsewhere or fills the memory."""

import json
import os
import stat
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from icefloe.active.exchange import sources
from icefloe.active.exchange.sources import open_source
from icefloe.datasets.labels import write_labelme
from icefloe.errors import IcefloeError


@pytest.fixture
def labelme(tmp_path: Path, square: np.ndarray) -> bytes:
    write_labelme(tmp_path / "c_2.json", "c_2.png", square.astype(np.uint8), ("background", "ice"))
    return (tmp_path / "c_2.json").read_bytes()


@pytest.fixture
def pack(tmp_path: Path) -> Callable[..., Path]:
    def run(entries: dict[str, bytes]) -> Path:
        path = tmp_path / "tasks.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in entries.items():
                archive.writestr(name, content)
        return path

    return run


@pytest.mark.parametrize(
    "name", ["Q/c_2.json", "tasks/Q/c_2.json", "c_2.json", "Q\\c_2.JSON", "labels/c_2.json"]
)
def test_a_zip_is_read_as_the_folder_that_was_packed(take, pack, labelme, square, name):
    masks, said = take(pack({name: labelme}), "labelme")
    np.testing.assert_array_equal(masks["Q/c_2"], square)
    assert said == ("1 label imported.",)


@pytest.mark.parametrize("place", ["Q/c_2.json", "c_2.JSON", "c_2.json"])
def test_one_file_is_read_by_itself(take, tmp_path, labelme, square, place):
    path = tmp_path / "x" / place
    path.parent.mkdir(parents=True)
    path.write_bytes(labelme)
    np.testing.assert_array_equal(take(path, "labelme")[0]["Q/c_2"], square)


def test_what_systems_leave_beside_files_is_no_label(take, pack, tmp_path, labelme):
    litter = (
        "Q/._c_2.json",
        "__MACOSX/Q/._c_2.json",
        "Q/.DS_Store",
        "Thumbs.db",
        "Q/desktop.ini",
        ".git/config",
    )
    packed = pack({"Q/c_2.json": labelme, **dict.fromkeys(litter, b"\0\5\x16\7")})
    assert take(packed, "labelme")[1] == ("1 label imported.",)
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(tmp_path / "folder")
    assert take(tmp_path / "folder", "labelme")[1] == ("1 label imported.",)


@pytest.mark.parametrize(
    "name", ["../Q/c_2.json", "/etc/c_2.json", "C:\\Q\\c_2.json", "Q/..\\..\\c_2.json", "//h/c_2.json"]
)
def test_a_zip_that_leads_out_of_its_folder_is_refused(take, pack, labelme, name):
    with pytest.raises(IcefloeError, match="is not a safe name, it leads to another folder"):
        take(pack({name: labelme}), "labelme")


def test_a_link_in_a_zip_is_refused(take, tmp_path):
    path = tmp_path / "tasks.zip"
    entry = zipfile.ZipInfo("Q/c_2.json")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(IcefloeError, match=r"'Q/c_2.json' is a link, not a file. Pack the file itself."):
        take(path, "labelme")


@pytest.mark.parametrize(
    ("format_name", "name"),
    [("labelme", "Q/c_2.json"), ("coco", "a.json"), ("png", "masks/Q/c_2.png"), ("png", "items.csv")],
)
def test_a_zip_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(take, pack, format_name, name):
    path = pack({name: b"[]"})
    data = bytearray(path.read_bytes())
    size_told = data.index(b"PK\1\2") + 24
    data[size_told : size_told + 4] = (520 * 2**20).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(
        IcefloeError, match=rf"{name}: 520 MiB, more than the \d+ allowed. Export the labels in"
    ):
        take(path, format_name)


def test_an_entry_that_is_larger_than_it_says_is_refused(take, pack, labelme):
    path = pack({"Q/c_2.json": labelme})
    told, really = (len(labelme) - 5).to_bytes(4, "little"), len(labelme).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(really, told))
    with pytest.raises(IcefloeError, match=r"Q/c_2.json: can't be unpacked|not valid JSON"):
        take(path, "labelme")


def test_a_file_too_large_on_the_disk_is_refused_before_it_is_read(take, tmp_path):
    path = tmp_path / "a.json"
    with path.open("wb") as file:
        file.truncate(513 * 2**20)
    with pytest.raises(IcefloeError, match="513 MiB, more than the 512 allowed"):
        take(path, "coco")


def test_a_zip_of_too_many_files_is_refused(monkeypatch, take, pack, labelme):
    monkeypatch.setattr(sources, "MAX_FILES", 2)
    with pytest.raises(IcefloeError, match="3 files, more than the 2 allowed"):
        take(pack({"Q/c_2.json": labelme, "Q/a": b"", "Q/b": b""}), "labelme")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_entries_of_one_name_are_refused(take, tmp_path, labelme):
    path = tmp_path / "tasks.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Q/c_2.json", labelme)
        archive.writestr("Q/c_2.json", labelme)
    with pytest.raises(IcefloeError, match=r"'Q/c_2.json' is in it twice"):
        take(path, "labelme")


def test_a_locked_entry_is_told(take, pack, labelme):
    path = pack({"Q/c_2.json": labelme})
    data = bytearray(path.read_bytes())
    data[6] |= 1  # the flag, in the entry itself and in the directory
    data[data.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(IcefloeError, match=r"'Q/c_2.json' is locked with a password"):
        take(path, "labelme")


@pytest.mark.parametrize("cut", [10, 60, 200, -30])
def test_a_damaged_zip_is_told_in_one_line(take, pack, labelme, cut):
    path = pack({"Q/c_2.json": labelme})
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(IcefloeError, match="the ZIP is damaged") as error:
        take(path, "labelme")
    assert "\n" not in str(error.value)


def test_bytes_of_an_entry_that_are_damaged_are_told(take, pack, labelme):
    path = pack({"Q/c_2.json": labelme})
    data = bytearray(path.read_bytes())
    data[60:70] = b"\xff" * 10
    path.write_bytes(data)
    with pytest.raises(IcefloeError, match=r"Q/c_2.json: can't be unpacked \("):
        take(path, "labelme")


def test_a_pipe_or_broken_link_in_a_folder_is_passed_over(tmp_path):
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "gone.json").symlink_to("nowhere")
    assert open_source(tmp_path).files == ()


def test_a_file_name_that_is_not_utf_8_is_told_in_one_line(take, tmp_path, labelme):
    folder = tmp_path / "tasks"
    folder.mkdir()
    (folder / os.fsdecode(b"bild_\xe4.json")).write_bytes(labelme)
    with pytest.raises(IcefloeError, match="bild_\N{REPLACEMENT CHARACTER} is not in the queue") as error:
        take(folder, "labelme")
    assert str(error.value).isprintable()


def test_another_archive_is_told(take, tmp_path):
    path = tmp_path / "tasks.7z"
    path.write_bytes(b"7z")
    with pytest.raises(IcefloeError, match=r"an archive other than ZIP. Unpack it, and name the folder."):
        take(path, "labelme")


def test_a_file_from_the_future_is_labelled_now(take, make_queue, tmp_path, labelme):
    os.utime(tmp_path / "c_2.json", (9e9, 9e9))
    queue = make_queue()
    take(tmp_path / "c_2.json", "labelme", queue)
    assert queue.labels()[0].time <= time.time()


def test_a_folder_of_several_json_files_does_not_say_which(take, tmp_path):
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text(json.dumps([]))
    with pytest.raises(IcefloeError, match=r"2 JSON files in it: a.json, b.json. Name the file"):
        take(tmp_path, "label-studio")
