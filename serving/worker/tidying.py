"""Removes what was prepared or sent and nobody asks for any more."""

import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

from icefloe.datasets.dataset import INFO_FILE
from icefloe.scratch import scratch_for
from icefloe.settings import Settings
from serving.jobs.job import Job
from serving.jobs.table import KEPT_SECONDS
from serving.prepared import ABOUT

UNUSED_SECONDS = KEPT_SECONDS
"""As long as the jobs are listed whose results they are. All of it can be made, or sent, again."""

LEFT_SECONDS = 24 * 3600.0
"""What a request that was cut off has left: no job runs as long."""


def tidy(settings: Settings, live: Iterable[Job], now: float | None = None, kept: Iterable[str] = ()) -> int:
    """Remove what nobody has asked for of late; return the number of folders.

    Planes, maps and uploads go `UNUSED_SECONDS` after somebody last asked for them, files of requests that
    never became anything after `LEFT_SECONDS`. What a live job works on or a few-shot session is of stays,
    and nothing else is touched: datasets are the workspace's, labels and drafts the database's.

    Parameters
    ----------
    settings
        Settings of the workspace.
    live
        Jobs that wait or run.
    now
        s since the epoch; None: the present.
    kept
        Names of uploads that few-shot sessions are of.
    """
    now = time.time() if now is None else now
    served = settings.state / "served"
    needed = {str(job.arguments.get(name)) for job in live for name in ("dataset", "upload", "tensors")}
    needed |= set(kept)
    old = [
        *_older(_marked(served / "planes", ABOUT, needed), now - UNUSED_SECONDS),
        *_older(_marked(served / "maps", ABOUT, needed), now - UNUSED_SECONDS),
        *_older(_marked(served / "chips", ABOUT, needed), now - UNUSED_SECONDS),
        *_older((served / "uploads").glob(f"*/*/{INFO_FILE}"), now - UNUSED_SECONDS),
    ]
    left = [*(served / "arriving").glob("*/*"), *(served / "tensors").glob("*")]
    folders = [marker.parent for marker in old] + list(_older(left, now - LEFT_SECONDS))
    removed = 0
    for folder in folders:
        if folder.name not in needed:
            removed += _remove(folder, served)
    return removed


def _marked(root: Path, marker: str, needed: set[str]) -> Iterator[Path]:
    """Markers of finished folders, but for those of datasets that are needed."""
    if root.is_dir():
        for dataset in root.iterdir():
            if dataset.name not in needed:
                yield from dataset.rglob(marker)


def _older(paths: Iterable[Path], than: float) -> Iterator[Path]:
    for path in paths:
        with suppress(FileNotFoundError):  # another worker tidies, too
            if path.stat().st_mtime < than:
                yield path


def _remove(folder: Path, root: Path) -> bool:
    """Remove a folder whole, and those above it that are empty then."""
    aside = scratch_for(folder) / f"old-{token_hex(8)}"
    try:
        folder.rename(aside)  # nobody meets a half of it
    except FileNotFoundError:
        return False
    shutil.rmtree(aside, ignore_errors=True)
    for parent in folder.parents:
        if parent.parent == root:
            break
        try:
            parent.rmdir()
        except OSError:
            break
    return True
