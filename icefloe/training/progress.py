"""Progress of trainings, for MLflow and for the user."""

from collections.abc import Mapping
from typing import Protocol

from icefloe.progress import Progress
from icefloe.training.records import EpochRecord, MemberReceipt

MOST_SHOWN = 12
"""More trainings than this are counted together."""


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


class CombinedEpochs:
    """Epochs of all trainings in one count."""

    def __init__(self, progress: Progress, n_epochs: Mapping[str, int]) -> None:
        self._progress, self._what = progress, f"Training {len(n_epochs)} networks"
        self._left, self._total, self._done = dict(n_epochs), sum(n_epochs.values()), 0

    def on_epoch(self, name: str, record: EpochRecord) -> None:
        """Count an epoch."""
        self._left[name] -= 1
        self._add(1)

    def on_finished(self, name: str, receipt: MemberReceipt) -> None:
        """Count the epochs that stopping early saved."""
        self._add(self._left.pop(name))

    def _add(self, epochs: int) -> None:
        self._done += epochs
        self._progress.advance(self._what, self._done, self._total)


def epoch_progress(progress: Progress, n_epochs: Mapping[str, int]) -> Listener:
    """Each member by itself, or all together where they are many; `n_epochs` is by member."""
    return (EpochsPerMember if len(n_epochs) <= MOST_SHOWN else CombinedEpochs)(progress, n_epochs)
