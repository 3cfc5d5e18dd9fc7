"""A disk of some kilobytes: a file system of its own in memory, which is really full when it is."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class SmallDisk:
    """A disk, mounted at `path`."""

    def __init__(self, path: Path, kilobytes: int) -> None:
        self.path = path
        self._call("mount", "-t", "tmpfs", "-o", f"size={kilobytes}k,mode=1777", "tmpfs", str(path))

    def resize(self, kilobytes: int) -> None:
        self._call("mount", "-o", f"remount,size={kilobytes}k", str(self.path))

    def fill(self) -> None:
        """Leave no room."""
        with (self.path / "fills it").open("wb") as file:
            try:
                while True:
                    os.write(file.fileno(), bytes(4096))
            except OSError:
                return

    def unmount(self) -> None:
        self._call("umount", "--lazy", str(self.path))  # somebody may have a file open

    def _call(self, *command: str) -> None:
        subprocess.run(command, check=True, capture_output=True, text=True)


@contextmanager
def small_disk(path: Path, kilobytes: int) -> Iterator[SmallDisk]:
    """Mount a disk while the block runs; the test is skipped where that is not allowed."""
    path.mkdir(parents=True, exist_ok=True)
    try:
        disk = SmallDisk(path, kilobytes)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"a disk can't be mounted here ({error})")
    try:
        yield disk
    finally:
        disk.unmount()
