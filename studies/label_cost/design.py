"""What is compared: sampling strategies, on datasets that arrive with images held out of their choice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from icefloe.active.sampler import SamplerConfig
from icefloe.active.strategies import STRATEGIES, ForegroundRandom, Random, strategy
from icefloe.datasets.dataset import Sample
from icefloe.datasets.splits import GUARDED_FROM, Split, SplitConfig, split_samples, time_blocks
from icefloe.errors import IcefloeError
from icefloe.typing import FloatArray, MaskArray
from studies.kit.data import Division, StudyData
from studies.label_cost.annotation_time import measured_minutes

BASELINES = (Random.name, ForegroundRandom.name)
TEST_FRACTION = 0.3
FEWEST = 4
"""Distinct images that a dataset must have to be divided at all."""


@dataclass(frozen=True)
class ComparedStrategy:
    """A way of choosing images: its name in tables, and how the sampler is set; `k` is set at each round."""

    name: str
    sampler: SamplerConfig


def compared_strategies(names: Sequence[str], sampler: SamplerConfig) -> list[ComparedStrategy]:
    """The two baselines, then the strategies of these names; none named: every other one.

    Baselines draw without keeping apart in time, as the paper's. Strategies keep the preset's `spread`, which
    alone may make a difference: so a random draw that keeps it is among them, called `random-spread`.

    Raises
    ------
    IcefloeError
        If there is no strategy of that name, or none but the baselines.
    """
    baselines = [
        ComparedStrategy(name, sampler.model_copy(update={"strategy": name, "spread": 0.0}))
        for name in BASELINES
    ]
    wanted = dict.fromkeys(names or [name for name in STRATEGIES if name != ForegroundRandom.name])
    keeping_apart = [
        ComparedStrategy(
            f"{name}-spread" if name in BASELINES else name,
            sampler.model_copy(update={"strategy": strategy(name).name}),
        )
        for name in wanted
        # Without a spread to keep, a baseline would be listed twice.
        if name not in BASELINES or sampler.spread > 0
    ]
    if not keeping_apart:
        raise IcefloeError(
            "There is nothing to compare with the random baselines. Name another strategy with --strategy."
        )
    return [*baselines, *keeping_apart]


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
    labels
        Number of images that are labelled after each round.
    measured
        Key -> minutes that a person took for the label, where somebody measured them.
    """

    name: str
    standard: tuple[str, ...]
    samples: tuple[Sample, ...]
    divisions: tuple[Division, ...]
    labels: tuple[int, ...]
    measured: Mapping[str, float]

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
    labels: Sequence[int],
    n_seeds: int,
    guard_frames: int = 1,
) -> list[ArrivingDataset]:
    """Each arriving dataset with the standard ones before it; all of them, if it is no standard one itself.

    Numbers of `labels` that some seed's pool does not have are left out.

    Raises
    ------
    IcefloeError
        If nothing arrives, a dataset has no standard one before it, shows too few different things, or has
        a pool smaller than the fewest labels.
    """
    if not arriving:
        raise IcefloeError(
            "No dataset arrives. Name one with --arriving, or import one with its labels held back."
        )
    found = []
    for name in arriving:
        before = tuple(standard[: standard.index(name)] if name in standard else standard)
        if not before:
            raise IcefloeError(f"{name}: no standard dataset comes before it. Name one with --standard.")
        known = [sample for other in before for sample in data.datasets[other].samples]
        samples = tuple(data.distinct(data.samples(name), known))
        if len(samples) < FEWEST:
            raise IcefloeError(
                f"{name}: shows {len(samples)} different things that {' and '.join(before)} do not. "
                f"Name a dataset with {FEWEST} or more."
            )
        divisions = tuple(hold_out(samples, seed, guard_frames) for seed in range(n_seeds))
        smallest = min(len(division.pool) for division in divisions)
        if labels[0] > smallest:
            raise IcefloeError(
                f"{name}: {smallest} images to choose from, and {labels[0]} labels asked for. "
                "Ask for fewer with --labels."
            )
        possible = tuple(count for count in labels if count <= smallest)
        measured = measured_minutes(data.datasets[name], samples)
        found.append(ArrivingDataset(name, before, samples, divisions, possible, measured))
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


def rising_labels(text: str) -> tuple[int, ...]:
    """How many images are labelled after each round, from text such as `1,2,4`.

    Raises
    ------
    IcefloeError
        If these are not whole numbers that rise from 1 or more.
    """
    try:
        labels = tuple(int(count) for count in text.split(","))
    except ValueError as error:
        raise IcefloeError(f"--labels {text}: not whole numbers. Write them like 1,2,4.") from error
    if min(labels) < 1 or list(labels) != sorted(set(labels)):
        raise IcefloeError(
            f"Labels {', '.join(map(str, labels))}: not rising from 1 or more. "
            "Name what is labelled after each round, such as 1,2,4."
        )
    return labels
