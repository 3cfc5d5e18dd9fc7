"""Bells between the processes of one machine, so that nobody has to look at the jobs all the time.

Whoever waits has a pipe of its own in a folder of the workspace, and every pipe there is written to. On
other machines nothing is heard: those who wait there look now and then, as they do here where a pipe cannot
be made.
"""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from icefloe.settings import Settings

News = Literal["asked", "over"]
"""A job is to be done, or has ended."""


class Bell:
    """Rings when there is news; wait for it by its file number.

    Parameters
    ----------
    path
        Where its pipe is to be.
    """

    def __init__(self, path: Path) -> None:
        self._path: Path | None = path
        self._descriptors: tuple[int, ...]
        beside = path.with_name(f".{path.name}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.mkfifo(beside, 0o600)
            # Open before others see it, and by a writer too: a pipe without one is always at its end.
            self._descriptors = (os.open(beside, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC),)
            beside.rename(path)
        except OSError:  # such as a file system without pipes
            with suppress(OSError):
                beside.unlink()
            self._path = None
            self._descriptors = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def fileno(self) -> int:
        """Number of the file that can be read from once it has rung."""
        return self._descriptors[0]

    def hush(self) -> None:
        """Forget that it has rung."""
        with suppress(BlockingIOError):
            while len(os.read(self.fileno(), 4096)) == 4096:
                pass

    def close(self) -> None:
        """Take it away."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)
        for descriptor in self._descriptors:
            os.close(descriptor)


class Bells:
    """A folder of bells.

    Parameters
    ----------
    folder
        Where their pipes are.
    """

    def __init__(self, folder: Path) -> None:
        self._root = folder

    @classmethod
    def of(cls, settings: Settings) -> "Bells":
        """Those of a workspace."""
        return cls(settings.state / "served" / "bells")

    def ring(self, news: News) -> None:
        """Tell all who wait for this news; it never fails, since they look now and then anyway."""
        with suppress(OSError):
            for path in (self._root / news).iterdir():
                if not path.name.startswith("."):
                    _ring(path)

    @contextmanager
    def heard(self, news: News) -> Iterator[Bell]:
        """A bell that rings for this news from now on."""
        bell = Bell(self._root / news / f"{os.getpid()}-{secrets.token_hex(4)}")
        try:
            yield bell
        finally:
            bell.close()


def _ring(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ENXIO:  # whoever waited was killed
            path.unlink(missing_ok=True)
        return
    try:
        with suppress(OSError):  # one that is full has rung often enough
            os.write(descriptor, b"\0")
    finally:
        os.close(descriptor)
