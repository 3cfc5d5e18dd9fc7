"""Rows of the study's tables: counted rates, smallest shifts, answers on what moved, spreads."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from icefloe.drift.attribution import Attribution, attribute
from icefloe.drift.benchmark import Benchmark
from icefloe.drift.comparison import Comparison, Comparisons, adjusted_p_values, compare_rows, ratios
from icefloe.drift.config import GateConfig
from icefloe.drift.ice import ICE
from icefloe.drift.patterns import UNKNOWN
from icefloe.ensemble.rows import ImageRow
from icefloe.simulate.standard import Cause, describe_shift
from icefloe.statistics.monotone import first_crossing, rising
from icefloe.statistics.predictive import Predictive, SpreadPrior, experiment_means
from icefloe.statistics.rates import Rate
from studies.gate.design import CAUSES, Scenario, thinned
from studies.kit.study import Record

WANTED_POWER = 0.8
ACCEPTED, NONE = "accepted", "none"
NEW_EVIDENCE = ("spikes", "lines", "boundary_")
"""Columns that older benchmarks lack begin so."""

Measured = Mapping[Scenario, Sequence[ImageRow]]
Compared = Mapping[Scenario, Comparisons]
Alarms = Mapping[Scenario, tuple[str, ...]]
"""Of each experiment the quantities that raised an alarm; none: it is accepted."""

Answers = Mapping[Scenario, Attribution | None]
"""What the gate says moved; None where it accepts."""


def compare(benchmark: Benchmark, measured: Measured, n_images: int, config: GateConfig) -> Compared:
    """Every experiment beside the benchmark, by so many of its images, from the first to the last."""
    fewer = config.model_copy(update={"min_images": min(config.min_images, n_images)})
    return {s: compare_rows(benchmark, thinned(rows, n_images), fewer) for s, rows in measured.items()}


def detect(compared: Compared, config: GateConfig) -> Alarms:
    """Judge every experiment."""
    return {scenario: _alarms(found, config) for scenario, found in compared.items()}


def _alarms(compared: Comparisons, config: GateConfig) -> tuple[str, ...]:
    return tuple(name for name, p in adjusted_p_values(compared).items() if p < config.alpha)


def judge(compared: Compared, config: GateConfig) -> Answers:
    """What `gate.check` says moved."""
    return {s: attribute(ratios(c)) if _alarms(c, config) else None for s, c in compared.items()}


class AlarmRate(Record):
    """How many experiments of one kind the gate does not accept.

    Attributes
    ----------
    evidence, n_images
        What the gate compares: `all`, or what an `older benchmark` has; number of images of each experiment.
    cause, strength
        What departs from the standard and how far; None and 0 for standard experiments.
    """

    evidence: str
    n_images: int
    cause: Cause | None
    strength: float
    rate: Rate


def alarm_rates(evidence: str, n_images: int, alarms: Alarms) -> list[AlarmRate]:
    """A row for the standard experiments, and for each cause and strength."""
    raised: dict[tuple[Cause | None, float], list[bool]] = {}
    for scenario, quantities in alarms.items():
        raised.setdefault((scenario.cause, scenario.strength), []).append(bool(quantities))
    counted = {kind: Rate(hits=sum(found), total=len(found)) for kind, found in raised.items()}
    return [
        AlarmRate(evidence=evidence, n_images=n_images, cause=cause, strength=strength, rate=rate)
        for (cause, strength), rate in counted.items()
    ]


def raised_by(alarms: Alarms) -> dict[str, float]:
    """Share of standard experiments in which a quantity raised an alarm, where any did."""
    standard = [raised for scenario, raised in alarms.items() if scenario.cause is None]
    names = sorted({name for raised in standard for name in raised})
    return {name: sum(name in raised for raised in standard) / len(standard) for name in names}


def without_new_evidence(benchmark: Benchmark) -> Benchmark:
    """The benchmark as of before spikes, lines and the boundary were measured."""
    known = [
        {n: v for n, v in row.values.items() if not n.startswith(NEW_EVIDENCE)} for row in benchmark.rows
    ]
    return Benchmark(
        tuple(replace(row, values=values) for row, values in zip(benchmark.rows, known, strict=True))
    )


def false_alarms_by_benchmark_size(
    measured: Measured,
    sizes: Sequence[int],
    n_draws: int,
    n_images: int,
    config: GateConfig,
    rng: np.random.Generator,
) -> dict[int, Rate]:
    """K standard experiments, drawn at random, as the benchmark, and one more as the new dataset."""
    standard = [thinned(rows, n_images) for scenario, rows in measured.items() if scenario.cause is None]

    def is_alarm(size: int) -> bool:
        *known, new = rng.choice(len(standard), size + 1, replace=False)
        benchmark = Benchmark.from_rows(row for k in known for row in standard[k])
        return bool(_alarms(compare_rows(benchmark, standard[new], config), config))

    return {size: Rate(hits=sum(is_alarm(size) for _ in range(n_draws)), total=n_draws) for size in sizes}


class SmallestShift(Record):
    """Strength from which a shift is detected four times in five, with its 95 % interval.

    None: beyond the strengths measured.
    """

    cause: Cause
    n_images: int
    strength: float | None
    low: float | None
    high: float | None

    def in_words(self, weakest: float) -> str:
        """In the units of the property; `weakest` is the least strength measured."""
        if self.strength is None:
            return "none measured"
        first = "at most " if self.strength <= weakest else ""
        low, high = ("beyond" if end is None else f"{end:.2f}" for end in (self.low, self.high))
        return f"{first}{describe_shift(self.cause, self.strength)} ({self.strength:.2f}, {low}–{high})"


def smallest_detected(
    rates: Iterable[AlarmRate], n_images: int, cause: Cause, rng: np.random.Generator, n_resamples: int = 500
) -> SmallestShift:
    """Where the rate of alarms crosses 80 %.

    The rates are made monotonous (isotonic regression) and interpolated over the logarithm of the strength;
    the interval is a bootstrap over experiments, within each strength.
    """
    own = [row for row in rates if (row.n_images, row.cause) == (n_images, cause)]
    strengths = [row.strength for row in own]
    hits, totals = (np.array([getattr(row.rate, name) for row in own]) for name in ("hits", "total"))
    drawn = rng.binomial(totals, hits / totals, (n_resamples, len(totals)))
    strength, *resampled = (_crossing(strengths, h / totals) for h in (hits, *drawn))
    low, high = np.quantile(resampled, [0.025, 0.975], method="nearest")
    ends = {"strength": strength, "low": low, "high": high}
    measured = {name: float(end) if np.isfinite(end) else None for name, end in ends.items()}
    return SmallestShift(cause=cause, n_images=n_images, **measured)


def _crossing(strengths: Sequence[float], rates: np.ndarray) -> float:
    smoothed = rising(rates)
    if smoothed[0] >= WANTED_POWER:
        return float(strengths[0])
    return float(np.exp(first_crossing(np.log(strengths), smoothed, WANTED_POWER)))


BEFORE_SPREAD = 0.27
"""Spread of uncertainty until 2026-12-01, when the course of an experiment still counted as error."""


class UncertaintyPower(Record):
    """What uncertainty alone shows of one kind of shift, before its test was changed and since.

    Attributes
    ----------
    cause, strength
        What departs from the standard and how far; None and 0 for standard experiments.
    before, now
        Experiments with a p-value below the stated level.
    before_at_level, now_at_level
        Those with a p-value below the one that the stated share of standard experiments stays below: both
        tests then raise as many false alarms.
    """

    cause: Cause | None
    strength: float
    before: Rate
    now: Rate
    before_at_level: Rate
    now_at_level: Rate


def uncertainty_power(compared: Compared, config: GateConfig) -> list[UncertaintyPower]:
    """A row for the standard experiments, and for each cause and strength."""
    name = ICE.uncertainty.name
    now = {scenario: found[name].p_value for scenario, found in compared.items()}
    before = {scenario: _former_p_value(found[name], config) for scenario, found in compared.items()}
    equal = {
        key: float(np.quantile([p for s, p in found.items() if s.cause is None], config.alpha))
        for key, found in (("before", before), ("now", now))
    }
    kinds: dict[tuple[Cause | None, float], list[Scenario]] = {}
    for scenario in compared:
        kinds.setdefault((scenario.cause, scenario.strength), []).append(scenario)

    def below(found: Mapping[Scenario, float], scenarios: Sequence[Scenario], level: float) -> Rate:
        return Rate(hits=sum(found[s] < level for s in scenarios), total=len(scenarios))

    return [
        UncertaintyPower(
            cause=cause,
            strength=strength,
            before=below(before, scenarios, config.alpha),
            now=below(now, scenarios, config.alpha),
            before_at_level=below(before, scenarios, equal["before"]),
            now_at_level=below(now, scenarios, equal["now"]),
        )
        for (cause, strength), scenarios in kinds.items()
    ]


def _former_p_value(found: Comparison, config: GateConfig) -> float:
    reference = list(found.reference.values())
    known, mean = experiment_means(reference), experiment_means([*reference, found.new])[-1]
    prior = SpreadPrior(BEFORE_SPREAD, config.prior_experiments)
    predictive = Predictive([k.mean for k in known], [k.squared_error for k in known], prior)
    return float(predictive.p_value(mean.mean, mean.squared_error, found.quantity.alternative))


class Confusion(Record):
    """Counts of simulated causes by what the gate said.

    Attributes
    ----------
    truths, answers
        Names of rows and columns; the last row is "none", the last columns are "unknown" and "accepted".
    counts : int, shape (rows, columns)
        Number of experiments of the row's cause of which the gate said the column's.
    """

    truths: tuple[str, ...]
    answers: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, names: Sequence[str], pairs: Iterable[tuple[str, str]]) -> "Confusion":
        """Count (truth, answer) pairs."""
        truths, answers = (*names, NONE), (*names, UNKNOWN, ACCEPTED)
        counts = np.zeros((len(truths), len(answers)), int)
        for truth, answer in pairs:
            counts[truths.index(truth), answers.index(answer)] += 1
        return cls(truths=truths, answers=answers, counts=counts.tolist())

    @classmethod
    def by_group(cls, answers: Answers) -> "Confusion":
        """What a microscopist would look at."""
        groups = {cause: group for group, causes in ICE.groups.items() for cause in causes}
        pairs = ((groups.get(s.cause or "", NONE), a.group if a else ACCEPTED) for s, a in answers.items())
        return cls.of(tuple(ICE.groups), pairs)

    @classmethod
    def by_cause(cls, answers: Answers) -> "Confusion":
        """Every cause by itself."""
        pairs = ((s.cause or NONE, a.cause if a else ACCEPTED) for s, a in answers.items())
        return cls.of(CAUSES, pairs)

    @property
    def _alarms(self) -> np.ndarray:
        """Counts of simulated causes that were not accepted."""
        return np.array(self.counts)[:-1, :-1]

    @property
    def accuracy(self) -> Rate:
        """Right answers among alarms; "unknown" is no right answer."""
        return Rate(hits=int(np.trace(self._alarms)), total=int(self._alarms.sum()))

    @property
    def clear(self) -> Rate:
        """Right answers among those alarms of which a cause was named."""
        return Rate(hits=int(np.trace(self._alarms)), total=int(self._alarms[:, :-1].sum()))

    @property
    def chance(self) -> float:
        """Accuracy of always naming the commonest cause among the alarms."""
        return float(self._alarms.sum(axis=1).max() / self._alarms.sum())


class QuantitySpread(Record):
    """One quantity's variation between standard experiments, of logarithms.

    Attributes
    ----------
    words, assumed
        The quantity's name in words, and the standard deviation that the gate starts from.
    centre, deviation
        Mean and standard deviation of the shift from the benchmark.
    statistic
        Root mean square of shift over its standard deviation as the gate has it: 1 where that is right, below
        where the gate is cautious.
    """

    words: str
    centre: float
    deviation: float
    assumed: float
    statistic: float


def measure_spreads(compared: Compared, config: GateConfig) -> list[QuantitySpread]:
    """Of every quantity that is compared in standard experiments."""
    standard = [found for scenario, found in compared.items() if scenario.cause is None]
    spreads = []
    for quantity in ICE.deciding(config):
        own = [found[quantity.name] for found in standard if quantity.name in found]
        shifts, sds = (np.array([getattr(each, name) for each in own]) for name in ("shift", "sd"))
        if len(shifts) > 1:
            spread = QuantitySpread(
                words=quantity.words,
                centre=float(shifts.mean()),
                deviation=float(shifts.std(ddof=1)),
                assumed=quantity.spread.scale,
                statistic=float(np.sqrt(np.mean((shifts / sds) ** 2))),
            )
            spreads.append(spread)
    return spreads
