"""Where checkpoints are: named files below a place, each whole or not at all, in a folder or on S3."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from icefloe.errors import ConflictError
from icefloe.files import named, write_bytes_atomic
from icefloe.s3.address import is_on_s3, open_s3

if TYPE_CHECKING:
    from icefloe.s3.folder import Found
    from icefloe.typing import Place


class Store(Protocol):
    """Named files below one place. Several processes may read them while one writes."""

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""

    def local(self, name: str) -> Path | None:
        """A path with the file's present content; None: there is no such file.

        The path is good until this process ends, or this store is asked for a newer content of the file.
        """

    def write(self, name: str, content: bytes) -> None:
        """Write a file, or replace it: others see the old content or the new.

        Raises
        ------
        ConflictError
            If, as far as the store can tell, another process has written it since this one last read or wrote
            it; its content stays.
        """

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""

    def address(self, name: str) -> str:
        """Where a file is, for messages."""


def open_store(place: Place) -> Store:
    """The files below a folder, or below `s3://bucket/prefix`.

    Raises
    ------
    IcefloeError
        If it is on S3 and that can't be used.
    """
    return S3Store(str(place)) if is_on_s3(place) else FolderStore(Path(place))


def below(place: Place, name: str) -> Place:
    """A place below another."""
    return f"{str(place).rstrip('/')}/{name}" if is_on_s3(place) else Path(place).absolute() / name


class FolderStore:
    """Files in a folder, which is made when the first is written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def exists(self, name: str) -> bool:
        return (self._folder / name).is_file()

    def local(self, name: str) -> Path | None:
        return self._folder / name if self.exists(name) else None

    def write(self, name: str, content: bytes) -> None:
        write_bytes_atomic(self._folder / name, content)

    def remove(self, name: str) -> None:
        (self._folder / name).unlink(missing_ok=True)

    def address(self, name: str) -> str:
        return str(self._folder / name)


@cache
def _copies() -> tempfile.TemporaryDirectory[str]:
    """This process's copies of objects; removed when it ends."""
    return tempfile.TemporaryDirectory(prefix="icefloe-")


class S3Store:
    """Objects below a prefix; what is read is copied to a temporary folder, once while it stays the same.

    Parameters
    ----------
    address
        `s3://bucket/prefix`.
    """

    def __init__(self, address: str) -> None:
        self._objects = open_s3(address)
        self._copies = Path(tempfile.mkdtemp(dir=_copies().name))
        self._copied: dict[str, str] = {}
        self._known: dict[str, str | None] = {}

    def exists(self, name: str) -> bool:
        return self._find(name) is not None

    def local(self, name: str) -> Path | None:
        path = self._copies / name
        while (found := self._find(name)) is not None:
            if self._copied.get(name) != found.etag:
                try:
                    self._objects.download(found, path)
                except ConflictError:  # replaced meanwhile: the newer one, then
                    continue
                self._copied[name] = found.etag
            return path
        return None

    def write(self, name: str, content: bytes) -> None:
        if name not in self._known:
            self._find(name)
        with named(self._copies), tempfile.NamedTemporaryFile(dir=self._copies) as file:
            file.write(content)
            file.flush()
            replaces = self._known.pop(name)  # after a failure the store is asked again
            self._objects.upload(Path(file.name), name, replaces)
        self._find(name)

    def remove(self, name: str) -> None:
        self._objects.remove(name)
        self._known[name] = None

    def address(self, name: str) -> str:
        return self._objects.address(name)

    def _find(self, name: str) -> Found | None:
        found = self._objects.find(name)
        self._known[name] = found.etag if found else None
        return found
