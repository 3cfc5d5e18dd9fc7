"""Which experiments are simulated: standard ones, and every cause at every strength."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np

from icefloe.ensemble.rows import ImageRow
from icefloe.simulate.standard import Cause

CAUSES: tuple[Cause, ...] = get_args(Cause)
PURPOSE = 0
COUNTS = (3, 5, 10, 20)
"""Numbers of images that the gate is asked with."""

TYPICAL = 10
"""Images where one number of them is shown."""

BENCHMARK_SIZES = (1, 2, 3, 5, 10)
STRENGTHS = (0.05, 0.1, 0.25, 0.5, 0.75, 1.0)
N_DRAWS = 400
"""Random benchmarks of each size."""

NAMED_FROM = 0.5
"""Strength from which the confusion matrix counts: weaker shifts are mostly accepted, as they should be."""


@dataclass(frozen=True)
class Scenario:
    """A simulated experiment.

    Attributes
    ----------
    cause, strength
        What departs from the standard and how far, in (0, 1]; None and 0 for a standard experiment.
    repeat
        Number of the draw, from 0.
    seed
        Seed of the draw of its properties and of the simulation.
    """

    cause: Cause | None
    strength: float
    repeat: int
    seed: int

    @property
    def name(self) -> str:
        """Unique in a plan."""
        return f"{self.cause or 'standard'}-{self.strength:g}-{self.repeat}"


def plan(
    purpose: int, seed: int, n_standard: int, strengths: Sequence[float], repeats: int
) -> list[Scenario]:
    """Standard experiments, and every cause at every strength.

    Parameters
    ----------
    purpose, seed
        Whole numbers; plans that differ in either share no draw.
    n_standard, strengths, repeats
        Number of experiments without a cause; strengths in (0, 1]; number of each cause and strength.
    """
    wanted: list[tuple[Cause | None, float, int]] = [(None, 0.0, i) for i in range(n_standard)]
    wanted += [(cause, s, i) for cause in CAUSES for s in strengths for i in range(repeats)]
    seeds = np.random.SeedSequence(seed, spawn_key=(purpose,)).generate_state(len(wanted), np.uint64)
    return [Scenario(*which, int(drawn)) for which, drawn in zip(wanted, seeds, strict=True)]


def thinned(rows: Sequence[ImageRow], n: int) -> list[ImageRow]:
    """`n` of an experiment's images, evenly spaced from the first to the last."""
    return [rows[i] for i in np.linspace(0, len(rows) - 1, n).round().astype(int)]
