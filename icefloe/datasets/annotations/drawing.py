"""From labelled regions to a mask: which class a name means, and the pixels of each."""

import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from icefloe.datasets.annotations.regions import Region
from icefloe.datasets.annotations.values import shown
from icefloe.errors import IcefloeError
from icefloe.typing import IGNORE, MaskArray

IGNORE_NAME = "ignore"
"""Label name of pixels that count neither in training nor in any metric."""

BACKGROUND_NAMES = ("background", "_background_", "__background__")
IGNORE_NAMES = (IGNORE_NAME, "_ignore_", "__ignore__")
"""Names that labelme, CVAT and others have for the two; upper or lower case."""


def class_index(label: str | None, classes: Sequence[str]) -> int | None:
    """Mask value of a class name, 255 for `ignore`; None if it is none of them.

    A name is a class's own, whatever its case, or one of the tools' own names for background and for ignore.
    A region without a name is of the second of two classes.
    """
    if label is None:
        return 1 if len(classes) == 2 else None
    if label in classes:
        return list(classes).index(label)
    name = _plain(label)
    same = [index for index, other in enumerate(classes) if _plain(other) == name]
    if same:
        return same[0] if len(same) == 1 else None
    if name in BACKGROUND_NAMES:
        return 0
    return IGNORE if name in IGNORE_NAMES else None


def foreground_alias(
    what: Path | str, labels: Iterable[str | None], classes: Sequence[str], remedy: str = ""
) -> str | None:
    """The one unknown name that stands for the second of two classes in all of `labels`; None if none does.

    Label tools have one class of whatever name where people outline one thing. Where there are two unknown
    names, or the class's own as well, they mean different things, and nobody but the author knows which.

    Parameters
    ----------
    what
        The file or folder that an error names.
    labels
        Class names of everything that was labelled, None where a file has none.
    classes
        Names by mask value.
    remedy
        What to do, for the error; by default to rename the outlines, or to name all classes.

    Raises
    ------
    IcefloeError
        If names are unknown, and can't all mean the second class.
    """
    given = set(labels)
    unknown = sorted(name for name in given if name is not None and class_index(name, classes) is None)
    used = {class_index(name, classes) for name in given}
    if len(unknown) == 1 and len(classes) == 2 and 1 not in used:
        return unknown[0]
    if unknown:
        names = [shown(name) for name in unknown]
        listed = ", ".join(f"'{name}'" for name in names[:5])
        more = ",".join([*classes, *names[:5]])
        raise IcefloeError(
            f"{what}: labels named {listed}, but the classes are {', '.join(classes)}. "
            + (remedy or f'Rename them, or name every class: --classes "{more}".')
        )
    return None


def draw_mask(
    what: Path | str,
    regions: Iterable[Region],
    shape: tuple[int, int],
    classes: Sequence[str],
    alias: str | None = None,
) -> MaskArray:
    """Regions drawn over background in the order given.

    Parameters
    ----------
    what
        The file, or file and image, that an error names.
    regions
        A later one covers an earlier one; one named background makes a hole in what was drawn before.
    shape
        (H, W) of the mask.
    classes
        Names by mask value; `ignore` gives 255. What else is understood: see `class_index`.
    alias
        Another name of the second class; see `foreground_alias`.

    Returns
    -------
    uint8, shape (H, W)
        Class index, 255 = ignore.

    Raises
    ------
    IcefloeError
        If a region's class is not among `classes`, or it can't be of an image of this size.
    """
    mask = np.zeros(shape, dtype=np.uint8)
    for region in regions:
        index = 1 if alias is not None and region.label == alias else class_index(region.label, classes)
        if index is None:
            name = shown(region.label)
            named = "a label without a class" if region.label is None else f"unknown class '{name}'"
            raise IcefloeError(
                f"{what}: {named}; known are {', '.join(classes)}. Rename it, or name more with --classes."
            )
        try:
            mask[region.covered(shape)] = index
        except ValueError as error:
            raise IcefloeError(f"{what}: {error}") from error
    return mask


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip().casefold()
