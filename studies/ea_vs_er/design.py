"""Which networks are trained, on which images, and which of them are an EA, an ER, or alone."""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from icefloe.datasets.dataset import Dataset, Sample
from icefloe.datasets.splits import SplitConfig, split_samples
from icefloe.errors import IcefloeError
from icefloe.models.spec import MemberSpec
from studies.kit.data import StudyData

Seeds = tuple[int, ...]
Networks = tuple[str, ...]
"""Names of the networks that make one ensemble."""

Family = dict[Seeds, tuple[Networks, ...]]
"""Ensembles of one kind by the seeds they are made of; those of one set of seeds are averaged."""

EA, ALL = "EA", "all networks"
LEAST_SEEDS = 3

HALVES = SplitConfig(validation_fraction=0.0, test_fraction=0.5, block_frames=5)
"""An arriving dataset in blocks of time: labels are drawn from one half and scores taken on the other, so
that every version and every seed is scored on the same images."""


@dataclass(frozen=True)
class Design:
    """Every architecture with every seed, and ensembles of one size made of these networks.

    An EA has one network each of `size` architectures, all of one seed. An ER-i has `size` seeds of
    architecture i. All are made of the same networks, so nothing but the choice of architectures differs.

    Attributes
    ----------
    architectures
        Name in tables -> encoder, decoder and first weights; the seed is ignored.
    n_seeds
        Networks of each architecture, with seeds 0, 1, ...
    """

    architectures: dict[str, MemberSpec]
    n_seeds: int

    @classmethod
    def of(cls, members: Sequence[MemberSpec], n_seeds: int) -> "Design":
        """The members of a preset, each as an architecture.

        Raises
        ------
        IcefloeError
            If there are fewer than two architectures or three seeds, or one architecture comes twice.
        """
        if n_seeds < LEAST_SEEDS:
            raise IcefloeError(
                f"{n_seeds} seeds: an ER needs two and its interval one more. Use at least {LEAST_SEEDS}."
            )
        # A decoder is named only where it is needed to tell two architectures apart.
        encoders = Counter(member.encoder for member in members)
        names = [
            member.encoder if encoders[member.encoder] == 1 else f"{member.encoder}-{member.decoder}"
            for member in members
        ]
        if len(set(names)) < max(2, len(names)):
            raise IcefloeError(
                f"The members {', '.join(member.name for member in members)} are not two or more different "
                "architectures. Use a preset with one member an architecture."
            )
        return cls(dict(zip(names, members, strict=True)), n_seeds)

    @property
    def seeds(self) -> range:
        """All seeds."""
        return range(self.n_seeds)

    @property
    def size(self) -> int:
        """Networks in an ensemble: as many as there are architectures, and fewer than seeds.

        With as many as seeds, every ER would hold every seed, and nothing would tell how much seeds matter.
        """
        return min(len(self.architectures), self.n_seeds - 1)

    @cached_property
    def specs(self) -> dict[str, MemberSpec]:
        """Every network by its name, architecture by architecture."""
        specs = [
            member.model_copy(update={"seed": seed})
            for member in self.architectures.values()
            for seed in self.seeds
        ]
        return {spec.name: spec for spec in specs}

    def network(self, architecture: str, seed: int) -> str:
        """Name of a network."""
        return self.architectures[architecture].model_copy(update={"seed": seed}).name

    @property
    def ea(self) -> Family:
        """EAs: one a seed; where architectures are more than `size`, one a seed and run of neighbours.

        Runs go round, so that every architecture is in as many of them.
        """
        names = list(self.architectures)
        starts = range(len(names) if self.size < len(names) else 1)
        choices = [[*names, *names][start : start + self.size] for start in starts]
        return {
            (seed,): tuple(tuple(self.network(name, seed) for name in choice) for choice in choices)
            for seed in self.seeds
        }

    def er(self, architecture: str) -> Family:
        """ERs of an architecture: one a set of `size` seeds. Sets overlap; see `pseudo_values`."""
        return {
            chosen: (tuple(self.network(architecture, seed) for seed in chosen),)
            for chosen in itertools.combinations(self.seeds, self.size)
        }

    def alone(self, architecture: str) -> Family:
        """An architecture's networks one by one."""
        return {(seed,): ((self.network(architecture, seed),),) for seed in self.seeds}

    @property
    def families(self) -> dict[str, Family]:
        """Everything that is compared before any retraining, by its name in tables."""
        return {
            EA: self.ea,
            **{er_name(name): self.er(name) for name in self.architectures},
            **{f"one {name}": self.alone(name) for name in self.architectures},
            ALL: {tuple(self.seeds): (tuple(self.specs),)},
        }


def er_name(architecture: str) -> str:
    """How tables call an ER-i."""
    return f"ER {architecture}"


@dataclass(frozen=True)
class ImageSplit:
    """Samples by their use.

    Attributes
    ----------
    train, validation
        Samples of the standard datasets that T1 is trained on and validated with.
    tests
        Name of a test set -> its samples: first the standard datasets' together, then each arriving one's.
    pools
        Arriving dataset -> the samples that labels may be drawn from.
    """

    data: StudyData
    train: tuple[Sample, ...]
    validation: tuple[Sample, ...]
    tests: dict[str, tuple[Sample, ...]]
    pools: dict[str, tuple[Sample, ...]]

    @classmethod
    def of(
        cls, data: StudyData, standard: Sequence[str], arriving: Sequence[str], config: SplitConfig
    ) -> "ImageSplit":
        """Divide the datasets.

        Raises
        ------
        IcefloeError
            If a side that is needed is empty.
        """
        datasets = {name: _with_references(data.datasets[name]) for name in (*standard, *arriving)}
        first = split_samples([datasets[name] for name in standard], config)
        samples = {sample.key: sample for dataset in datasets.values() for sample in dataset.samples}

        def at(keys: Sequence[str]) -> tuple[Sample, ...]:
            return tuple(samples[key] for key in keys)

        known = {data.groups[key] for key in (*first.train, *first.validation)}
        standard_tests = "-".join(standard)
        tests, pools = {standard_tests: at(first.test)}, {}
        for name in arriving:
            halves = split_samples([datasets[name]], HALVES)
            tests[name] = at([key for key in halves.test if data.groups[key] not in known])
            pools[name] = at(halves.train)
        train, validation = at(first.train), at(first.validation)
        for side, found in {"train": train, "validation": validation, **tests}.items():
            if not found:
                what, where = ("test", side) if side in tests else (side, standard_tests)
                raise IcefloeError(f"{where}: no {what} image. Label five or more images of each dataset.")
        return cls(data, train, validation, tests, pools)

    def draw(self, dataset: str, n: int, seed: int) -> tuple[Sample, ...]:
        """Images of an arriving dataset to label: at random, as the paper does, never two of one group.

        Raises
        ------
        IcefloeError
            If there are not so many.
        """
        candidates = sorted(self.data.distinct(self.pools[dataset]), key=lambda sample: sample.index)
        if len(candidates) < n:
            raise IcefloeError(
                f"{dataset}: {n} labels to draw, but {len(candidates)} different images to draw from. "
                "Lower sampling.k of the preset."
            )
        rng = np.random.default_rng((seed, *dataset.encode()))
        chosen = rng.choice(len(candidates), n, replace=False)
        return tuple(candidates[index] for index in sorted(chosen))


def _with_references(dataset: Dataset) -> Dataset:
    """The dataset as if every truth kept back were a label, so that it can be split."""
    samples = tuple(
        replace(sample, mask_path=sample.mask_path or sample.truth_path) for sample in dataset.samples
    )
    return replace(dataset, samples=samples)
