"""Training, validation and test samples, or folds, by blocks of time and never at random over frames."""

import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from icefloe.datasets.dataset import Dataset, Sample
from icefloe.datasets.duplicates import find_groups, merge_links
from icefloe.datasets.label_history import label_batches
from icefloe.datasets.withdrawal import withdrawn_mask
from icefloe.typing import IGNORE

Side = Literal["train", "validation", "test"]
Place = Side | int
"""A side, or the number of a fold."""


class SplitConfig(BaseModel):
    """How labelled images are divided.

    Attributes
    ----------
    validation_fraction, test_fraction
        Parts of the labelled images, about. With folds, `validation_fraction` only helps to place the test
        blocks, so that test images are the same with folds and without.
    folds
        Number of folds into which all labelled images but the test images are divided: each member validates
        on one of them and trains on the others, so that each image can be judged by a member that was not
        trained on it. 0: none; all members share the training and the validation images.
    block_frames
        Wished length of a validation or test block in frames; longer blocks are less alike their neighbours.
        Blocks of folds are as long as two of each fold allow.
    min_labels
        Labels that came together and are fewer than this all train; with folds, none of them is a test image.
    guard_frames
        Training frames left out at each border with a test block, where at least 20 frames are divided; with
        folds, each member leaves out as many at the borders of its own fold.
    held_out_experiments
        Experiments whose labelled images are all test images.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    validation_fraction: float = Field(default=0.2, ge=0, lt=1)
    test_fraction: float = Field(default=0.2, ge=0, lt=1)
    block_frames: int = Field(default=3, ge=1)
    min_labels: int = Field(default=5, ge=1)
    guard_frames: int = Field(default=1, ge=0)
    folds: int = Field(default=0, ge=0)
    held_out_experiments: list[str] = []

    @model_validator(mode="after")
    def _folds_are_several(self) -> "SplitConfig":
        if self.folds == 1:
            raise ValueError("one fold leaves nothing to train; take 2 or more, or 0 for none")
        return self

    @model_validator(mode="after")
    def _leaves_something_to_train(self) -> "SplitConfig":
        if self.validation_fraction + self.test_fraction >= 1:
            raise ValueError("validation_fraction and test_fraction leave nothing to train")
        return self


GUARDED_FROM = 20
"""Least number of frames divided together for guards; below, labels are worth more than the distance."""


@dataclass(frozen=True)
class Split:
    """Sample keys such as `D1/stack_7` by side.

    Attributes
    ----------
    train
        Images that train members; with folds, those of all folds.
    validation
        Images that all members validate on; with folds none, as each member validates on its own fold.
    test
        Images that no member sees.
    guard
        Labelled frames on no side, too near to a test frame.
    folds
        Images of each fold; empty: there are no folds.
    fold_guards
        Per fold, images of other folds that are too near to one of its own: members that validate on the fold
        do not train on them.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]
    guard: tuple[str, ...] = ()
    folds: tuple[tuple[str, ...], ...] = ()
    fold_guards: tuple[tuple[str, ...], ...] = ()

    def side(self, key: str) -> Side | None:
        """Side that the sample is on; None if it is unlabelled or a guard."""
        sides: tuple[Side, ...] = ("train", "validation", "test")
        return next((name for name in sides if key in getattr(self, name)), None)

    @property
    def fold_of(self) -> dict[str, int]:
        """Key -> number of the fold that the sample is in, from 0; samples in none are left out."""
        return {key: number for number, keys in enumerate(self.folds) for key in keys}

    def of_member(self, position: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What a member trains on and validates with.

        Parameters
        ----------
        position
            The member's place in the configuration, from 0; it validates on fold `position` modulo the number
            of folds. Without folds all members are alike.

        Returns
        -------
        train, validation
            Keys.
        """
        if not self.folds:
            return self.train, self.validation
        fold = position % len(self.folds)
        left_out = {*self.folds[fold], *self.fold_guards[fold]}
        return tuple(key for key in self.train if key not in left_out), self.folds[fold]

    def to_dict(self) -> dict[str, Any]:
        """Plain lists of keys, for YAML and JSON."""
        return {
            name: [list(part) if isinstance(part, tuple) else part for part in parts]
            for name, parts in asdict(self).items()
        }

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> "Split":
        """The inverse of `to_dict`; files from before there were folds have none."""
        keys: dict[str, Any] = {
            name: tuple(tuple(part) if isinstance(part, list) else part for part in parts)
            for name, parts in content.items()
        }
        return cls(**keys)


def split_samples(datasets: Sequence[Dataset], config: SplitConfig) -> Split:
    """Divide the labelled samples; the same input gives the same split.

    Each dataset is one recording. Labels that came together (`label_history.label_batches`) are divided
    together into interleaved blocks of time, so that each side sees the whole time range; a batch smaller
    than `min_labels` trains. With folds, what is not a test image is divided among them, again in blocks of
    time, see `fold_blocks`. So a sample once on a side, or in a fold, stays there when labels or datasets are
    added, or a label is withdrawn: its image still takes its place among the others. Duplicates follow the
    first of them, and no group is on two sides or in two folds.

    Parameters
    ----------
    datasets
        In the order in which they joined the study: a duplicate of an earlier dataset's image takes its side.
    config
        Fractions, block length, guards.

    Returns
    -------
    Split
    """
    labelled = [sample for dataset in datasets for sample in dataset.labelled]
    # Unlabelled images count too, or labelling one could change a group and with it where others stand.
    groups = find_groups([sample for dataset in datasets for sample in dataset.samples])
    group_of = {
        key: number
        for number, keys in enumerate(merge_links([group.keys for group in groups]))
        for key in keys
    }
    place_of_group: dict[int, Place] = {}
    places: dict[str, Place] = {}
    guard: set[str] = set()
    fold_guards: list[set[str]] = [set() for _ in range(config.folds)]
    for dataset in datasets:
        n_before = 0
        for batch in label_batches(dataset).values():
            assigned = _places_of_batch(dataset, batch, n_before, group_of, place_of_group, config)
            places.update(assigned)
            n_before += len(batch)
            if len(batch) >= GUARDED_FROM:
                guard |= _guards(batch, assigned, "test", config.guard_frames)
                for fold in range(config.folds):
                    fold_guards[fold] |= _guards(batch, assigned, fold, config.guard_frames)

    def keys(*wanted: Place) -> tuple[str, ...]:
        return tuple(s.key for s in labelled if places[s.key] in wanted and s.key not in guard)

    return Split(
        train=keys("train", *range(config.folds)),
        validation=keys("validation"),
        test=keys("test"),
        guard=tuple(sample.key for sample in labelled if sample.key in guard),
        folds=tuple(keys(fold) for fold in range(config.folds)),
        fold_guards=tuple(
            tuple(sample.key for sample in labelled if sample.key in near - guard) for near in fold_guards
        ),
    )


def time_blocks(weights: Sequence[int], config: SplitConfig) -> list[Side]:
    """Sides of units in time order, in interleaved blocks.

    The time range is divided into equal cycles, each of them train, validation, train, test, train, with the
    training time of a cycle in three equal parts. Ten frames give T V T S T T V T S T.

    Parameters
    ----------
    weights
        Number of frames of each unit (a group of duplicates is one unit).
    config
        Fractions and block length.

    Returns
    -------
    list of str
        `train`, `validation` or `test` for each unit; with three units or more no wished side is empty.
    """
    total = sum(weights)
    rarer = min(
        (part for part in (config.validation_fraction, config.test_fraction) if part > 0), default=0.0
    )
    # At least two cycles where the frames allow, so that no side sits at one end of the experiment.
    n_cycles = max(1, round(total * rarer / config.block_frames), min(2, round(total * rarer)))
    train_part = (1 - config.validation_fraction - config.test_fraction) / 3
    validation_start = train_part
    validation_end = validation_start + config.validation_fraction
    test_start = validation_end + train_part
    test_end = test_start + config.test_fraction
    phases, elapsed = [], 0.0
    for weight in weights:
        phases.append((elapsed + weight / 2) / total * n_cycles % 1)
        elapsed += weight
    sides: list[Side] = []
    for phase in phases:
        if validation_start <= phase < validation_end:
            sides.append("validation")
        elif test_start <= phase < test_end:
            sides.append("test")
        else:
            sides.append("train")
    wanted: list[tuple[Side, float, float]] = [
        ("validation", config.validation_fraction, (validation_start + validation_end) / 2),
        ("test", config.test_fraction, (test_start + test_end) / 2),
        ("train", train_part, 0.5),
    ]
    for side, fraction, centre in wanted:
        if fraction > 0 and side not in sides and len(sides) >= 3:
            spare = [position for position, taken in enumerate(sides) if sides.count(taken) > 1]
            nearest = np.argmin([abs(phases[position] - centre) for position in spare])
            sides[spare[nearest]] = side
    return sides


def fold_blocks(shares: Sequence[float], n_folds: int, first: int = 0) -> list[int]:
    """Folds of units in time order: blocks of nearly equal length, those alike in content in several folds.

    Every fold has two blocks where the units allow, and no more: longer blocks are less alike their
    neighbours, and have fewer borders to guard. The blocks with the most foreground are one in each fold, and
    each is joined by one of those with the least: a member that left an experiment's largest objects out
    would know small ones only. Without a difference, eight units and three folds give 0 0 1 1 2 2 1 0.

    Parameters
    ----------
    shares
        Foreground share of each unit; a group of duplicates is one unit.
    n_folds
        Number of folds.
    first
        The fold that gets the block with the most foreground.
    """
    n_blocks = n_folds * (2 if len(shares) >= 2 * n_folds else 1)
    blocks = np.array_split(np.asarray(shares, dtype=float), n_blocks)
    filled = [number for number, block in enumerate(blocks) if len(block)]
    most = sorted(filled, key=lambda number: -float(np.mean(blocks[number])))
    fold_of = {
        number: (first + (rank if rank < n_folds else 2 * n_folds - 1 - rank)) % n_folds
        for rank, number in enumerate(most)
    }
    return [fold_of[number] for number in filled for _ in blocks[number]]


def _places_of_batch(
    dataset: Dataset,
    batch: list[Sample],
    n_before: int,
    group_of: dict[str, int],
    place_of_group: dict[int, Place],
    config: SplitConfig,
) -> dict[str, Place]:
    """Places of one batch's samples; remembers in `place_of_group` where each group of duplicates now is."""
    units: dict[int | str, list[Sample]] = {}
    for sample in batch:
        units.setdefault(group_of.get(sample.key, sample.key), []).append(sample)
    if dataset.info.experiment in config.held_out_experiments:
        sides: list[Side] = ["test"] * len(units)
    elif len(batch) < config.min_labels:
        sides = ["train"] * len(units)
    else:
        sides = time_blocks([len(unit) for unit in units.values()], config)
    places = _in_folds(dataset, list(units.values()), sides, n_before, config) if config.folds else sides
    assigned: dict[str, Place] = {}
    for (unit, members), place in zip(units.items(), places, strict=True):
        if isinstance(unit, int):
            place = place_of_group.setdefault(unit, place)
        assigned.update(dict.fromkeys((sample.key for sample in members), place))
    return assigned


def _in_folds(
    dataset: Dataset, units: list[list[Sample]], sides: list[Side], n_before: int, config: SplitConfig
) -> Sequence[Place]:
    """The sides of one batch's units, those that are not on the test side replaced by folds."""
    shares = [_foreground(unit) for unit, side in zip(units, sides, strict=True) if side != "test"]
    # By name, so that the first labels of several datasets are not all in one fold, and stay where they are.
    first = zlib.crc32(dataset.name.encode()) + n_before
    folds = iter(fold_blocks(shares, config.folds, first))
    return [side if side == "test" else next(folds) for side in sides]


def _foreground(unit: list[Sample]) -> float:
    """Mean share of the labelled pixels that are no background, in masks that were withdrawn as well."""
    masks = [sample.mask() if sample.is_labelled else withdrawn_mask(sample) for sample in unit]
    return float(
        np.mean([np.mean(mask[mask != IGNORE] > 0) if (mask != IGNORE).any() else 0 for mask in masks])
    )


def _guards(batch: list[Sample], places: dict[str, Place], kept: Place, n_frames: int) -> set[str]:
    """Frames to train on that are too near to one that is kept for the side or fold `kept`."""
    kept_indices = {sample.index for sample in batch if places[sample.key] == kept}
    near = {index + step for index in kept_indices for step in range(-n_frames, n_frames + 1)}
    trains = {"train", *(fold for fold in places.values() if isinstance(fold, int))} - {kept}
    return {sample.key for sample in batch if places[sample.key] in trains and sample.index in near}
