"""Showing how the members' training goes: bars in a terminal, log lines elsewhere."""

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from icefloe.training.records import EpochRecord, MemberReceipt

logger = logging.getLogger(__name__)

MOST_BARS = 12


class Listener(Protocol):
    """Whoever wants to know what the members are doing; called in the driver's thread."""

    def on_epoch(self, name: str, record: EpochRecord) -> None:
        """A member finished an epoch; each epoch is told once, also after a resumption."""

    def on_finished(self, name: str, receipt: MemberReceipt) -> None:
        """A member's training came to its end."""


class LogLines:
    """A line in the log for each epoch and each member."""

    def __init__(self, n_epochs: Mapping[str, int]) -> None:
        self._n_epochs = n_epochs

    def on_epoch(self, name: str, record: EpochRecord) -> None:
        """Log the epoch's losses and validation scores."""
        logger.info(
            "%s: epoch %d of %d, loss %.4f, validation loss %.4f, pCA %.4f, IoU %.4f, %.1f s",
            *(name, record.epoch, self._n_epochs[name], record.train_loss, record.val_loss),
            *(record.val_pca, record.val_iou, record.seconds),
        )

    def on_finished(self, name: str, receipt: MemberReceipt) -> None:
        """Log the member's best epoch."""
        logger.info(
            "%s: done after %d epochs, best was %d with pCA %.4f, IoU %.4f, %.0f s",
            *(name, receipt.epochs, receipt.best_epoch),
            *(receipt.val_pca, receipt.val_iou, receipt.seconds),
        )


class Bars:
    """One bar a member."""

    def __init__(self, n_epochs: Mapping[str, int]) -> None:
        # Imported where a terminal is: a worker or a pipeline step draws no bars.
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self.display = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[scores]}"),
            TimeRemainingColumn(),
        )
        self._bars = {
            name: self.display.add_task(name, total=total, scores="waiting")
            for name, total in n_epochs.items()
        }

    def on_epoch(self, name: str, record: EpochRecord) -> None:
        """Move the member's bar to the epoch."""
        scores = f"loss {record.val_loss:.3f} pCA {record.val_pca:.3f} IoU {record.val_iou:.3f}"
        self.display.update(self._bars[name], completed=record.epoch, scores=scores)

    def on_finished(self, name: str, receipt: MemberReceipt) -> None:
        """Fill the bar: stopping early is arriving, too."""
        scores = f"best pCA {receipt.val_pca:.3f} IoU {receipt.val_iou:.3f}"
        bar = self._bars[name]
        self.display.update(bar, total=receipt.epochs, completed=receipt.epochs, scores=scores)


class OneBar:
    """One bar for all trainings, where they are too many for the screen."""

    def __init__(self, n_epochs: Mapping[str, int]) -> None:
        from rich.progress import Progress

        self.display = Progress()
        self._bar = self.display.add_task(f"Training {len(n_epochs)} networks", total=sum(n_epochs.values()))
        self._left = dict(n_epochs)

    def on_epoch(self, name: str, record: EpochRecord) -> None:
        """Move the bar by an epoch."""
        self._left[name] -= 1
        self.display.advance(self._bar)

    def on_finished(self, name: str, receipt: MemberReceipt) -> None:
        """Move it by the epochs that stopping early saved."""
        self.display.advance(self._bar, self._left.pop(name))


@contextmanager
def display(n_epochs: Mapping[str, int]) -> Iterator[Listener]:
    """Bars if standard error is a terminal, else log lines; `n_epochs` is by member."""
    if not sys.stderr.isatty():
        yield LogLines(n_epochs)
        return
    bars = Bars(n_epochs) if len(n_epochs) <= MOST_BARS else OneBar(n_epochs)
    with bars.display:
        yield bars
