"""What the local runner prints: all of it into a file, what a person wants to know to the progress."""

from __future__ import annotations

import io
import re
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from components.artifacts import TOLD

if TYPE_CHECKING:
    from icefloe.progress import Progress

_STARTED = re.compile(r"Executing task \S*?'([\w-]+)'")
_FINISHED = re.compile(r"Task \S*?'([\w-]+)'\S* finished with status \S*?(SUCCESS|FAILURE)")
_COLOUR = re.compile(r"\x1b\[\d+m")
_USER_ERROR = re.compile(r"icefloe\.errors\.IcefloeError: (.*)")


class StepLog(io.TextIOBase):
    """Keeps everything the local runner prints, and tells what a person wants to see.

    Parameters
    ----------
    path
        The file.
    progress
        Told of each step's start, end and own lines.

    Attributes
    ----------
    error
        Message of the first step that failed; None if it left none. The runner goes on with steps that do not
        need the failed one, and what those say afterwards is seldom the reason.
    """

    def __init__(self, path: Path, progress: Progress) -> None:
        self._file = path.open("w", encoding="utf-8")
        self._progress = progress
        self._terminal = sys.stdout
        self._rest = ""
        self._since: dict[str, float] = {}
        self._told: list[str] = []
        self._in_message = False
        self._failed = False
        self.error: str | None = None

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._file.write(text)
        self._file.flush()
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            with redirect_stdout(self._terminal):  # what is told goes to the person, not to the log
                self._read(_COLOUR.sub("", line).strip())
        return len(text)

    def close(self) -> None:
        self._file.close()
        super().close()

    def _read(self, line: str) -> None:
        if self._in_message and line:  # such as the table of members that did not pass
            self._told.append(line)
            return
        self._in_message = False
        if started := _STARTED.search(line):
            self._told = []
            self._since[started[1]] = time.monotonic()
            self._progress.tell(_readable(started[1]))
        elif finished := _FINISHED.search(line):
            seconds = time.monotonic() - self._since.get(finished[1], time.monotonic())
            if finished[2] == "SUCCESS":
                self._progress.tell(f"  done in {seconds:.0f} s")
            else:
                self._progress.tell(f"  failed after {seconds:.0f} s")
                if not self._failed:
                    self._failed, self.error = True, "\n".join(self._told) or None
        elif line.startswith(TOLD):
            self._progress.tell(f"  {line.removeprefix(TOLD)}")
        elif error := _USER_ERROR.search(line):
            self._told, self._in_message = [error[1]], True  # the last of chained errors is the outermost


def _readable(task: str) -> str:
    return re.sub(r"(-\d+)+$", "", task).replace("-", " ")
