"""How well labels agree: two people's on one image, and those made with and without the pre-segmentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict

from icefloe.active.items import Item
from icefloe.active.queue import Queue
from icefloe.active.storage import labels_table
from icefloe.result import Result
from icefloe.statistics.groups import group_size_needed, mean_difference
from icefloe.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FEWEST = 8
"""Images labelled with the pre-segmentation, and without it, below which nothing is decided."""

MOST = 200
"""Images that somebody may be asked to have labelled so for a decision."""


class Pair(BaseModel):
    """An image that two people have labelled, the Dice of both, and who decided, if somebody did."""

    model_config = ConfigDict(frozen=True)

    image: str
    labelers: tuple[str, ...]
    dice: float
    is_settled: bool
    decided_by: str | None


class ArmLabels(BaseModel):
    """Of images shown in one way: each one's Dice with the pre-segmentation, and the times measured, in s."""

    model_config = ConfigDict(frozen=True)

    likeness: tuple[float, ...] = ()
    seconds: tuple[float, ...] = ()


class Consistency(Result):
    """How well labels agree.

    Attributes
    ----------
    pairs
        Images that two people have labelled.
    aided, unaided
        Labels that began with the pre-segmentation, and those made without seeing it, of images that were
        drawn by lot for one or the other.
    """

    pairs: tuple[Pair, ...]
    aided: ArmLabels
    unaided: ArmLabels

    @property
    def is_empty(self) -> bool:
        """Whether nothing was compared."""
        return not (self.pairs or self.aided.likeness or self.unaided.likeness)

    def sentence(self) -> str:
        """What two people's labels say, and what the pre-segmentation does to them."""
        return " ".join(part for part in (self.pair_sentence(), self.pull_sentence()) if part)

    def pair_sentence(self) -> str:
        """How well two people agreed; empty where no image has two labels."""
        if not self.pairs:
            return ""
        lowest = min(self.pairs, key=lambda pair: pair.dice)
        decided = sum(pair.decided_by is not None for pair in self.pairs)
        waiting = sum(not pair.is_settled for pair in self.pairs)
        mean = np.mean([pair.dice for pair in self.pairs])
        return (
            f"Two people labelled {_counted(len(self.pairs), 'image')}: mean Dice {mean:.3f}, lowest "
            f"{lowest.dice:.3f} ({lowest.image}); {decided} decided, and {waiting} "
            f"wait{'s' if waiting == 1 else ''} for that."
        )

    def pull_sentence(self) -> str:
        """Whether the pre-segmentation pulls labels to itself; empty where that is not measured."""
        aided, unaided = self.aided, self.unaided
        counts = len(aided.likeness), len(unaided.likeness)
        if not any(counts):
            return ""
        if min(counts) < FEWEST:
            missing = (
                f"{FEWEST - n} more {how}"
                for n, how in zip(counts, ("with", "without"), strict=True)
                if n < FEWEST
            )
            return (
                "Whether the pre-segmentation pulls cannot be said from "
                f"{_counted(counts[0], 'image')} labelled with it and {counts[1]} without; "
                f"{' and '.join(missing)} it would decide."
            )
        difference = mean_difference(aided.likeness, unaided.likeness)
        numbers = (
            f"labels agree with it by Dice {np.mean(aided.likeness):.3f} if they begin with it and "
            f"{np.mean(unaided.likeness):.3f} if not (difference {difference.text(signed=True)}, "
            f"{counts[0]} and {counts[1]} images)"
        )
        finding = {
            "better": "The pre-segmentation pulls",
            "worse": "The pre-segmentation pushes away",
        }.get(difference.finding(), "Whether the pre-segmentation pulls is not decided")
        remedy = ""
        if difference.finding() == "undecided":
            needed = group_size_needed(difference)
            within = needed is not None and needed <= MOST
            remedy = f"about {needed} of each would decide" if within else "if so, by no more than that"
            remedy = f"; {remedy}"
        return f"{finding}: {numbers}{self._times()}{remedy}."

    def table(self) -> Table:
        """One row an image that two people labelled."""
        rows = [
            {
                "image": pair.image,
                "labelled by": " and ".join(pair.labelers),
                "Dice": pair.dice,
                "decided by": pair.decided_by or ("they agree" if pair.is_settled else "nobody yet"),
            }
            for pair in self.pairs
        ]
        return Table.of(rows, {"Dice": ".3f"}, ("image", "labelled by", "Dice", "decided by"))

    def plot(self, ax: Axes) -> None:
        """Each label's Dice with the pre-segmentation, with it and without."""
        for place, (how, labels) in enumerate((("with", self.aided), ("without", self.unaided))):
            ax.plot([place] * len(labels.likeness), labels.likeness, "o", alpha=0.5, label=how)
        ax.set_xticks([0, 1], ["with it", "without it"])
        ax.set_ylabel("Dice with the pre-segmentation")

    def _times(self) -> str:
        if not (self.aided.seconds and self.unaided.seconds):
            return ""
        aided, unaided = np.median(self.aided.seconds), np.median(self.unaided.seconds)
        return f"; in the median a label takes {aided:.0f} s with it and {unaided:.0f} s without"


def label_consistency(queue: Queue) -> Consistency:
    """Compare the labels that a queue has.

    An image that two people labelled counts once, with the mean of both; what a third decided is no label of
    its own.
    """
    with queue.database.reading() as connection:
        figures = labels_table.figures(connection)
    items = queue.items()
    pairs, arms = [], {"with": ArmLabels(), "without": ArmLabels()}
    for item in items:
        both = item.first_label is not None and item.second_label is not None
        if both:
            pairs.append(
                Pair(
                    image=item.key,
                    labelers=item.labelers,
                    dice=item.agreement or 0.0,
                    is_settled=item.label_id is not None,
                    decided_by=_decided_by(queue, item, figures),
                )
            )
        own = (item.first_label, item.second_label) if both else (item.label_id,)
        made = [figures[number] for number in own if number is not None]
        likeness = [figure.likeness for figure in made if figure.likeness is not None]
        seconds = [figure.seconds for figure in made if figure.seconds is not None]
        if item.arm is not None and likeness:
            arm = arms[item.arm]
            arms[item.arm] = ArmLabels(
                likeness=(*arm.likeness, float(np.mean(likeness))),
                seconds=(*arm.seconds, *([float(np.mean(seconds))] if seconds else [])),
            )
    return Consistency(pairs=tuple(pairs), aided=arms["with"], unaided=arms["without"])


def _decided_by(queue: Queue, item: Item, figures: dict[int, labels_table.Figure]) -> str | None:
    """Who decided between two labels: a third person, or an operator who settled it."""
    if item.label_id is None:
        return None
    if item.label_id not in (item.first_label, item.second_label):
        return figures[item.label_id].labeler
    settled = [event.actor for event in queue.history(item.id) if event.what == "settled"]
    agree = (item.agreement or 0.0) >= (item.third_below or 0.0)
    return None if agree else settled[-1]


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
