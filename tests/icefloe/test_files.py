"""Files are the old or the new, never a part of either."""

import hashlib
import stat

import pytest

from icefloe import files
from icefloe.errors import IcefloeError
from icefloe.files import (
    GrowingTable,
    atomic_directory,
    sha256_file,
    write_bytes_atomic,
    write_text_atomic,
)


def test_writing_makes_missing_folders_and_replaces(tmp_path):
    path = tmp_path / "a" / "b.txt"
    write_text_atomic(path, "old")
    write_text_atomic(path, "µ new")

    assert path.read_bytes() == "µ new".encode()
    assert [entry.name for entry in path.parent.iterdir()] == ["b.txt"]


def test_a_file_written_can_be_read_by_others(tmp_path):
    write_bytes_atomic(tmp_path / "a", b"x")

    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o644


def test_when_writing_fails_the_old_file_stays_and_nothing_lies_beside_it(tmp_path, monkeypatch):
    path = tmp_path / "a"
    write_bytes_atomic(path, b"old")

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_bytes_atomic(path, b"new")

    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("exists", [False, True])
def test_a_directory_appears_whole(tmp_path, exists):
    path = tmp_path / "made" / "it"
    if exists:
        path.mkdir(parents=True)
    with atomic_directory(path) as beside:
        (beside / "file").write_text("x")
        assert not path.exists() or not any(path.iterdir())

    assert (path / "file").read_text() == "x"
    assert stat.S_IMODE(path.stat().st_mode) == 0o755
    assert [entry.name for entry in path.parent.iterdir()] == ["it"]


@pytest.mark.parametrize("reason", [ValueError, KeyboardInterrupt])
def test_an_interrupted_directory_leaves_nothing(tmp_path, reason):
    def interrupted(path):
        with atomic_directory(path) as beside:
            (beside / "half").write_text("x")
            raise reason

    with pytest.raises(reason):
        interrupted(tmp_path / "it")

    assert list(tmp_path.iterdir()) == []


def test_a_directory_in_use_or_a_file_is_never_replaced(tmp_path):
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "mine").write_text("x")
    (tmp_path / "file").write_text("x")

    for name in ("used", "file"):
        with pytest.raises(FileExistsError), atomic_directory(tmp_path / name):
            raise AssertionError("the block must not run")

    assert (tmp_path / "used" / "mine").read_text() == "x"


def test_the_hash_is_that_of_the_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"ice" * 100_000)

    assert sha256_file(tmp_path / "a") == hashlib.sha256(b"ice" * 100_000).hexdigest()


def test_a_growing_table_keeps_its_rows_from_run_to_run(tmp_path):
    first = GrowingTable(tmp_path / "t.csv", ("name", "n"))
    first.append({"n": 1, "name": 'says "a, b"'})
    first.append({"n": 2, "name": "µ"})
    again = GrowingTable(tmp_path / "t.csv", ("name", "n"))
    assert again.rows == first.rows == [{"name": 'says "a, b"', "n": "1"}, {"name": "µ", "n": "2"}]
    again.remove(again.rows[0])
    assert (tmp_path / "t.csv").read_text(encoding="utf-8") == "name,n\nµ,2\n"


@pytest.mark.parametrize("n_bytes", range(1, 17))
def test_a_row_that_a_killed_process_left_half_written_is_no_row(tmp_path, n_bytes):
    path = tmp_path / "t.csv"
    table = GrowingTable(path, ("name", "n"))
    table.append({"name": "a", "n": 1})
    table.append({"name": "b", "n": 22})
    path.write_bytes(path.read_bytes()[:-n_bytes])

    after = GrowingTable(path, ("name", "n"))
    expected = [{"name": "a", "n": "1"}] if n_bytes <= 5 else []
    assert after.rows == expected
    after.append({"name": "c", "n": 3})
    assert GrowingTable(path, ("name", "n")).rows == [*expected, {"name": "c", "n": "3"}]


def test_a_table_of_other_columns_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "scores.csv"
    GrowingTable(path, ("image", "uq")).append({"image": "a.tif", "uq": 0.25})
    with pytest.raises(
        IcefloeError, match=r"its columns are not those of these results \(image, area\)\. Move the file"
    ):
        GrowingTable(path, ("image", "area"))
    assert path.read_text() == "image,uq\na.tif,0.25\n"
