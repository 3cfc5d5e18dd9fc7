"""Output of the local runner: all of it to a file, messages for the user to the progress."""

from __future__ import annotations

import errno
import io
import re
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from components.artifacts import MESSAGE_PREFIX

if TYPE_CHECKING:
    from icefloe.progress import Progress

_STARTED = re.compile(r"Executing task \S*?'([\w-]+)'")
_FINISHED = re.compile(r"Task \S*?'([\w-]+)'\S* finished with status \S*?(SUCCESS|FAILURE)")
_COLOUR = re.compile(r"\x1b\[\d+m")
_USER_ERROR = re.compile(r"icefloe\.errors\.\w+: (.*)")
_FULL_DISK = re.compile(
    rf"OSError: \[Errno (?:{errno.ENOSPC}|{errno.EDQUOT}|{errno.EFBIG})\] (.*)|database or disk is full"
)


class StepLog(io.TextIOBase):
    """Writes all output of the local runner to a file, and reports messages for the user.

    Parameters
    ----------
    path
        File for all output; an earlier one is replaced.
    progress
        Receives each step's start, end and messages.

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
        self._messages: list[str] = []
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
            with redirect_stdout(self._terminal):  # messages go to the user, not to the log
                self._read(_COLOUR.sub("", line).strip())
        return len(text)

    def close(self) -> None:
        self._file.close()
        super().close()

    def _read(self, line: str) -> None:
        if self._in_message and line:  # such as the table of members that did not pass
            self._messages.append(line)
            return
        self._in_message = False
        if started := _STARTED.search(line):
            self._messages = []
            self._since[started[1]] = time.monotonic()
            self._progress.tell(_readable(started[1]))
        elif finished := _FINISHED.search(line):
            seconds = time.monotonic() - self._since.get(finished[1], time.monotonic())
            if finished[2] == "SUCCESS":
                self._progress.tell(f"  done in {seconds:.0f} s")
            else:
                self._progress.tell(f"  failed after {seconds:.0f} s")
                if not self._failed:
                    self._failed, self.error = True, "\n".join(self._messages) or None
        elif line.startswith(MESSAGE_PREFIX):
            self._progress.tell(f"  {line.removeprefix(MESSAGE_PREFIX)}")
        elif error := _USER_ERROR.search(line):
            self._messages, self._in_message = [error[1]], True  # the last of chained errors is the outermost
        elif full := _FULL_DISK.search(line):
            self._messages = [_full_disk(full)]


def user_error(log: str) -> str | None:
    """The line for the user in what a step that failed has printed; None if there is none."""
    found = _USER_ERROR.findall(log)
    if found:
        return str(found[-1])  # the last of chained errors is the outermost
    full = _FULL_DISK.search(log)
    return _full_disk(full) if full else None


def _full_disk(found: re.Match[str]) -> str:
    return f"{found[1] or found[0]}. Make room there, then run it again: finished training is not repeated."


def _readable(task: str) -> str:
    return re.sub(r"(-\d+)+$", "", task).replace("-", " ")
