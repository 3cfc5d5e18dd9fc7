"""Which chips to label next, and what is wrong with the sets there are."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from icefloe.fewshot.prototypes import Float64Array, squared_distances
from icefloe.fewshot.sets import SupportSet
from icefloe.fewshot.temperature import LeftOut
from icefloe.typing import FloatArray

FEWEST, MOST = 2, 10
"""Supports a set that are good practice (Doty et al. 2022)."""

NEXT = 5
_POOL = 10
"""So many times as many of the most uncertain chips are looked through for those that differ."""

_CONFUSED = 1 / 3
_MANY_FAR = 0.05
_TOLD = 5
"""Chips that a warning names."""


def label_next(
    vectors: FloatArray | Float64Array,
    likely: Float64Array,
    labelled: Sequence[int],
    useless: Sequence[int] | NDArray[np.intp] = (),
    n: int = NEXT,
) -> tuple[int, ...]:
    """Chips whose labels would say most: uncertain ones that resemble neither a labelled one nor each other.

    Of the most uncertain chips, one after another, the one farthest from all that are labelled or chosen.

    Parameters
    ----------
    vectors : shape (N, F)
        All chips'.
    likely : float64, shape (N, C)
        Their probabilities.
    labelled
        Chips that have a label.
    useless
        Chips that are not worth one.
    n
        Chips to choose.

    Returns
    -------
    tuple of int
        At most n.
    """
    out = set(labelled) | set(useless)
    by_doubt = np.argsort(likely.max(axis=1), kind="stable")
    pool = np.array([chip for chip in by_doubt.tolist() if chip not in out][: _POOL * n], np.intp)
    candidates = np.asarray(vectors[pool], np.float64)
    known = np.asarray(vectors[list(labelled)], np.float64)
    away = squared_distances(candidates, known).min(axis=1) if len(known) else np.full(len(pool), np.inf)
    chosen: list[int] = []
    for _ in range(min(n, len(pool))):
        farthest = int(away.argmax())
        chosen.append(int(pool[farthest]))
        away = np.minimum(away, squared_distances(candidates, candidates[[farthest]])[:, 0])
        away[farthest] = -1.0
    return tuple(chosen)


def advise(
    sets: Sequence[SupportSet],
    left_out: LeftOut,
    nearest: NDArray[np.intp],
    constant: NDArray[np.bool_],
    far: NDArray[np.intp],
    *,
    is_support_image: bool,
) -> tuple[str, ...]:
    """Warnings, the weightiest first: what is the matter, and what to do.

    Parameters
    ----------
    sets
        Sets that have chips.
    left_out
        Leave-one-out distances of their supports.
    nearest : int, shape (N,)
        Class of each of the image's chips.
    constant : bool, shape (N,)
        Chips of one value.
    far
        Chips that lie far from every set.
    is_support_image
        Whether the supports are of this image.
    """
    notes = _strange(left_out, far, len(nearest), is_support_image=is_support_image)
    notes += _confused(sets, left_out)
    small = [one.name for one in sets if len(one.chips) < FEWEST]
    if small:
        borrowed = "has one support and takes the others' temperature"
        if not left_out.is_honest:
            borrowed = "has one support, so no probability can be checked"
        notes.append(f"{', '.join(small)}: {borrowed}. Give each set {FEWEST} to {MOST} chips.")
    if is_support_image:
        notes += _contradicted(sets, nearest)
    large = [one.name for one in sets if len(one.chips) > MOST]
    if large:
        notes.append(
            f"{', '.join(large)}: more than {MOST} supports, which rarely helps. "
            "Spend labels on chips that are unsure."
        )
    if constant.any():
        n = np.count_nonzero(constant)
        told = "1 chip is of one value, so its" if n == 1 else f"{n} chips are of one value each, so their"
        notes.append(
            f"{told} class means little. Crop what the detector cut off, or give them a set of their own."
        )
    return tuple(notes)


def _strange(left_out: LeftOut, far: NDArray[np.intp], n_chips: int, *, is_support_image: bool) -> list[str]:
    """Of n supports, the next chip of a set lies farther than all with probability 1 / (n + 1) at most."""
    expected = 1 / (len(left_out.classes) + 1) if left_out.is_honest else 0.0
    share = len(far) / n_chips
    if share <= max(_MANY_FAR, expected):
        return []
    if not is_support_image:
        return [f"{share:.0%} of the chips resemble no prototype. Choose supports in this image, too."]
    return [
        f"{len(far)} chips ({share:.0%}) lie far from every set; a class may be missing. "
        f"Look at {_named(far)}, and give them a set."
    ]


def _named(chips: NDArray[np.intp]) -> str:
    return ", ".join(map(str, chips[:_TOLD].tolist())) + (" ..." if len(chips) > _TOLD else "")


def _confused(sets: Sequence[SupportSet], left_out: LeftOut) -> list[str]:
    """Pairs of sets whose supports, left out, fall to the other one about as often as to their own."""
    notes = []
    for one, other in combinations(range(len(sets)), 2):
        of_pair = np.isin(left_out.classes, (one, other))
        if not of_pair.any():
            continue
        own = np.where(left_out.classes == one, one, other)[of_pair, None]
        foreign = np.where(left_out.classes == one, other, one)[of_pair, None]
        distances = left_out.distances[of_pair]
        to_own, to_foreign = (np.take_along_axis(distances, which, 1) for which in (own, foreign))
        n_foreign = np.count_nonzero(to_foreign <= to_own)
        if n_foreign >= _CONFUSED * len(own):
            notes.append(
                f"{sets[one].name} and {sets[other].name} have nearly equal prototypes: {n_foreign} of "
                f"{len(own)} supports fall to the other set. Join them, or choose chips that differ more."
            )
    return notes


def _contradicted(sets: Sequence[SupportSet], nearest: NDArray[np.intp]) -> list[str]:
    wrong = [
        f"{chip} ({one.name})"
        for index, one in enumerate(sets)
        for chip in sorted(one.chips)
        if nearest[chip] != index
    ]
    if not wrong:
        return []
    told = ", ".join(wrong[:_TOLD]) + (" ..." if len(wrong) > _TOLD else "")
    return [f"Supports that are nearer to another set's prototype: {told}. Look at them again."]
