"""Images that arrive in a folder, each when it is whole."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from icefloe.datasets.dataset import natural_key
from icefloe.datasets.readers import is_readable_name
from icefloe.datasets.recordings.arriving import POLL_S
from icefloe.errors import IcefloeError
from icefloe.files import is_litter

PATIENCE_S = 10.0
"""A file that can't be read, and has not changed for so long, is broken."""

Content = TypeVar("Content")
Look = tuple[int, int]
"""Size and time of a file."""


@dataclass(frozen=True)
class Arrived(Generic[Content]):
    """A file that has arrived.

    Attributes
    ----------
    path
        The file.
    content
        What it holds; None: it is broken.
    problem
        Why it can't be read; empty if it can.
    """

    path: Path
    content: Content | None
    problem: str = ""


class ArrivingFiles(Generic[Content]):
    """Readable files of a folder, in natural order among those there are, each once.

    A file counts when its size and time have not changed for `poll_s` and it can be read. One that can't is
    tried again when it has changed, or once more after `patience_s`; then it is handed out as broken.

    Parameters
    ----------
    folder
        It may be missing at first.
    read
        Makes the content of a file; raises an `IcefloeError` where it can't.
    done
        Names of files that are not wanted any more.
    idle_s
        End after so many seconds without a new file, once none is left that may become readable; None: never.
    poll_s, patience_s
        See above.
    """

    def __init__(
        self,
        folder: Path,
        read: Callable[[Path], Content],
        done: Collection[str] = (),
        idle_s: float | None = None,
        poll_s: float = POLL_S,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._folder, self._read, self._done = folder, read, set(done)
        self._idle_s, self._poll_s, self._patience_s = idle_s, poll_s, patience_s
        self._looks: dict[str, tuple[Look, float]] = {}
        self._tried: dict[str, Look] = {}
        self._broken: dict[str, Look] = {}

    def __iter__(self) -> Iterator[Arrived[Content]]:
        quiet_since = time.monotonic()
        while True:
            present = self._present()
            for path in present:
                arrived = self._look_at(path)
                if arrived is not None:
                    yield arrived
                    quiet_since = time.monotonic()
            is_idle = self._idle_s is not None and time.monotonic() - quiet_since > self._idle_s
            if is_idle and not any(self._is_pending(path.name) for path in present):
                return
            time.sleep(self._poll_s)

    def _present(self) -> list[Path]:
        if not self._folder.is_dir():
            return []
        return sorted(
            (
                path
                for path in self._folder.iterdir()
                if path.name not in self._done and is_readable_name(path) and not is_litter(path.name)
            ),
            key=lambda path: natural_key(path.name),
        )

    def _is_pending(self, name: str) -> bool:
        """Whether a file may still become readable."""
        return name not in self._done and (
            name not in self._broken or self._looks[name][0] != self._broken[name]
        )

    def _look_at(self, path: Path) -> Arrived[Content] | None:
        name, now = path.name, time.monotonic()
        try:
            status = path.stat()
        except FileNotFoundError:  # renamed since it was listed
            return None
        look = status.st_size, status.st_mtime_ns
        seen, since = self._looks.get(name, (None, now))
        since = since if seen == look else now
        self._looks[name] = look, since
        unchanged = now - since
        is_given_up = unchanged >= self._patience_s
        if unchanged < self._poll_s or self._broken.get(name) == look:
            return None
        if self._tried.get(name) == look and not is_given_up:
            return None
        self._tried[name] = look
        try:
            content = self._read(path)
        except IcefloeError as error:
            if not is_given_up:
                return None
            self._broken[name] = look
            return Arrived(path, None, str(error))
        self._done.add(name)
        return Arrived(path, content)
