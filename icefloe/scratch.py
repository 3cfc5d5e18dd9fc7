"""Where files are written before they are renamed to their place, so that a killed process leaves none there.

Each process has a folder of its own in its workspace's `.icefloe/scratch/`, outside the data, and holds a
lock on it while it lives. What a dead one left is removed by the next command.
"""

import atexit
import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

WORKSPACE_FILE = "icefloe.toml"
"""A folder that holds it is a workspace."""

SCRATCH = Path(".icefloe/scratch")
_SCRATCHES = (SCRATCH, Path("data/.icefloe-scratch"))
"""The second, hidden and so no data, is for a disk of its own that is mounted at `data/`."""

PREFIX = ".icefloe-"
"""Of temporary names beside a place that is in no workspace."""

_LOCK = ".lock"
_own: dict[Path, tuple[int, Path]] = {}


def scratch_for(path: Path) -> Path:
    """Folder in which to write what is then put at `path`: unseen by others, on the same file system.

    Outside a workspace, or where the workspace's scratch is on another disk or can't be used, it is the
    folder of `path` itself.
    """
    for folder in path.absolute().parents:
        if (folder / WORKSPACE_FILE).is_file():
            for scratch in _SCRATCHES:
                with suppress(OSError):
                    if _is_on_one_disk(folder / scratch, path.parent):
                        return _own_folder(folder / scratch)
            break
    return path.parent


def put(written: Path, path: Path) -> None:
    """Rename a file or folder to `path`; where that crosses two mounts of one disk, copy it beside first.

    Raises
    ------
    FileExistsError
        If a folder is to replace one that is not empty.
    """
    try:
        written.replace(path)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from error
        if error.errno != errno.EXDEV:
            raise
        beside = path.with_name(f"{PREFIX}{os.getpid()}")
        copy = copy_tree if written.is_dir() else shutil.copy2
        copy(written, beside)
        beside.replace(path)
        shutil.rmtree(written) if written.is_dir() else written.unlink()


def copy_tree(folder: Path, copy: Path, ignore: Callable[..., set[str]] | None = None) -> None:
    """As `shutil.copytree`, which tells all files that could not be copied, and of none why in a usable form.

    Raises
    ------
    OSError
        What the system said of the first.
    """
    failures: list[OSError] = []

    def copy_file(source: str, destination: str) -> None:
        try:
            shutil.copy2(source, destination)
        except OSError as error:
            failures.append(error)
            raise

    try:
        shutil.copytree(folder, copy, ignore=ignore, copy_function=copy_file)
    except shutil.Error as error:
        raise failures[0] if failures else error from None


def clean_scratch(workspace: Path) -> None:
    """Remove what processes left in the workspace's scratch that were killed; those that run keep theirs."""
    for scratch in _SCRATCHES:
        _clean(workspace / scratch)


def _clean(scratch: Path) -> None:
    if not scratch.is_dir() or not any(entry.is_dir() for entry in scratch.iterdir()):
        return
    with suppress(OSError), locked(scratch / "guard"):
        for folder in [entry for entry in scratch.iterdir() if entry.is_dir()]:
            lock = folder.with_name(folder.name + _LOCK)
            with suppress(BlockingIOError), locked(lock, wait=False):
                shutil.rmtree(folder, ignore_errors=True)
                lock.unlink(missing_ok=True)


def _is_on_one_disk(scratch: Path, place: Path) -> bool:
    present = next(folder for folder in (scratch, *scratch.parents) if folder.exists())
    return present.stat().st_dev == place.stat().st_dev


@contextmanager
def alone(file: Path) -> Iterator[tuple[int, bool]]:
    """Wait for a lock on a file, and tell whether its last owner was killed in its block.

    Yields
    ------
    tuple of (int, bool)
        Descriptor, which a child may inherit so that the lock outlives its killed parent; whether the last
        owner did not come to the end of its block.
    """
    with locked(file) as descriptor:
        was_killed = os.fstat(descriptor).st_size > 0
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        try:
            yield descriptor, was_killed
        except Exception:
            os.ftruncate(descriptor, 0)
            raise
        os.ftruncate(descriptor, 0)


def _own_folder(scratch: Path) -> Path:
    owner, folder = _own.get(scratch, (0, Path()))
    if owner == os.getpid() and folder.is_dir():  # a forked process needs its own
        return folder
    with locked(scratch / "guard"):
        folder = Path(tempfile.mkdtemp(dir=scratch, prefix=f"{os.getpid()}-"))
        _lock(folder.with_name(folder.name + _LOCK))  # let go when the process ends, however it ends
    _own[scratch] = os.getpid(), folder
    atexit.register(_leave, os.getpid(), folder)
    return folder


def _leave(owner: int, folder: Path) -> None:
    if owner == os.getpid():
        shutil.rmtree(folder, ignore_errors=True)
        folder.with_name(folder.name + _LOCK).unlink(missing_ok=True)


def _lock(file: Path, *, wait: bool = True) -> int:
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


@contextmanager
def locked(file: Path, *, wait: bool = True) -> Iterator[int]:
    """Hold a lock on a file, which is made, until the block or the process ends; yields its descriptor."""
    descriptor = _lock(file, wait=wait)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
