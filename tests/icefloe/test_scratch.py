"""What a killed process leaves lies in the scratch; the next command removes it, if nobody writes it."""

import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from icefloe import scratch
from icefloe.files import atomic_directory, write_bytes_atomic
from icefloe.scratch import SCRATCH, clean_scratch, put

WRITES_FOR_EVER = """
import sys, time
from pathlib import Path
from icefloe.files import atomic_directory
with atomic_directory(Path(sys.argv[1]) / "data" / "D9") as folder:
    (folder / "half").write_text("x")
    print("writing", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "icefloe.toml").touch()
    (tmp_path / "data").mkdir()
    return tmp_path


@pytest.fixture
def writer(workspace):
    """A process in the middle of writing `data/D9`."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITES_FOR_EVER, str(workspace)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    yield process
    process.kill()
    process.wait()


def halves(workspace: Path) -> list[Path]:
    return list((workspace / SCRATCH).glob("*/*/half"))


def test_what_is_being_written_is_not_in_data(workspace, writer):
    assert list((workspace / "data").iterdir()) == []
    assert len(halves(workspace)) == 1


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_leftovers_are_removed_when_their_owner_is_dead_and_only_then(workspace, writer, how):
    clean_scratch(workspace)
    assert len(halves(workspace)) == 1

    writer.send_signal(how)
    writer.wait()
    clean_scratch(workspace)
    assert halves(workspace) == []
    assert [entry.name for entry in (workspace / SCRATCH).iterdir() if entry.is_dir()] == []


def test_on_a_disk_of_their_own_the_data_have_a_scratch_of_their_own(workspace):
    here, places = workspace.stat().st_dev, (Path("/dev/shm"), Path("/var/tmp"))
    other = next((one for one in places if one.is_dir() and one.stat().st_dev != here), None)
    if other is None:
        pytest.skip("there is no second file system here")
    with tempfile.TemporaryDirectory(dir=other) as state:
        (workspace / ".icefloe").symlink_to(state)
        with atomic_directory(workspace / "data" / "D1") as folder:
            assert folder.is_relative_to(workspace / "data" / ".icefloe-scratch")
            (folder / "a").write_text("x")
        (workspace / "data" / ".icefloe-scratch" / "1-dead").mkdir()
        clean_scratch(workspace)
        assert not (workspace / "data" / ".icefloe-scratch" / "1-dead").exists()
        assert (workspace / "data" / "D1" / "a").read_text() == "x"


def test_a_forked_process_has_a_scratch_of_its_own(workspace):
    write_bytes_atomic(workspace / "a", b"a")
    child = multiprocessing.get_context("fork").Process(
        target=write_bytes_atomic, args=(workspace / "b", b"b")
    )
    child.start()
    child.join()
    assert child.exitcode == 0
    clean_scratch(workspace)
    write_bytes_atomic(workspace / "c", b"c")
    assert (workspace / "b").read_bytes() + (workspace / "c").read_bytes() == b"bc"


def test_a_scratch_that_somebody_removed_is_made_again(workspace):
    write_bytes_atomic(workspace / "a", b"old")
    subprocess.run(["rm", "-r", workspace / ".icefloe"], check=True)
    write_bytes_atomic(workspace / "a", b"new")
    assert (workspace / "a").read_bytes() == b"new"


def test_a_name_as_long_as_the_file_system_allows_can_be_written(tmp_path):
    path = tmp_path / ("x" * 255)
    write_bytes_atomic(path, b"x")
    assert path.read_bytes() == b"x"


@pytest.mark.parametrize("is_folder", [False, True])
def test_between_two_mounts_of_one_disk_it_is_copied(tmp_path, monkeypatch, is_folder):
    written, path = tmp_path / "written", tmp_path / "place"
    if is_folder:
        written.mkdir()
        (written / "a").write_text("x")
    else:
        written.write_text("x")
    rename = Path.replace

    def crossing(source, target):
        if source == written:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), str(source))
        return rename(source, target)

    monkeypatch.setattr(scratch.Path, "replace", crossing)
    put(written, path)
    assert (path / "a" if is_folder else path).read_text() == "x"
    assert [entry.name for entry in tmp_path.iterdir()] == ["place"]


def test_of_two_that_make_one_folder_one_wins_and_the_other_is_told(workspace):
    path = workspace / "data" / "D1"

    def make(content, meanwhile=lambda: None):
        with atomic_directory(path) as folder:
            meanwhile()
            (folder / "mine").write_text(content)

    with pytest.raises(FileExistsError) as told:
        make("late", meanwhile=lambda: make("early"))
    assert told.value.filename == str(path)
    assert (path / "mine").read_text() == "early"
    assert list((workspace / SCRATCH).glob("*/*/mine")) == []


def test_cleaning_where_nothing_was_left_takes_no_time(workspace):
    write_bytes_atomic(workspace / "a", b"x")
    began = time.perf_counter()
    for _ in range(100):
        clean_scratch(workspace)
    assert (time.perf_counter() - began) / 100 < 0.05
