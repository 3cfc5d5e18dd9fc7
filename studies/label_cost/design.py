"""What is compared: strategies for images and regions, on datasets with images held out of their choice."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from icefloe.active.proposals import REGION_STRATEGIES, RegionStrategy
from icefloe.active.sampler import SamplerConfig
from icefloe.active.strategies import ForegroundRandom, Random, strategy
from icefloe.datasets.dataset import Sample
from icefloe.datasets.splits import GUARDED_FROM, Split, SplitConfig, split_samples, time_blocks
from icefloe.errors import IcefloeError
from icefloe.typing import FloatArray, MaskArray
from studies.kit.data import Division, StudyData

BASELINES = (Random.name, ForegroundRandom.name)
TEST_FRACTION = 0.3
FEWEST = 4
"""Distinct images that a dataset must have to be divided at all."""


@dataclass(frozen=True)
class ComparedStrategy:
    """A way of choosing what to label.

    Attributes
    ----------
    name
        Its name in tables.
    sampler
        How whole images are chosen.
    regions
        How regions are chosen instead; None: whole images are labelled.
    """

    name: str
    sampler: SamplerConfig
    regions: RegionStrategy | None = None


def compared_strategies(names: Sequence[str], sampler: SamplerConfig) -> list[ComparedStrategy]:
    """Two random draws of images, the sampler's own strategy and those of these names, and both of regions.

    Random draws don't keep apart in time, as the paper's; strategies keep the preset's `spread`.

    Raises
    ------
    IcefloeError
        If there is no strategy of that name.
    """
    baselines = [
        ComparedStrategy(name, sampler.model_copy(update={"strategy": name, "spread": 0.0}))
        for name in BASELINES
    ]
    wanted = dict.fromkeys([sampler.strategy, *names])
    of_images = [
        ComparedStrategy(name, sampler.model_copy(update={"strategy": strategy(name).name}))
        for name in wanted
        if name not in BASELINES
    ]
    of_regions = [ComparedStrategy(name, sampler, regions()) for name, regions in REGION_STRATEGIES.items()]
    return [*baselines, *of_images, *of_regions]


@dataclass(frozen=True, eq=False)
class ArrivingDataset:
    """A dataset that arrives without labels.

    Attributes
    ----------
    name, standard
        Name of the dataset, and names of those that the first version was trained on.
    samples, divisions
        Its images in time order, one of each group of duplicates, none of what a standard one shows; and of
        each seed those to choose from and to test on.
    is_simulated
        Whether `icefloe data simulate` made it.
    """

    name: str
    standard: tuple[str, ...]
    samples: tuple[Sample, ...]
    divisions: tuple[Division, ...]
    is_simulated: bool

    @cached_property
    def images(self) -> dict[str, FloatArray]:
        """By key, float32 of shape (H, W), at native size."""
        return {sample.key: sample.image() for sample in self.samples}

    @cached_property
    def references(self) -> dict[str, MaskArray]:
        """By key the mask that plays the labeler, uint8 of shape (H, W)."""
        return {sample.key: sample.reference() for sample in self.samples}


def arriving_datasets(
    data: StudyData,
    standard: Sequence[str],
    arriving: Sequence[str],
    n_seeds: int,
    guard_frames: int = 1,
) -> list[ArrivingDataset]:
    """Each arriving dataset with the standard ones before it; all of them, if it is no standard one itself.

    The first standard dataset arrives after the second.

    Raises
    ------
    IcefloeError
        If nothing arrives, there is no standard dataset but the one that arrives, or it shows too few
        different things.
    """
    if not arriving:
        raise IcefloeError(
            "No dataset arrives. Name one with --arriving, or import one with its labels held back."
        )
    found = []
    for name in arriving:
        before = tuple(standard[: standard.index(name)] if name in standard else standard)
        before = before or tuple(standard[1:2])
        if not before:
            raise IcefloeError(f"{name}: no standard dataset but itself. Name one with --standard.")
        known = [sample for other in before for sample in data.datasets[other].samples]
        samples = tuple(data.distinct(data.samples(name), known))
        if len(samples) < FEWEST:
            raise IcefloeError(
                f"{name}: shows {len(samples)} different things that {' and '.join(before)} do not. "
                f"Name a dataset with {FEWEST} or more."
            )
        divisions = tuple(hold_out(samples, seed, guard_frames) for seed in range(n_seeds))
        is_simulated = data.datasets[name].info.source.startswith("icefloe data simulate")
        found.append(ArrivingDataset(name, before, samples, divisions, is_simulated))
    return found


def hold_out(samples: Sequence[Sample], seed: int, guard_frames: int = 1) -> Division:
    """Divide a dataset's images: three in ten are for testing, in blocks over the whole time range.

    The blocks begin elsewhere with each seed, so that the interval over seeds covers what is tested on. Where
    there are 20 images or more, `guard_frames` beside a test block are on neither side. Samples are in time
    order, no two of a group.
    """
    config = SplitConfig(validation_fraction=0, test_fraction=TEST_FRACTION)
    sides = time_blocks([1] * len(samples), config)
    start = int(np.random.default_rng(seed).integers(len(samples)))
    turned = sides[start:] + sides[:start]
    test = [sample for sample, side in zip(samples, turned, strict=True) if side == "test"]
    n_guards = guard_frames if len(samples) >= GUARDED_FROM else 0
    near = {sample.index + step for sample in test for step in range(-n_guards, n_guards + 1)}
    return Division(tuple(sample for sample in samples if sample.index not in near), tuple(test))


def standard_split(data: StudyData, names: Sequence[str], config: SplitConfig) -> Split:
    """Training and validation sides of the standard datasets; nothing of them is tested on here.

    Raises
    ------
    IcefloeError
        If they have too few labels for both sides.
    """
    # No test side: what is asked is how well the arriving dataset is segmented.
    config = config.model_copy(update={"test_fraction": 0.0, "held_out_experiments": []})
    split = split_samples([data.datasets[name] for name in names], config)
    if not split.train or not split.validation:
        raise IcefloeError(
            f"{' and '.join(names)}: too few labels to train and validate on. "
            f"Label {config.min_labels} or more images of one dataset."
        )
    return split


def rising_seconds(text: str) -> tuple[int, ...]:
    """A person's seconds on a dataset after each round, from text such as `15,30,60`.

    Raises
    ------
    IcefloeError
        If these are not whole numbers that rise from 1 or more.
    """
    try:
        seconds = tuple(int(count) for count in text.split(","))
    except ValueError as error:
        raise IcefloeError(f"--seconds {text}: not whole numbers. Write them like 15,30,60.") from error
    if min(seconds) < 1 or list(seconds) != sorted(set(seconds)):
        raise IcefloeError(
            f"Seconds {', '.join(map(str, seconds))}: not rising from 1 or more. "
            "Name how long is labelled by the end of each round, such as 15,30,60."
        )
    return seconds
