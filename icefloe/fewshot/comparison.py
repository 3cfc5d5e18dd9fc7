"""Two classifications of one image's chips: which chips they call differently."""

from collections import Counter

from pydantic import BaseModel

from icefloe.errors import IcefloeError
from icefloe.fewshot.result import FROZEN, Classification


class Change(BaseModel):
    """Chips that the first classification calls `first` and the second `second`."""

    model_config = FROZEN

    first: str
    second: str
    chips: int


class Comparison(BaseModel):
    """Where two classifications differ.

    Attributes
    ----------
    names
        Classes of the first, then those that the second alone has, then `unsure`.
    changed
        Pairs of different classes, the most frequent first.
    chips
        Numbers of the chips that differ.
    """

    model_config = FROZEN

    names: tuple[str, ...]
    changed: tuple[Change, ...]
    chips: tuple[int, ...]


def compare(first: Classification, second: Classification) -> Comparison:
    """Compare two classifications chip by chip.

    Raises
    ------
    IcefloeError
        If their grids differ.
    """
    if first.grid != second.grid:
        raise IcefloeError(
            f"Chips of {first.grid.edge} px and of {second.grid.edge} px, or from other corners, are not the "
            "same chips. Compare sessions of one grid."
        )
    pairs = list(zip(first.predictions(), second.predictions(), strict=True))
    counted = Counter(pair for pair in pairs if pair[0] != pair[1])
    classes = (*first.names, *second.names, first.classes[-1].name)
    return Comparison(
        names=tuple(dict.fromkeys(classes)),
        changed=tuple(Change(first=one, second=other, chips=n) for (one, other), n in counted.most_common()),
        chips=tuple(chip for chip, (one, other) in enumerate(pairs) if one != other),
    )
