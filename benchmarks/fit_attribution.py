"""Fit what each cause does to the gate's quantities, for the attribution of shifts.

    python benchmarks/fit_attribution.py ENSEMBLE --data data

simulates experiments with single causes, compares them with the ensemble's benchmark, and writes
`icefloe/drift/ice.yaml`. The study of the gate judges the result on other experiments.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from icefloe.drift.benchmark import Benchmark
from icefloe.drift.comparison import compare_rows, ratios
from icefloe.drift.config import GateConfig
from icefloe.drift.ice import ICE
from icefloe.drift.patterns import AttributionModel, CauseModel
from icefloe.ensemble.ensemble import Ensemble
from icefloe.files import write_text_atomic
from icefloe.progress import Lines
from studies.gate.design import CAUSES, Scenario, plan
from studies.gate.measure import Rows, SimulatedRows, reference_rows

PURPOSE = 1
STRENGTHS = (0.1, 0.25, 0.5, 0.75, 1.0)
SHRINKAGE = 0.1
"""Correlations of a hundred experiments are known to about this."""

Array = NDArray[np.float64]


def fit_attribution(
    benchmark: Benchmark, measured: Mapping[Scenario, Rows], source: str, config: GateConfig | None = None
) -> AttributionModel:
    """The model of every cause among the experiments measured.

    Effects are taken from the mean effect of standard experiments, not from the benchmark: what sets this
    benchmark apart (few experiments, familiar to the ensemble) is no cause's doing.

    Parameters
    ----------
    benchmark
        What the experiments are compared with.
    measured
        Experiments without a cause, and with each cause at several strengths, several of each.
    source
        How they were made, in words.
    """
    config = config or GateConfig()
    names = tuple(q.name for q in ICE.deciding(config) if q.is_ratio)
    effects = {scenario: _effects(benchmark, rows, names, config) for scenario, rows in measured.items()}
    standard = np.array([effect for scenario, effect in effects.items() if scenario.cause is None])
    centre, spread = _mean(standard), _sd(standard)
    causes = {}
    for cause in CAUSES:
        strengths = sorted({scenario.strength for scenario in effects if scenario.cause == cause})
        tables = [
            np.array([e for s, e in effects.items() if (s.cause, s.strength) == (cause, strength)])
            for strength in strengths
        ]
        causes[cause] = CauseModel(
            strengths=tuple(strengths),
            effects=_plain(_filled([_mean(table) - centre for table in tables])),
            scatter=_plain(_filled([_beyond(_sd(table), spread) for table in tables])),
        )
    return AttributionModel(
        source=source, quantities=names, correlation=_plain(_correlation(standard)), causes=causes
    )


def _effects(benchmark: Benchmark, rows: Rows, names: Sequence[str], config: GateConfig) -> Array:
    """Logarithms of the ratios new / benchmark, (Q,); NaN where not compared."""
    shifts = ratios(compare_rows(benchmark, rows, config))
    return np.array([shifts[name][0] if name in shifts else np.nan for name in names])


def _correlation(standard: Array) -> Array:
    """Of the columns, (Q, Q), pairs with a NaN left out, shrunk towards none."""
    centred = np.ma.masked_invalid(standard)
    found = np.ma.corrcoef(centred, rowvar=False).filled(0.0)
    return (1 - SHRINKAGE) * found + SHRINKAGE * np.eye(len(found))


def _mean(table: Array) -> Array:
    """Of each column, NaN left out; NaN where there is nothing else."""
    return np.ma.masked_invalid(table).mean(axis=0).filled(np.nan)


def _sd(table: Array) -> Array:
    return np.ma.masked_invalid(table).std(axis=0, ddof=1).filled(np.nan)


def _beyond(total: Array, usual: Array) -> Array:
    return np.sqrt(np.maximum(total**2 - usual**2, 0.0))


def _filled(rows: Sequence[Array]) -> Array:
    """Where no experiment of a strength has a quantity, the nearest strength's value; 0 where none has."""
    table = np.array(rows)
    for column in table.T:
        known = np.flatnonzero(np.isfinite(column))
        positions = np.arange(len(column))
        column[:] = np.interp(positions, known, column[known]) if len(known) else 0.0
    return table


def _plain(table: Array) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(value) for value in row) for row in np.round(table, 4))


def write_model(model: AttributionModel, path: Path) -> None:
    """As YAML, one row of numbers a line."""
    text = yaml.safe_dump(model.model_dump(mode="json"), sort_keys=False, default_flow_style=None, width=110)
    write_text_atomic(path, text)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("ensemble", type=Path)
    parser.add_argument("--data", type=Path, default=Path("data"), help="datasets of the benchmark")
    parser.add_argument(
        "--cache", type=Path, default=Path(".icefloe/gate"), help="folder of what was measured"
    )
    parser.add_argument("--standard", type=int, default=120, help="experiments without a cause")
    parser.add_argument("--repeats", type=int, default=12, help="experiments a cause and strength")
    parser.add_argument("--images", type=int, default=10, help="images an experiment")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--output", type=Path, default=ICE.model_file)
    arguments = parser.parse_args()

    scenarios = plan(PURPOSE, 0, arguments.standard, STRENGTHS, arguments.repeats)
    simulated = SimulatedRows(arguments.ensemble, arguments.cache, arguments.images, arguments.processes)
    measured = simulated.measure(scenarios, Lines(lambda line: print(line, file=sys.stderr)))
    benchmark = Benchmark.from_rows(reference_rows(Ensemble.load(arguments.ensemble), arguments.data))
    command = f"python benchmarks/fit_attribution.py {arguments.ensemble.resolve().name}"
    source = f"{datetime.now(UTC):%Y-%m-%d}, {command}, {len(scenarios)} simulated experiments"
    write_model(fit_attribution(benchmark, measured, source), arguments.output)


if __name__ == "__main__":
    main()
