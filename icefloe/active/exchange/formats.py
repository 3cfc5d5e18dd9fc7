"""What every exchange format has in common: what goes out, what comes back, and how images are recognised."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from icefloe.active.items import Item
from icefloe.active.uploads import check_name
from icefloe.datasets.annotations.regions import Polygon
from icefloe.errors import IcefloeError
from icefloe.typing import FloatArray, MaskArray

MAX_JSON_BYTES = 512 * 2**20

# Outlines may pass half a pixel beside the mask's: invisible, and several times fewer points to drag.
POLYGON_TOLERANCE = 0.5


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
        Time spent; None likewise.
    """

    item: Item
    mask: MaskArray
    what: str
    author: str | None = None
    time: float | None = None
    seconds: float | None = None


class Format(ABC):
    """A way of writing queue items for another tool, and of reading the labels it made."""

    name: ClassVar[str]

    @abstractmethod
    def write(self, items: Sequence[Outgoing], folder: Path) -> None:
        """Write items, which are of one list of classes, into the empty `folder`."""

    @abstractmethod
    def read(self, source: Path, items: "Known") -> list[Incoming]:
        """Read labels from the file or folder `source`.

        Raises
        ------
        IcefloeError
            If it is malformed, or names an image that is not in the queue.
        """

    def as_exported(self, premask: MaskArray, classes: Sequence[str]) -> MaskArray:
        """What `read` gives for a pre-annotation that nobody touched; uint8, shape (H, W)."""
        return premask


class Known:
    """The queue's items by the names that other tools know them by.

    Where rounds queued one image more than once, the last one counts.
    """

    def __init__(self, items: Sequence[Item]) -> None:
        self._by_key = {item.key: item for item in items}
        self._by_stem: dict[str, set[str]] = {}
        for item in items:
            self._by_stem.setdefault(item.stem, set()).add(item.key)

    def by_key(self, dataset: object, stem: object, where: Path) -> Item:
        """The item of an image.

        Raises
        ------
        IcefloeError
            If a name is unsafe or the image is not in the queue.
        """
        try:
            key = f"{check_name('dataset', dataset)}/{check_name('image', stem)}"
        except IcefloeError as error:
            raise IcefloeError(f"{where}: {error}") from error
        if key not in self._by_key:
            raise IcefloeError(f"{where}: {key} is not in the queue. Import labels of exported images only.")
        return self._by_key[key]

    def by_file(self, name: object, where: Path) -> Item:
        """The item of an image file, such as `D3/stack_7.png`; tools that drop folders leave `stack_7.png`.

        Raises
        ------
        IcefloeError
            If the name leads out of its folder, or the image is not in the queue or could be several.
        """
        path = PurePosixPath(str(name))
        if path.is_absolute() or ".." in path.parts or "\\" in str(name) or not path.name:
            raise IcefloeError(f"{where}: file name {str(name)[:80]!r} is not a safe name. Fix the file.")
        if len(path.parts) > 1:
            return self.by_key(path.parts[-2], path.stem, where)
        keys = self._by_stem.get(path.stem, set())
        if len(keys) > 1:
            raise IcefloeError(
                f"{where}: {path.name} could be {' or '.join(sorted(keys))}. Name the dataset."
            )
        return self.by_key(next(iter(keys)).split("/")[0] if keys else "", path.stem, where)


def check_outline(polygon: Polygon, shape: tuple[int, int], what: str) -> None:
    """Refuse a polygon without points, or with points so far outside (H, W) that drawing it would fail.

    Raises
    ------
    IcefloeError
        If it is such a one; `what` is the image that the message names.
    """
    points = polygon.points
    if not points.size or not np.isfinite(points).all() or np.abs(points).max() > 10 * max(shape):
        raise IcefloeError(f"{what}: a polygon has no points, or some far outside the image. Draw it again.")


def read_json(path: Path) -> Any:
    """Parsed JSON of a file from outside.

    Raises
    ------
    IcefloeError
        If the file is missing, huge or not JSON.
    """
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise IcefloeError(f"{path}: larger than {MAX_JSON_BYTES >> 20} MiB. Export in parts.")
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise IcefloeError(f"{path}: {error.strerror}. Name the file that the tool exported.") from error
    except (ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise IcefloeError(f"{path}: not valid JSON ({reason}). Export the labels again.") from error


def parse_time(text: object, where: str) -> float | None:
    """Seconds since the epoch of an ISO 8601 time, UTC where it names no zone; None for nothing.

    Raises
    ------
    IcefloeError
        If it is something else.
    """
    if text is None or text == "":
        return None
    try:
        parsed = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise IcefloeError(f"{where}: time {str(text)[:40]!r} is not ISO 8601. Fix it.") from error
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


def parse_seconds(value: object, where: str) -> float | None:
    """Labelling time in s; None for nothing.

    Raises
    ------
    IcefloeError
        If it is no number.
    """
    if value is None or value == "":
        return None
    try:
        return float(str(value))
    except ValueError as error:
        raise IcefloeError(f"{where}: seconds {str(value)[:40]!r} is not a number. Fix it.") from error


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
