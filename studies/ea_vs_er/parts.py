"""Which images train, which are asked for, and which nothing is ever trained on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from icefloe.datasets.dataset import Dataset, Sample
from icefloe.datasets.splits import SplitConfig, split_samples
from icefloe.errors import IcefloeError
from studies.material import Material

HALVES = SplitConfig(validation_fraction=0.0, test_fraction=0.5, block_frames=5)
"""An arriving dataset in blocks of time: labels are drawn from one half and scores taken on the other, so
that every version and every seed is scored on the same images."""


@dataclass(frozen=True)
class Parts:
    """Samples by what they are for.

    Attributes
    ----------
    train, validation
        Of the standard datasets.
    tests
        Name of a test set -> its samples: first the standard datasets' together, then each arriving one's.
    pools
        Arriving dataset -> the samples that labels may be drawn from.
    groups
        Sample key -> number of its group of duplicates.
    """

    train: tuple[Sample, ...]
    validation: tuple[Sample, ...]
    tests: dict[str, tuple[Sample, ...]]
    pools: dict[str, tuple[Sample, ...]]
    groups: dict[str, int]

    @classmethod
    def of(
        cls, material: Material, standard: Sequence[str], arriving: Sequence[str], split: SplitConfig
    ) -> "Parts":
        """Divide the datasets.

        Raises
        ------
        IcefloeError
            If a side that is needed is empty.
        """
        datasets = {name: _with_references(material.datasets[name]) for name in (*standard, *arriving)}
        first = split_samples([datasets[name] for name in standard], split)
        samples = {sample.key: sample for dataset in datasets.values() for sample in dataset.samples}

        def at(keys: Sequence[str]) -> tuple[Sample, ...]:
            return tuple(samples[key] for key in keys)

        seen = {material.groups[key] for key in (*first.train, *first.validation)}
        tests, pools = {"-".join(standard): at(first.test)}, {}
        for name in arriving:
            halves = split_samples([datasets[name]], HALVES)
            tests[name] = at([key for key in halves.test if material.groups[key] not in seen])
            pools[name] = at(halves.train)
        parts = cls(at(first.train), at(first.validation), tests, pools, material.groups)
        parts._require_all()
        return parts

    def distinct(self, test: str) -> int:
        """Images of a test set, those that show the same thing counted once."""
        return len({self.groups[sample.key] for sample in self.tests[test]})

    def draw(self, dataset: str, n: int, seed: int) -> tuple[Sample, ...]:
        """Images of an arriving dataset to label: at random, as the paper does, never two of one group.

        Raises
        ------
        IcefloeError
            If there are not so many.
        """
        by_group = {self.groups[sample.key]: sample for sample in reversed(self.pools[dataset])}
        if len(by_group) < n:
            raise IcefloeError(
                f"{dataset}: {n} labels to draw, but {len(by_group)} different images to draw from. "
                "Lower sampling.k of the preset."
            )
        candidates = sorted(by_group.values(), key=lambda sample: sample.index)
        rng = np.random.default_rng((seed, *dataset.encode()))
        chosen = rng.choice(len(candidates), n, replace=False)
        return tuple(candidates[index] for index in sorted(chosen))

    def _require_all(self) -> None:
        sides = {"train": self.train, "validation": self.validation, **self.tests}
        for side, samples in sides.items():
            if not samples:
                what = "test" if side in self.tests else side
                where = side if side in self.tests else next(iter(self.tests))
                raise IcefloeError(f"{where}: no {what} image. Label five or more images of each dataset.")


def _with_references(dataset: Dataset) -> Dataset:
    """The dataset as if every truth kept back were a label, so that it can be split."""
    samples = tuple(
        replace(sample, mask_path=sample.mask_path or sample.truth_path) for sample in dataset.samples
    )
    return replace(dataset, samples=samples)
