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
from icefloe.statistics.rates import Rate
from studies.gate import rows
from studies.gate.design import (
    BENCHMARK_SIZES,
    CAUSES,
    COUNTS,
    N_DRAWS,
    NAMED_FROM,
    PURPOSE,
    STRENGTHS,
    TYPICAL,
    plan,
)
from studies.gate.measure import SimulatedRows, measured_rows, reference_rows
from studies.gate.result import ALL, OLDER, GateResult, JudgedDataset
from studies.gate.rows import Confusion


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
        Paths and services of the workspace, which holds the benchmark's images, and datasets to judge.
    progress
        Told how many experiments are measured.
    ensemble
        Folder of a saved ensemble; None: the champion.
    n_standard, repeats
        Number of experiments without a cause; number of each cause and strength.
    per_day
        Number of experiments that the gate judges in a day, for the false alarms a month.
    processes
        Number of experiments simulated and predicted at once.
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
    older, rates = rows.without_new_evidence(benchmark), []
    for evidence, reference in ((ALL, benchmark), (OLDER, older)):
        for n in COUNTS:
            alarms = rows.detect(rows.compare(reference, measured, n, config), config)
            rates += rows.alarm_rates(evidence, n, alarms)
    of_all = [row for row in rates if row.evidence == ALL]
    typical = rows.compare(benchmark, measured, TYPICAL, config)
    answers = rows.judge(typical, config)
    strong = {s: a for s, a in answers.items() if s.cause is None or s.strength >= NAMED_FROM}

    def named_right(strength: float) -> Rate:
        return Confusion.by_group({s: a for s, a in answers.items() if s.strength == strength}).accuracy

    datasets = load_datasets(settings.data).values()
    known = {row.dataset for row in benchmark.rows}
    reports = [check(benchmark, measured_rows(loaded, d), config) for d in datasets if d.name not in known]
    return GateResult(
        ensemble=name,
        experiments=benchmark.experiments,
        config=config,
        per_day=per_day,
        rates=tuple(rates),
        raised_by=rows.raised_by(rows.detect(typical, config)),
        by_size=rows.false_alarms_by_benchmark_size(measured, BENCHMARK_SIZES, N_DRAWS, TYPICAL, config, rng),
        smallest=tuple(rows.smallest_detected(of_all, n, cause, rng) for cause in CAUSES for n in COUNTS),
        groups=Confusion.by_group(strong),
        causes=Confusion.by_cause(strong),
        by_strength={strength: named_right(strength) for strength in STRENGTHS},
        uncertainty=tuple(rows.uncertainty_power(typical, config)),
        spreads=tuple(rows.measure_spreads(typical, config)),
        datasets=tuple(JudgedDataset.of(report) for report in reports),
        fitted=ICE.model.source,
    )
