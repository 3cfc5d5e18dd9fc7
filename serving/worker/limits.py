"""What a worker's child may use of the machine, or of the container that it runs in."""

import os
from dataclasses import dataclass
from pathlib import Path

import psutil

CGROUP = Path("/sys/fs/cgroup")
"""Where Linux says what a container may use, which is less than the machine that it sees."""


@dataclass(frozen=True)
class Limits:
    """What a worker's child may use: bytes of memory, and threads for its networks."""

    memory: int
    threads: int

    @classmethod
    def shared_by(cls, n_workers: int, cgroup: Path = CGROUP) -> "Limits":
        """A fair share: the cores, and three quarters of the memory."""
        cores, total = len(os.sched_getaffinity(0)), psutil.virtual_memory().total
        if (quota := _limit(cgroup / "cpu.max")) is not None:
            time, period = quota
            cores = min(cores, max(1, time // period))
        if (limit := _limit(cgroup / "memory.max")) is not None:
            total = min(total, limit[0])
        return cls(memory=total * 3 // 4 // n_workers, threads=max(1, cores // n_workers))


def _limit(path: Path) -> list[int] | None:
    """The numbers in a file of a control group; None: there is none, or no limit."""
    try:
        words = path.read_text(encoding="ascii").split()
    except OSError:
        return None
    return None if words[0] == "max" else [int(word) for word in words]
