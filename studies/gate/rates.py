"""Counted rates with exact intervals: false alarms, and detections by cause, strength and images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from icefloe.drift.benchmark import Benchmark
from icefloe.drift.comparison import adjusted_p_values, compare_rows
from icefloe.drift.config import GateConfig
from icefloe.simulate.standard import Cause
from icefloe.statistics.monotone import first_crossing, rising
from icefloe.statistics.rates import Rate
from studies.gate.simulation import Rows, Scenario, thinned

WANTED_POWER = 0.8
DAYS_A_MONTH = 365.25 / 12


@dataclass(frozen=True)
class Detections:
    """Which experiments the gate did not accept.

    Attributes
    ----------
    alarms
        By number of images: scenario: names of the quantities that raised an alarm.
    """

    alarms: Mapping[int, Mapping[Scenario, tuple[str, ...]]]

    def rate(self, n_images: int, cause: Cause | None, strength: float) -> Rate:
        """Share not accepted."""
        found = [
            bool(a) for s, a in self.alarms[n_images].items() if (s.cause, s.strength) == (cause, strength)
        ]
        return Rate(hits=sum(found), total=len(found))

    def false_alarms_by_quantity(self, n_images: int) -> dict[str, float]:
        """Share of standard experiments in which a quantity raised an alarm, where any did."""
        standard = [alarms for s, alarms in self.alarms[n_images].items() if s.cause is None]
        names = sorted({name for alarms in standard for name in alarms})
        return {name: sum(name in alarms for alarms in standard) / len(standard) for name in names}

    @property
    def strengths(self) -> tuple[float, ...]:
        """Of the shifts, ascending."""
        scenarios = next(iter(self.alarms.values()))
        return tuple(sorted({s.strength for s in scenarios if s.cause is not None}))

    def smallest(
        self, n_images: int, cause: Cause, rng: np.random.Generator, n_resamples: int = 500
    ) -> "Smallest":
        """Strength from which the detection rate is at least 80 %, and its 95 % interval.

        The rates are made monotonous (isotonic regression) and interpolated over the logarithm of the
        strength; the interval is a bootstrap over experiments, within each strength.
        """
        rates = [self.rate(n_images, cause, strength) for strength in self.strengths]
        hits, totals = (np.array([getattr(rate, name) for rate in rates]) for name in ("hits", "total"))
        drawn = rng.binomial(totals, hits / totals, (n_resamples, len(totals)))
        crossings = [_crossing(self.strengths, h / totals) for h in (hits, *drawn)]
        low, high = np.quantile(crossings[1:], [0.025, 0.975], method="nearest")
        return Smallest(cause, n_images, crossings[0], float(low), float(high))


@dataclass(frozen=True)
class Smallest:
    """Smallest strength that is detected four times in five; infinite beyond the strengths measured."""

    cause: Cause
    n_images: int
    strength: float
    low: float
    high: float


def _crossing(strengths: Sequence[float], rates: np.ndarray) -> float:
    smoothed = rising(rates)
    if smoothed[0] >= WANTED_POWER:
        return float(strengths[0])
    return float(np.exp(first_crossing(np.log(strengths), smoothed, WANTED_POWER)))


def detect(
    benchmark: Benchmark, measured: Mapping[Scenario, Rows], counts: Sequence[int], config: GateConfig
) -> Detections:
    """Judge every experiment by its first-to-last `n` images, for each n in `counts`."""
    alarms = {}
    for n in counts:
        fewer = config.model_copy(update={"min_images": min(config.min_images, n)})
        alarms[n] = {
            scenario: tuple(
                name
                for name, p in adjusted_p_values(compare_rows(benchmark, thinned(rows, n), fewer)).items()
                if p < config.alpha
            )
            for scenario, rows in measured.items()
        }
    return Detections(alarms)


def without_new_evidence(benchmark: Benchmark) -> Benchmark:
    """The benchmark as of before spikes, lines and the boundary were measured."""
    names = ("spikes", "lines", "boundary_")
    return Benchmark(
        tuple(
            replace(r, values={k: v for k, v in r.values.items() if not k.startswith(names)})
            for r in benchmark.rows
        )
    )


def false_alarms_by_benchmark_size(
    measured: Mapping[Scenario, Rows],
    sizes: Sequence[int],
    n_draws: int,
    n_images: int,
    config: GateConfig,
    rng: np.random.Generator,
) -> dict[int, Rate]:
    """K standard experiments, drawn at random, as the benchmark, and one more as the new dataset."""
    standard = [thinned(rows, n_images) for scenario, rows in measured.items() if scenario.cause is None]
    rates = {}
    for size in sizes:
        hits = 0
        for _ in range(n_draws):
            *known, new = rng.choice(len(standard), size + 1, replace=False)
            benchmark = Benchmark.from_rows(row for k in known for row in standard[k])
            compared = compare_rows(benchmark, standard[new], config)
            hits += min(adjusted_p_values(compared).values()) < config.alpha
        rates[size] = Rate(hits=hits, total=n_draws)
    return rates
