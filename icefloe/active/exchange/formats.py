"""What every exchange format has in common: what goes out, and what comes back."""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from icefloe.active.exchange.known import Known
from icefloe.active.exchange.sources import Source
from icefloe.active.items import Item
from icefloe.errors import IcefloeError
from icefloe.typing import FloatArray, MaskArray

# Outlines may pass half a pixel beside the mask's: invisible, and several times fewer points to drag.
POLYGON_TOLERANCE = 0.5
MOST_NAMED = 5

OTHER_KIND = "not a label file of this format"
NOBODY_OUTLINED = "nobody outlined anything"


@dataclass(frozen=True)
class Outgoing:
    """An item on its way out.

    Attributes
    ----------
    item
        The queue item.
    image : float32, shape (H, W)
        Its image.
    premask : uint8, shape (H, W)
        The predicted class indices to be corrected; all 0 where nothing was predicted.
    """

    item: Item
    image: FloatArray
    premask: MaskArray

    @property
    def image_name(self) -> str:
        """The image's file within an export's image folder, such as `D3/stack_7.png`."""
        return f"{self.item.key}.png"


@dataclass(frozen=True)
class Incoming:
    """A label as another tool gave it.

    Attributes
    ----------
    item
        The queue item it is for.
    mask : uint8, shape (H, W)
        Class index, 255 = ignore; not checked yet.
    what
        The file or entry that messages name.
    author
        None where the format has no place for it.
    time
        Seconds since the epoch; None likewise.
    seconds
        Time spent, in s; None likewise.
    is_blank
        Whether nothing at all was drawn, which can mean that nobody looked at the image.
    """

    item: Item
    mask: MaskArray
    what: str
    author: str | None = None
    time: float | None = None
    seconds: float | None = None
    is_blank: bool = False


@dataclass(frozen=True)
class NotTaken:
    """A file, image or entry that became no label; `reason` is in the same words for the same reason."""

    what: str
    reason: str


@dataclass
class Reading:
    """What an export holds: labels, and what is none.

    Attributes
    ----------
    where
        The export, for messages.
    labels
        One an image.
    not_taken
        The rest, but for what belongs to the export itself.
    """

    where: str
    labels: list[Incoming] = field(default_factory=list)
    not_taken: list[NotTaken] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)

    def claim(self, item: Item) -> None:
        """Say that a label of `item` comes, before it is decoded.

        Raises
        ------
        IcefloeError
            If the export has one of that image already.
        """
        if item.key in self._seen:
            raise IcefloeError(f"{self.where}: two labels for {item.key}. Leave one.")
        self._seen.add(item.key)

    def leave(self, what: str, reason: str) -> None:
        """Note something that becomes no label, and why."""
        self.not_taken.append(NotTaken(what, reason))


def by_reason(not_taken: Sequence[NotTaken]) -> list[str]:
    """One line a reason, such as `2 not taken, nobody outlined anything (D3/stack_1, D3/stack_2)`."""
    names: dict[str, list[str]] = defaultdict(list)
    for one in not_taken:
        names[one.reason].append(one.what)
    return [f"{len(found)} not taken, {reason} ({_some(found)})" for reason, found in names.items()]


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(name[:120] for name in names[:MOST_NAMED]) + more


class Format(ABC):
    """A way of writing queue items for another tool, and of reading the labels it made."""

    name: ClassVar[str]

    @abstractmethod
    def write(self, items: Sequence[Outgoing], folder: Path) -> None:
        """Write items, which are of one list of classes, into the empty `folder`."""

    @abstractmethod
    def read(self, source: Source, items: Known) -> Reading:
        """Read labels from what the tool wrote.

        Raises
        ------
        IcefloeError
            If it is malformed, or names an image that is not in the queue.
        """

    def as_exported(self, premask: MaskArray, classes: Sequence[str]) -> MaskArray:
        """What `read` gives for a pre-annotation that nobody touched; uint8, shape (H, W)."""
        return premask


def write_viewable(path: Path, image: FloatArray) -> None:
    """Write an image as the 8 bit PNG that browsers and editors show, its 0.5 to 99.5 percentile stretched.

    Parameters
    ----------
    path
        PNG file to write.
    image : float32, shape (H, W)
        Any unit.
    """
    low, high = np.percentile(image, (0.5, 99.5))
    stretched = np.clip((image - low) / max(high - low, 1e-12), 0, 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.round(255 * stretched).astype(np.uint8)).save(path)


def purpose_columns(item: Item) -> Mapping[str, Any]:
    """Why an item was chosen, for the tables and tasks that labelers see."""
    purpose = item.purpose
    return {
        "strategy": purpose.strategy,
        "score": purpose.score,
        "rank": purpose.rank,
        "reason": purpose.reason,
    }
