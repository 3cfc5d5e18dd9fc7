"""What a worker's child may use of the machine, or of the container that it runs in."""

from dataclasses import dataclass
from pathlib import Path

from icefloe.machine import CGROUP, usable_cores, usable_memory


@dataclass(frozen=True)
class Limits:
    """What a worker's child may use: bytes of memory, and threads for its networks."""

    memory: int
    threads: int

    @classmethod
    def shared_by(cls, n_workers: int, cgroup: Path = CGROUP) -> "Limits":
        """A fair share: the cores, and three quarters of the memory."""
        memory = usable_memory(cgroup) * 3 // 4 // n_workers
        return cls(memory=memory, threads=max(1, usable_cores(cgroup) // n_workers))
