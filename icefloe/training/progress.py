"""Progress of trainings, for MLflow and for the user."""

import heapq
from collections.abc import Mapping
from statistics import mean, median
from typing import Protocol

from icefloe.progress import Progress, rough_time
from icefloe.training.records import EpochRecord, MemberReceipt

MOST_SHOWN = 12
"""More trainings than this are only counted together."""

EPOCHS_MEASURED = 3
"""Epochs of a member after which their time says something about the others."""


class Listener(Protocol):
    """Follows what the members are doing; called in the driver's thread."""

    def on_epoch(self, name: str, record: EpochRecord) -> None:
        """A member finished an epoch; each epoch is reported once, also after a resumption."""

    def on_finished(self, name: str, receipt: MemberReceipt) -> None:
        """A member's training came to its end."""


class EpochsPerMember:
    """Every member's epochs with their scores.

    Parameters
    ----------
    progress
        Receives the epochs of each member.
    n_epochs
        Highest number of epochs of each member, by its name.
    """

    def __init__(self, progress: Progress, n_epochs: Mapping[str, int]) -> None:
        self._progress, self._n_epochs = progress, n_epochs

    def on_epoch(self, name: str, record: EpochRecord) -> None:
        """Tell the epoch's validation scores."""
        scores = (
            f"loss {record.train_loss:.4f}, validation loss {record.val_loss:.4f}, "
            f"pCA {record.val_pca:.4f}, IoU {record.val_iou:.4f}, {record.seconds:.1f} s"
        )
        self._progress.advance(name, record.epoch, self._n_epochs[name], scores)

    def on_finished(self, name: str, receipt: MemberReceipt) -> None:
        """Tell which epoch's weights are kept: stopping early is arriving, too."""
        self._progress.advance(name, receipt.epochs, receipt.epochs)
        kept = f"kept is {receipt.best_epoch} with pCA {receipt.val_pca:.4f}, IoU {receipt.val_iou:.4f}"
        self._progress.tell(f"{name}: {receipt.epochs} epochs, {kept}, {receipt.seconds:.0f} s")


class AllEpochs:
    """Epochs of all trainings in one count, with the time that they still take.

    Parameters
    ----------
    progress
        Receives the count.
    n_epochs
        Highest number of epochs of each member, by its name.
    n_at_once
        Number of members that train side by side.
    """

    def __init__(self, progress: Progress, n_epochs: Mapping[str, int], n_at_once: int) -> None:
        self._progress = progress
        self._what = f"Training {len(n_epochs)} network{'s' if len(n_epochs) > 1 else ''}"
        self._left, self._total = dict(n_epochs), sum(n_epochs.values())
        self._seconds: dict[str, list[float]] = {name: [] for name in n_epochs}
        self._n_at_once = n_at_once

    def on_epoch(self, name: str, record: EpochRecord) -> None:
        """Count an epoch."""
        self._left[name] -= 1
        self._seconds[name].append(record.seconds)
        self._tell()

    def on_finished(self, name: str, receipt: MemberReceipt) -> None:
        """Count the epochs that stopping early saved."""
        self._left[name] = 0
        self._tell()

    def seconds_left(self) -> float | None:
        """Time until the last member's last epoch, in s; None before a member has a few epochs behind it.

        A member takes the median of its own epochs, or what others take on average. Members that wait begin
        when another ends.
        """
        measured = {
            name: median(seconds[1:])  # the first one loads and compiles
            for name, seconds in self._seconds.items()
            if len(seconds) >= EPOCHS_MEASURED
        }
        if not measured:
            return None
        usual = mean(measured.values())
        busy_until = [0.0] * self._n_at_once
        waiting_last = sorted(self._left, key=lambda name: not self._seconds[name])
        for name in waiting_last:
            begins = heapq.heappop(busy_until)
            heapq.heappush(busy_until, begins + self._left[name] * measured.get(name, usual))
        return max(busy_until)

    def _tell(self) -> None:
        n_left = sum(self._left.values())
        seconds = self.seconds_left()
        detail = f"about {rough_time(seconds)} left" if seconds and n_left else ""
        self._progress.advance(self._what, self._total - n_left, self._total, detail)


def epoch_progress(progress: Progress, n_epochs: Mapping[str, int], n_at_once: int) -> list[Listener]:
    """All members together, and each by itself where they are few; parameters as in `AllEpochs`."""
    together = AllEpochs(progress, n_epochs, n_at_once)
    return [EpochsPerMember(progress, n_epochs), together] if len(n_epochs) <= MOST_SHOWN else [together]
