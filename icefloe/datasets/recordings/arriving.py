"""Frames of a recording that is still being made."""

import time
from collections.abc import Iterator
from pathlib import Path

from icefloe.datasets.recordings.folder import FolderRecording, files_in_order, folder_of, in_order
from icefloe.datasets.recordings.opening import is_recording_name, open_recording
from icefloe.datasets.recordings.recording import Frame, Recording
from icefloe.errors import IcefloeError

POLL_S = 0.5


class ArrivingFrames:
    """A growing file, or a folder that files arrive in.

    A frame of a growing file counts when all its pixels are there; a file in a folder when its size and time
    have not changed for `poll_s` and the files before it in natural order have been read.

    Parameters
    ----------
    path
        File (`opening.CAN_GROW`) or folder; it may be missing at first.
    idle_s
        Seconds without a new frame after which the recording is held to be over.
    poll_s
        Seconds between two looks.

    Attributes
    ----------
    late
        Files that arrived after their turn in a folder, and were left out.
    """

    def __init__(self, path: Path, idle_s: float, poll_s: float = POLL_S) -> None:
        self.path = path
        self.late: set[Path] = set()
        self._idle_s, self._poll_s = idle_s, poll_s
        self._taken: list[Path] = []
        self._taken_set: set[Path] = set()
        self._looks: dict[Path, tuple[tuple[int, int], float]] = {}

    def recording(self) -> Recording:
        """What is known of the recording as soon as its first frame is there.

        Raises
        ------
        IcefloeError
            If none comes in time.
        """
        deadline = time.monotonic() + self._idle_s
        while True:
            try:
                return self._now()
            except IcefloeError as error:
                if time.monotonic() > deadline:
                    raise IcefloeError(f"No frame came in {self._idle_s:g} s. {error}") from error
            time.sleep(self._poll_s)

    def frames(self, start: int = 0) -> Iterator[Frame]:
        """Frames from index `start` on, as they arrive; ends when none has come for `idle_s`.

        Raises
        ------
        IcefloeError
            If what has arrived can't be read, and still can't after `idle_s`.
        """
        n_read, quiet_since = start, time.monotonic()
        while True:
            problem = None
            try:
                for frame in self._now().frames(n_read):
                    yield frame
                    n_read, quiet_since = n_read + 1, time.monotonic()
            except IcefloeError as error:  # may be a file that is being written
                problem = error
            if time.monotonic() - quiet_since > self._idle_s:
                if problem:
                    raise problem
                return
            time.sleep(self._poll_s)

    def _now(self) -> Recording:
        if self.path.suffix and not self.path.is_dir():
            return open_recording(self.path, growing=True)
        return self._folder_now()

    def _folder_now(self) -> FolderRecording:
        present = files_in_order(self.path, is_recording_name) if self.path.is_dir() else ()
        new = [path for path in present if path not in self._taken_set]
        if self._taken:
            passed = in_order(self.path, self._taken[-1])
            self.late.update(path for path in new if in_order(self.path, path) < passed)
            new = [path for path in new if path not in self.late]
        settled = [self._is_settled(path) for path in new]
        arrived = new[: settled.index(False) if False in settled else None]
        self._taken += arrived
        self._taken_set.update(arrived)
        if not self._taken:
            raise IcefloeError(f"{self.path}: no frame is in this folder. Check the name.")
        return folder_of(self.path, tuple(self._taken), open_recording)

    def _is_settled(self, path: Path) -> bool:
        now = time.monotonic()
        try:
            status = path.stat()
        except FileNotFoundError:  # renamed since it was listed
            return False
        look = (status.st_size, status.st_mtime_ns)
        seen, since = self._looks.get(path, (None, now))
        if seen != look:
            since = now
        self._looks[path] = (look, since)
        return now - since >= self._poll_s
