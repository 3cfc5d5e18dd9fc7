"""What this process may use of the machine, or of the container that it runs in."""

import os
from pathlib import Path

import psutil

CGROUP = Path("/sys/fs/cgroup")
"""Where Linux says what a container may use, which is less than the machine that it sees."""


def usable_cores(cgroup: Path = CGROUP) -> int:
    """Cores that this process may keep busy, at least one; a part of a core counts as none."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        cores = os.cpu_count() or 1
    if (quota := _limit(cgroup / "cpu.max")) is not None:
        time, period = quota
        cores = min(cores, max(1, time // period))
    return cores


def usable_memory(cgroup: Path = CGROUP) -> int:
    """Bytes of memory that this process and those beside it in its container may fill."""
    total: int = psutil.virtual_memory().total
    limit = _limit(cgroup / "memory.max")
    return total if limit is None else min(total, limit[0])


def _limit(path: Path) -> list[int] | None:
    """The numbers in a file of a control group; None: there is none, or no limit."""
    try:
        words = path.read_text(encoding="ascii").split()
    except OSError:
        return None
    return None if words[0] == "max" else [int(word) for word in words]
