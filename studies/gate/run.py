"""The gate measured with one ensemble."""

import tempfile
from pathlib import Path

import numpy as np

from icefloe.datasets.dataset import load_datasets
from icefloe.drift.benchmark import Benchmark
from icefloe.drift.config import GateConfig
from icefloe.drift.gate import check
from icefloe.drift.ice import ICE
from icefloe.ensemble.ensemble import Ensemble
from icefloe.progress import SILENT, Progress
from icefloe.registry.registry import Registry
from icefloe.settings import Settings
from studies.gate import rows
from studies.gate.design import BENCHMARK_SIZES, CAUSES, COUNTS, N_DRAWS, PURPOSE, STRENGTHS, TYPICAL, plan
from studies.gate.measure import SimulatedRows, measured_rows, reference_rows
from studies.gate.result import ALL, OLDER, GateResult, JudgedDataset
from studies.gate.rows import Confusion, StrengthRate


def run_gate(
    settings: Settings,
    progress: Progress = SILENT,
    *,
    ensemble: Path | None = None,
    n_standard: int = 200,
    repeats: int = 12,
    per_day: float = 4.0,
    processes: int = 2,
    seed: int = 0,
) -> GateResult:
    """Measure the gate with a saved ensemble; with None, with the workspace's champion.

    What simulated experiments measured is kept in the workspace: an interrupted study goes on from it.

    Parameters
    ----------
    settings, progress
        Of the workspace, which holds the benchmark's images, and datasets to judge; is told how many
        experiments are measured.
    n_standard, repeats
        Experiments without a cause; of each cause and strength.
    per_day
        Experiments that the gate sees in a day, for the false alarms a month.
    processes
        Experiments simulated and predicted at once.
    seed
        Draws the experiments; none of them is one that the attribution was fitted on.

    Raises
    ------
    IcefloeError
        If there is no champion, or the benchmark's images are not among the datasets.
    """
    config = GateConfig()
    with tempfile.TemporaryDirectory() as scratch:
        if ensemble is None:
            registry = Registry(settings)
            name = registry.get("champion").name
            directory = registry.download(name, Path(scratch) / name)
        else:
            directory, name = ensemble, ensemble.resolve().name
        loaded = Ensemble.load(directory)
        benchmark = Benchmark.from_rows(reference_rows(loaded, settings.data))
        simulated = SimulatedRows(directory, settings.state / "gate", COUNTS[-1], processes)
        measured = simulated.measure(plan(PURPOSE, seed, n_standard, STRENGTHS, repeats), progress)
    rng = np.random.default_rng(seed)
    older = rows.without_new_evidence(benchmark)
    alarms = {n: rows.detect(benchmark, measured, n, config) for n in COUNTS}
    fewer = {n: rows.detect(older, measured, n, config) for n in COUNTS}
    rates, of_older = (
        [row for n, found in each.items() for row in rows.alarm_rates(kind, n, found)]
        for kind, each in ((ALL, alarms), (OLDER, fewer))
    )
    answers = rows.judge(benchmark, measured, TYPICAL, config)
    by_size = rows.false_alarms_by_benchmark_size(measured, BENCHMARK_SIZES, N_DRAWS, TYPICAL, config, rng)
    known = {row.dataset for row in benchmark.rows}
    reports = [
        check(benchmark, measured_rows(loaded, dataset), config)
        for dataset in load_datasets(settings.data).values()
        if dataset.name not in known
    ]

    def named_right(strength: float) -> StrengthRate:
        own = {scenario: answer for scenario, answer in answers.items() if scenario.strength == strength}
        return StrengthRate(strength=strength, rate=Confusion.by_group(own).accuracy)

    return GateResult(
        ensemble=name,
        experiments=benchmark.experiments,
        config=config,
        per_day=per_day,
        rates=(*rates, *of_older),
        raised_by=rows.raised_by(alarms[TYPICAL]),
        by_size=tuple(by_size),
        smallest=tuple(rows.smallest_detected(rates, n, cause, rng) for cause in CAUSES for n in COUNTS),
        groups=Confusion.by_group(rows.strong(answers)),
        causes=Confusion.by_cause(rows.strong(answers)),
        by_strength=tuple(named_right(strength) for strength in STRENGTHS),
        spreads=tuple(rows.measure_spreads(benchmark, measured, TYPICAL, config)),
        datasets=tuple(
            JudgedDataset(
                dataset=report.dataset,
                outcome=report.outcome,
                decided_by=report.decided_by,
                causes=report.attribution.probabilities if report.attribution else {},
            )
            for report in reports
        ),
        fitted=ICE.model.source,
    )
