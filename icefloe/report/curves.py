"""Curves of the members' training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from icefloe.training.records import EpochRecord


def curves_figure(history: Mapping[str, Sequence[EpochRecord]]) -> Figure:
    """Validation loss and IoU of every member over its epochs."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.2), layout="constrained")
    loss, overlap = figure.subplots(1, 2)
    for name, records in history.items():
        epochs = [record.epoch for record in records]
        (line,) = loss.plot(epochs, [record.val_loss for record in records], label=name)
        loss.plot(
            epochs, [record.train_loss for record in records], color=line.get_color(), alpha=0.4, ls="--"
        )
        overlap.plot(epochs, [record.val_iou for record in records], color=line.get_color())
    loss.set(xlabel="epoch", ylabel="loss (dashed: training)", yscale="log")
    overlap.set(xlabel="epoch", ylabel="validation IoU", ylim=(0, 1))
    loss.legend(fontsize=7)
    return figure
