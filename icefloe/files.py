"""Atomic writing, safe against killed processes: write beside, fsync, rename."""

import csv
import errno
import hashlib
import io
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from icefloe.errors import IcefloeError
from icefloe.scratch import PREFIX, put, scratch_for

LITTER = ("$recycle.bin", "@eadir", "__macosx", "desktop.ini", "ehthumbs.db", "thumbs.db")
"""What macOS, Windows and network disks leave in folders, in lower case; besides names with a leading dot."""

_WRITTEN_IN_PART = re.compile(r"\d+ requested and \d+ written")
"""What numpy's `tofile`, by which TIFFs are written, says of a full disk."""

_SAFE_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's, where it was built in, is ten times as fast; neither makes anything but plain types."""


def is_litter(name: str) -> bool:
    """Whether a file or folder of this name is an operating system's own, or hidden, and nobody's data."""
    return name.startswith(".") or name.casefold() in LITTER


def _fsync_directory(directory: Path) -> None:
    # Without it the rename itself can be lost in a power cut.
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_bytes_atomic(path: Path, data: bytes) -> None:
    """Replace `path` with `data`: afterwards there is the old file or the new one, never a part of either."""
    with named(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, beside = tempfile.mkstemp(dir=scratch_for(path), prefix=PREFIX)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(beside).chmod(0o644)  # mkstemp makes it private to this user
            put(Path(beside), path)
        except BaseException:
            Path(beside).unlink(missing_ok=True)
            raise
        _fsync_directory(path.parent)


def write_text_atomic(path: Path, text: str) -> None:
    """UTF-8 form of `write_bytes_atomic`."""
    write_bytes_atomic(path, text.encode())


@contextmanager
def atomic_directory(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """Yield an empty directory that becomes `path` on success and vanishes on an error.

    Parameters
    ----------
    path
        The directory to make.
    durable
        Wait until the disk has it; not for what can be made again in less time than that takes.

    Raises
    ------
    FileExistsError
        If `path` exists and is not an empty directory, or another process has put one there meanwhile;
        nothing is overwritten.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    beside = Path(tempfile.mkdtemp(dir=scratch_for(path), prefix=PREFIX))
    try:
        with named(path):
            yield beside
        beside.chmod(0o755)  # mkdtemp makes it private to this user
        put(beside, path)  # an empty directory at `path` is replaced
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    if durable:
        _fsync_directory(path.parent)


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Give an error of the system that names no file, such as a full disk, the one that was to be written.

    Raises
    ------
    OSError
        The same, which then names it.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None and _WRITTEN_IN_PART.fullmatch(str(error)):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error
        if error.errno is not None and error.filename is None:
            error.filename = str(path)
        raise


def read_yaml(path: Path, remedy: str = "Fix the file.") -> Any:
    """The content of a YAML file, plain types only.

    Raises
    ------
    IcefloeError
        If it is not YAML; `remedy` says what to do. A missing file is a `FileNotFoundError`.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _SAFE_LOADER)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise IcefloeError(f"{path}: not valid YAML ({' '.join(str(error).split())}). {remedy}") from error


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class GrowingTable:
    """A CSV file that rows are added to one by one, each on the disk before the next.

    Parameters
    ----------
    path
        The file; rows that are there already are kept, but for one that a killed process left half written.
    columns
        Column names, in the file's order.

    Raises
    ------
    IcefloeError
        If the file has rows of other columns.

    Attributes
    ----------
    rows
        All rows, each a mapping of column name to text.
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self.path, self.columns = path, tuple(columns)
        self.rows: list[dict[str, str]] = []
        if path.is_file():
            whole, _, _ = path.read_text(encoding="utf-8").rpartition("\n")
            reader = csv.DictReader(io.StringIO(whole))
            self.rows = list(reader)
            if self.rows and tuple(reader.fieldnames or ()) != self.columns:
                raise IcefloeError(
                    f"{path}: its columns are not those of these results ({', '.join(self.columns)}). "
                    "Move the file away, or name another folder."
                )
        self._rewrite()

    def append(self, row: Mapping[str, object]) -> None:
        """Add a row, which must have all columns."""
        text = {column: str(row[column]) for column in self.columns}
        with self.path.open("a", encoding="utf-8", newline="") as file:
            file.write(self._text([text]))
            file.flush()
            os.fsync(file.fileno())
        self.rows.append(text)

    def remove(self, row: Mapping[str, str]) -> None:
        """Take a row of `rows` out."""
        self.rows.remove(dict(row))
        self._rewrite()

    def _rewrite(self) -> None:
        header = dict(zip(self.columns, self.columns, strict=True))
        write_text_atomic(self.path, self._text([header, *self.rows]))

    def _text(self, rows: Iterable[Mapping[str, str]]) -> str:
        text = io.StringIO(newline="")
        csv.DictWriter(text, self.columns, lineterminator="\n").writerows(rows)
        return text.getvalue()
