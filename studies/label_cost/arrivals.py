"""What arrives: datasets with a pool to choose labels from, and images that nothing may choose."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from icefloe.datasets.dataset import Sample
from icefloe.datasets.splits import GUARDED_FROM, Split, SplitConfig, split_samples, time_blocks
from icefloe.errors import IcefloeError
from studies.material import Material

TEST_FRACTION = 0.3
FEWEST = 4
"""Distinct images that a dataset must have to be divided at all."""


@dataclass(frozen=True)
class Arrival:
    """A dataset that arrives without labels, as the loop meets it.

    Attributes
    ----------
    dataset
        Its name.
    standard
        Names of the datasets that the first version was trained on.
    samples
        Its images in time order, one of each group of duplicates; none shows what a standard one does.
    """

    dataset: str
    standard: tuple[str, ...]
    samples: tuple[Sample, ...]


@dataclass(frozen=True)
class HoldOut:
    """Images of an arrival by what they are for; frames between the two sides are on neither."""

    pool: tuple[Sample, ...]
    test: tuple[Sample, ...]


def arrivals(material: Material, standard: Sequence[str], arriving: Sequence[str]) -> list[Arrival]:
    """Each arriving dataset with the standard ones before it; all of them, if it is no standard one itself.

    Raises
    ------
    IcefloeError
        If nothing arrives, a dataset has no standard one before it, or shows too few different things.
    """
    if not arriving:
        raise IcefloeError(
            "No dataset arrives. Name one with --arriving, or import one with its labels held back."
        )
    return [_arrival(material, list(standard), name) for name in arriving]


def _arrival(material: Material, standard: list[str], name: str) -> Arrival:
    before = standard[: standard.index(name)] if name in standard else standard
    if not before:
        raise IcefloeError(f"{name}: no standard dataset comes before it. Name one with --standard.")
    seen = {material.groups[sample.key] for other in before for sample in material.datasets[other].samples}
    distinct = []
    for sample in material.samples(name):
        if (group := material.groups[sample.key]) not in seen:
            seen.add(group)
            distinct.append(sample)
    if len(distinct) < FEWEST:
        raise IcefloeError(
            f"{name}: shows {len(distinct)} different things that {' and '.join(before)} don't. "
            f"Name a dataset with {FEWEST} or more."
        )
    return Arrival(name, tuple(before), tuple(distinct))


def hold_out(samples: Sequence[Sample], seed: int, guard_frames: int = 1) -> HoldOut:
    """Divide an arrival's images: three in ten are for testing, in blocks over the whole time range.

    The blocks begin elsewhere with each seed, so that the interval over seeds covers what is tested on.

    Parameters
    ----------
    samples
        In time order, no two of a group.
    seed
        Where the blocks begin.
    guard_frames
        Frames beside a test block that are on neither side, where there are 20 images or more.
    """
    config = SplitConfig(validation_fraction=0, test_fraction=TEST_FRACTION)
    sides = time_blocks([1] * len(samples), config)
    start = int(np.random.default_rng(seed).integers(len(samples)))
    turned = sides[start:] + sides[:start]
    test = [sample for sample, side in zip(samples, turned, strict=True) if side == "test"]
    n_guards = guard_frames if len(samples) >= GUARDED_FROM else 0
    near = {sample.index + step for sample in test for step in range(-n_guards, n_guards + 1)}
    return HoldOut(tuple(sample for sample in samples if sample.index not in near), tuple(test))


def standard_split(material: Material, names: Sequence[str], config: SplitConfig) -> Split:
    """Training and validation sides of the standard datasets; nothing of them is tested on here.

    Raises
    ------
    IcefloeError
        If they have too few labels for both sides.
    """
    # No test side: what is asked is how well the arriving dataset is segmented.
    config = config.model_copy(update={"test_fraction": 0.0, "held_out_experiments": []})
    split = split_samples([material.datasets[name] for name in names], config)
    if not split.train or not split.validation:
        raise IcefloeError(
            f"{' and '.join(names)}: too few labels to train and validate on. "
            f"Label {config.min_labels} or more images of one dataset."
        )
    return split
