"""What a new label is beside what its image has: the pre-segmentation, and the labels of others."""

from dataclasses import dataclass

import numpy as np

from icefloe.active.items import Item, OutsideLabel
from icefloe.active.origin import icefloe_version, sha256
from icefloe.active.uploads import decode_png
from icefloe.datasets.label_origin import Origin
from icefloe.scoring.metrics import dice
from icefloe.typing import IGNORE, MaskArray


@dataclass(frozen=True)
class Comparison:
    """A new label beside what its image had when they were compared.

    Attributes
    ----------
    earlier
        Numbers of the first and the second person's labels, None where there was none yet.
    origin
        What the label was made from.
    likeness
        Its Dice with the pre-segmentation, where images are shown with and without; else None.
    agreement
        Its Dice with the first person's label; None where it is not the second.
    is_decision
        Whether each of its pixels is as one of two people has it; False where there were not two.
    """

    earlier: tuple[int | None, int | None]
    origin: Origin
    likeness: float | None = None
    agreement: float | None = None
    is_decision: bool = False

    def is_of(self, item: Item) -> bool:
        """Whether the item has the same labels still."""
        return self.earlier == (item.first_label, item.second_label)


def compare(
    item: Item,
    label: OutsideLabel,
    presegmentation: bytes | None,
    first: bytes | None,
    second: bytes | None,
) -> Comparison:
    """Compare a new label, in the queue's own form, with what its item has.

    Parameters
    ----------
    item
        The item, as it is now.
    label
        The new label.
    presegmentation
        PNG of the item's pre-segmentation, shown or not; None where it has none.
    first, second
        PNG of the labels that two people made before; None where there is none.
    """
    shown = None if item.arm == "without" else presegmentation
    origin = Origin(
        presegmentation=None if shown is None else sha256(shown),
        predicted_by=None if shown is None else item.predicted_by,
        client=label.client,
        icefloe=icefloe_version(),
    )
    earlier = (item.first_label, item.second_label)
    compared = None if item.arm is None else presegmentation
    if compared is None and first is None:  # as most are: no mask need be decoded
        return Comparison(earlier, origin)
    mask, n_classes = decode_png(label.png), len(item.classes)
    one, other = (None if png is None else decode_png(png) for png in (first, second))
    return Comparison(
        earlier=earlier,
        origin=origin,
        likeness=None if compared is None else agreement(decode_png(compared), mask, n_classes),
        agreement=agreement(one, mask, n_classes) if one is not None and other is None else None,
        is_decision=other is not None and bool(((mask == one) | (mask == other)).all()),
    )


def agreement(first: MaskArray, second: MaskArray, n_classes: int) -> float:
    """Dice of two masks of one image: of class 1, or the mean over all classes but the background.

    Parameters
    ----------
    first, second : uint8, shape (H, W)
        Class indices, 255 = ignore; pixels that either ignores do not count.
    n_classes
        Number of classes, background included.

    Returns
    -------
    float
        0 to 1; 0 where one ignores every pixel that the other has labelled.
    """
    if np.array_equal(first, second):
        return 1.0
    if not ((first != IGNORE) & (second != IGNORE)).any():
        return 0.0
    return dice(first, second, n_classes)
