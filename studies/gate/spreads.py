"""How standard experiments vary: the source of the spreads in `GateConfig`."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from icefloe.drift.benchmark import Benchmark
from icefloe.drift.comparison import compare_rows
from icefloe.drift.config import GateConfig
from icefloe.drift.ice import ICE
from studies.gate.simulation import Rows, Scenario, thinned


@dataclass(frozen=True)
class SpreadFound:
    """One quantity's variation, of logarithms.

    Attributes
    ----------
    words
        The quantity.
    centre, deviation
        Mean and standard deviation, over standard experiments, of their shift from the benchmark.
    assumed
        The spread that the gate starts from.
    statistic
        Root mean square of shift over its standard deviation as the gate has it: 1 where that is right, below
        where the gate is cautious.
    """

    words: str
    centre: float
    deviation: float
    assumed: float
    statistic: float


def measure_spreads(
    benchmark: Benchmark, measured: Mapping[Scenario, Rows], n_images: int, config: GateConfig
) -> list[SpreadFound]:
    """Of every quantity that is compared in standard experiments, by `n_images` of each."""
    effects = [
        compare_rows(benchmark, thinned(rows, n_images), config)
        for scenario, rows in measured.items()
        if scenario.cause is None
    ]
    found = []
    for quantity in ICE.deciding(config):
        shifts, sds = (
            np.array([getattr(e[quantity.name], name) for e in effects if quantity.name in e])
            for name in ("shift", "sd")
        )
        if len(shifts) > 1:
            found.append(
                SpreadFound(
                    quantity.words,
                    float(shifts.mean()),
                    float(shifts.std(ddof=1)),
                    quantity.spread.scale,
                    float(np.sqrt(np.mean((shifts / sds) ** 2))),
                )
            )
    return found
