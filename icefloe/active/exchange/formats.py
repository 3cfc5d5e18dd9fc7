"""What every exchange format has in common: what goes out, and what comes back."""

import io
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from icefloe.active.exchange.known import Known
from icefloe.active.exchange.sources import Source, shown
from icefloe.active.items import Item
from icefloe.active.region import inside_any
from icefloe.datasets.import_files import LeftOut
from icefloe.errors import IcefloeError
from icefloe.typing import FloatArray, MaskArray

# Outlines may pass half a pixel beside the mask's: invisible, and several times fewer points to drag.
POLYGON_TOLERANCE = 0.5

DIMMED = 0.4
"""Share of its brightness that an image keeps outside the regions to be labelled."""

OTHER_KIND = "not a label file of this format"
NOBODY_OUTLINED = "nobody outlined anything"


@dataclass(frozen=True)
class Outgoing:
    """An item on its way out.

    Attributes
    ----------
    item
        Queue item of the image.
    image : float32, shape (H, W)
        Its image.
    premask : uint8, shape (H, W)
        The predicted class indices to be corrected; 0 where nothing was predicted, and outside the item's
        regions.
    pixel_size_nm
        Pixel edge in nm; None where not known.
    """

    item: Item
    image: FloatArray
    premask: MaskArray
    pixel_size_nm: float | None = None

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
        Queue item of the image that the label is for.
    mask : uint8, shape (H, W)
        Class index, 255 = ignore; not checked yet.
    what
        The file or entry that messages name.
    author
        Who made it; None where the format has no place for that.
    time
        When it was made, in s since the epoch; None where the format does not say.
    seconds
        Time spent on it, in s; None where the format does not say.
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


@dataclass
class Reading:
    """What an export holds: labels, and what is none.

    Attributes
    ----------
    where
        The path of the export, for messages.
    labels
        Labels, one an image at most.
    notes
        What was decided where a label could be read in more than one way, a sentence each.
    """

    where: str
    labels: list[Incoming] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)
    _left: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """Files, images and entries that become no label, by reason."""
        return tuple(LeftOut(reason, tuple(names)) for reason, names in self._left.items())

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
        self._left[reason].append(shown(what))


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


def write_viewable(path: Path, outgoing: Outgoing) -> None:
    """Write an item's image as the PNG that `viewable_png` makes of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(viewable_png(outgoing))


def viewable_png(outgoing: Outgoing) -> bytes:
    """An item's image as the 8 bit PNG that browsers and editors show, its 0.5 to 99.5 percentile stretched.

    Where only regions are to be labelled, the rest is dimmed: so every tool shows them.
    """
    image = outgoing.image
    low, high = np.percentile(image, (0.5, 99.5))
    stretched = np.clip((image - low) / max(high - low, 1e-12), 0, 1)
    dimmed = np.where(inside_any(outgoing.item.regions, outgoing.item.shape), stretched, DIMMED * stretched)
    encoded = io.BytesIO()
    Image.fromarray(np.round(255 * dimmed).astype(np.uint8)).save(encoded, format="PNG")
    return encoded.getvalue()


def purpose_columns(item: Item) -> Mapping[str, Any]:
    """Why an item was chosen, for the tables and tasks that labelers see."""
    purpose = item.purpose
    return {
        "strategy": purpose.strategy,
        "score": purpose.score,
        "rank": purpose.rank,
        "reason": purpose.reason,
    }
