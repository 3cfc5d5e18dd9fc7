"""A made-up world in which each cause moves one quantity, seen by the gate."""

import numpy as np
import pytest
from scipy import stats

from icefloe.drift.benchmark import Benchmark
from icefloe.drift.evidence import QUANTILE_COLUMNS, QUANTILE_LEVELS
from icefloe.drift.gate import check
from icefloe.ensemble.rows import ImageRow
from studies.gate.design import Scenario, plan

BASES = {"uq_mean": 0.006, "noise": 0.05, "contrast": 0.15, "sharpness": 0.5, "spikes": 40.0, "lines": 0.005}
BASES |= {f"boundary_{n}": v for n, v in (("contrast", 0.1), ("sharpness", 0.4), ("elongation", 1.5))}
BASES |= {"boundary_facets": 0.01, "foreground_fraction": 0.12, "snr": 3.0}
MOVED = {
    "dose": "noise",
    "contrast": "boundary_contrast",
    "defocus": "boundary_sharpness",
    "magnification": "contrast",
    "gain": "lines",
    "xrays": "spikes",
    "shape": "boundary_facets",
}
"""A world in which each cause doubles one quantity at full strength, and moves nothing else."""


def rows(rng, scenario, n=10):
    between = {name: np.exp(0.03 * rng.normal()) for name in BASES}
    if scenario.cause is not None:
        between[MOVED[scenario.cause]] *= 4**scenario.strength
    quantiles = dict(zip(QUANTILE_COLUMNS, stats.norm.ppf(QUANTILE_LEVELS), strict=True))
    return [
        ImageRow(
            scenario.name,
            f"s{i}",
            i,
            {name: base * between[name] * np.exp(0.02 * rng.normal()) for name, base in BASES.items()}
            | quantiles,
        )
        for i in range(n)
    ]


@pytest.fixture(scope="module")
def world():
    """Benchmark, and 12 standard and 2 x 2 experiments of each cause."""
    rng = np.random.default_rng(0)
    benchmark = Benchmark.from_rows(
        row for k in range(2) for row in rows(rng, Scenario(None, 0.0, 100 + k, k))
    )
    return benchmark, {s: rows(rng, s) for s in plan(0, 0, 12, (0.5, 1.0), 2)}


@pytest.fixture(scope="module")
def some(world):
    """Every fourth experiment, and the gate's whole report on it."""
    benchmark, measured = world
    chosen = dict(list(measured.items())[::4])
    return chosen, {scenario: check(benchmark, table) for scenario, table in chosen.items()}
