"""Time that a method takes. Nothing but the standard library: other projects' environments use it, too."""

import json
import os
import time
from pathlib import Path
from typing import Any

TRAINED, ABOUT = "trained.json", "about.json"


class Clock:
    """Time of the parts of a job; the first part starts when this is made.

    Parameters
    ----------
    folder
        Where what was measured is written.
    minutes
        Allowed for the training.
    threads
        Cores that the process is bound to.
    by_cpu
        Count CPU time by core rather than wall time.
    """

    def __init__(self, folder: Path, minutes: float, threads: int, by_cpu: bool) -> None:
        self._folder, self._allowed_s, self._threads = folder, 60 * minutes, threads if by_cpu else 0
        self._began, self._cpu, self._trained = time.perf_counter(), _cpu_s(), 0.0

    @property
    def seconds(self) -> float:
        """Wall time since the start."""
        return time.perf_counter() - self._began

    @property
    def share(self) -> float:
        """Part of the minutes allowed that is used up."""
        used = (_cpu_s() - self._cpu) / self._threads if self._threads else self.seconds
        return used / self._allowed_s

    def trained(self) -> None:
        """The training is over: what follows is prediction."""
        self._trained = self.seconds
        (self._folder / TRAINED).write_text(json.dumps(self._trained), encoding="utf-8")

    def predicted(self, **details: Any) -> None:
        """All is done; `details` go into the cell as they are."""
        about = {"training_s": self._trained, "prediction_s": self.seconds - self._trained, **details}
        (self._folder / ABOUT).write_text(json.dumps(about), encoding="utf-8")


def _cpu_s() -> float:
    """CPU time of this process and of those of its children that have ended."""
    return sum(os.times()[:4])
