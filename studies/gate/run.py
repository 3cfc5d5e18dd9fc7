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
from studies.gate.design import (
    BENCHMARK_SIZES,
    CAUSES,
    COUNTS,
    N_DRAWS,
    PURPOSE,
    STRENGTHS,
    TYPICAL,
    plan,
)
from studies.gate.measure import SimulatedRows, measured_rows, reference_rows
from studies.gate.result import ALL, OLDER, GateResult, JudgedDataset
from studies.gate.rows import (
    Confusion,
    StrengthRate,
    alarm_rates,
    detect,
    false_alarms_by_benchmark_size,
    judge,
    measure_spreads,
    raised_by,
    smallest_detected,
    strong,
    without_new_evidence,
)


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
    settings
        Of the workspace, which holds the benchmark's images, and datasets to judge.
    progress
        Is told how many experiments are measured.
    ensemble
        A saved ensemble's folder.
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
    older = without_new_evidence(benchmark)
    alarms = {n: detect(benchmark, measured, n, config) for n in COUNTS}
    with_all = [row for n, found in alarms.items() for row in alarm_rates(ALL, n, found)]
    with_fewer = [row for n in COUNTS for row in alarm_rates(OLDER, n, detect(older, measured, n, config))]
    answers = judge(benchmark, measured, TYPICAL, config)
    by_size = false_alarms_by_benchmark_size(measured, BENCHMARK_SIZES, N_DRAWS, TYPICAL, config, rng)
    known = {row.dataset for row in benchmark.rows}
    reports = [
        check(benchmark, measured_rows(loaded, dataset), config)
        for dataset in load_datasets(settings.data).values()
        if dataset.name not in known
    ]
    return GateResult(
        ensemble=name,
        experiments=benchmark.experiments,
        config=config,
        per_day=per_day,
        rates=(*with_all, *with_fewer),
        raised_by=raised_by(alarms[TYPICAL]),
        by_size=tuple(by_size),
        smallest=tuple(smallest_detected(with_all, n, cause, rng) for cause in CAUSES for n in COUNTS),
        groups=Confusion.by_group(strong(answers)),
        causes=Confusion.by_cause(strong(answers)),
        by_strength=tuple(
            StrengthRate(
                strength=strength,
                rate=Confusion.by_group(
                    {s: answer for s, answer in answers.items() if s.strength == strength}
                ).accuracy,
            )
            for strength in STRENGTHS
        ),
        spreads=tuple(measure_spreads(benchmark, measured, TYPICAL, config)),
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
