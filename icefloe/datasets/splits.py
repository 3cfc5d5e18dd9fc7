"""Training, validation and test samples, by blocks of time and never at random over frames."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from icefloe.datasets.dataset import Dataset, Sample
from icefloe.datasets.duplicates import find_groups, merge_links
from icefloe.datasets.label_history import label_batches

Side = Literal["train", "validation", "test"]


class SplitConfig(BaseModel):
    """How labelled images are divided.

    Attributes
    ----------
    validation_fraction, test_fraction
        Parts of the labelled images, about.
    block_frames
        Wished length of a validation or test block in frames; longer blocks are less alike their neighbours.
    min_labels
        Labels that came together and are fewer than this all train.
    guard_frames
        Training frames left out at each border with a test block, where at least 20 frames are divided.
    held_out_experiments
        Experiments whose labelled images are all test images.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    validation_fraction: float = Field(default=0.2, ge=0, lt=1)
    test_fraction: float = Field(default=0.2, ge=0, lt=1)
    block_frames: int = Field(default=3, ge=1)
    min_labels: int = Field(default=5, ge=1)
    guard_frames: int = Field(default=1, ge=0)
    held_out_experiments: list[str] = []

    @model_validator(mode="after")
    def _leaves_something_to_train(self) -> "SplitConfig":
        if self.validation_fraction + self.test_fraction >= 1:
            raise ValueError("validation_fraction and test_fraction leave nothing to train")
        return self


GUARDED_FROM = 20
"""Least number of frames divided together for guards; below, labels are worth more than the distance."""


@dataclass(frozen=True)
class Split:
    """Sample keys such as `D1/stack_7` by side; `guard` are the labelled frames on neither side."""

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]
    guard: tuple[str, ...] = ()

    def side(self, key: str) -> Side | None:
        """Side that the sample is on; None if it is unlabelled or a guard."""
        sides: tuple[Side, ...] = ("train", "validation", "test")
        return next((name for name in sides if key in getattr(self, name)), None)

    def to_dict(self) -> dict[str, list[str]]:
        """Plain lists of keys, for YAML and JSON."""
        return {name: list(keys) for name, keys in asdict(self).items()}

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> "Split":
        """The inverse of `to_dict`."""
        return cls(**{name: tuple(keys) for name, keys in content.items()})


def split_samples(datasets: Sequence[Dataset], config: SplitConfig) -> Split:
    """Divide the labelled samples; the same input gives the same split.

    Each dataset is one recording. Labels that came together (`label_history.label_batches`) are divided
    together into interleaved blocks of time, so that each side sees the whole time range; a batch smaller
    than `min_labels` trains. So a sample once on a side stays there when labels or datasets are added.
    Duplicates follow the first of them, and no group is on two sides.

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
    side_of_group: dict[int, Side] = {}
    sides: dict[str, Side] = {}
    guard: set[str] = set()
    for dataset in datasets:
        for batch in label_batches(dataset).values():
            assigned = _sides_of_batch(dataset, batch, group_of, side_of_group, config)
            sides.update(assigned)
            if len(batch) >= GUARDED_FROM:
                guard |= _guards(batch, assigned, config.guard_frames)

    def keys(side: Side) -> tuple[str, ...]:
        return tuple(s.key for s in labelled if sides[s.key] == side and s.key not in guard)

    dropped = tuple(sample.key for sample in labelled if sample.key in guard)
    return Split(keys("train"), keys("validation"), keys("test"), dropped)


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


def _sides_of_batch(
    dataset: Dataset,
    batch: list[Sample],
    group_of: dict[str, int],
    side_of_group: dict[int, Side],
    config: SplitConfig,
) -> dict[str, Side]:
    """Sides of one batch's samples; remembers in `side_of_group` where each group of duplicates now is."""
    units: dict[int | str, list[Sample]] = {}
    for sample in batch:
        units.setdefault(group_of.get(sample.key, sample.key), []).append(sample)
    if dataset.info.experiment in config.held_out_experiments:
        sides: list[Side] = ["test"] * len(units)
    elif len(batch) < config.min_labels:
        sides = ["train"] * len(units)
    else:
        sides = time_blocks([len(unit) for unit in units.values()], config)
    assigned: dict[str, Side] = {}
    for (unit, members), side in zip(units.items(), sides, strict=True):
        if isinstance(unit, int):
            side = side_of_group.setdefault(unit, side)
        assigned.update(dict.fromkeys((sample.key for sample in members), side))
    return assigned


def _guards(batch: list[Sample], sides: dict[str, Side], n_frames: int) -> set[str]:
    tested = {sample.index for sample in batch if sides[sample.key] == "test"}
    near_test = {index + step for index in tested for step in range(-n_frames, n_frames + 1)}
    return {sample.key for sample in batch if sides[sample.key] == "train" and sample.index in near_test}
