"""Which networks are trained, and which of them are an EA, an ER, or stand alone."""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from icefloe.errors import IcefloeError
from icefloe.models.spec import MemberSpec

Seeds = tuple[int, ...]
Networks = tuple[str, ...]
"""Names of the networks that make one ensemble."""

Family = dict[Seeds, tuple[Networks, ...]]
"""Ensembles of one kind by the seeds they are made of; those of one set of seeds are averaged."""

EA, ALL = "EA", "all networks"
LEAST_SEEDS = 3


@dataclass(frozen=True)
class Design:
    """Every architecture with every seed, and ensembles of one size made of these networks.

    An EA has one network each of `size` architectures, all of one seed. An ER-i has `size` seeds of
    architecture i. All are made of the same networks, so nothing but the choice of architectures differs.

    Attributes
    ----------
    architectures
        Name in tables -> its member, whatever its seed.
    n_seeds
        Seeds of each architecture, from 0 up.
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
        """ERs of an architecture: one a set of `size` seeds. Sets overlap; see `intervals.pseudo_values`."""
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
            **{alone_name(name): self.alone(name) for name in self.architectures},
            ALL: {tuple(self.seeds): (tuple(self.specs),)},
        }


def er_name(architecture: str) -> str:
    """How tables call an ER-i."""
    return f"ER {architecture}"


def alone_name(architecture: str) -> str:
    """How tables call a network alone."""
    return f"one {architecture}"
