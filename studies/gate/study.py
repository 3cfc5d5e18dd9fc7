"""`icefloe study gate`: false alarms, power and attribution of the drift gate with one ensemble."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from matplotlib.figure import Figure

from icefloe.datasets.dataset import load_datasets
from icefloe.drift.benchmark import Benchmark
from icefloe.drift.config import GateConfig
from icefloe.drift.gate import check
from icefloe.drift.ice import ICE
from icefloe.drift.report import GateReport
from icefloe.ensemble.ensemble import Ensemble
from studies.gate import confusion, rates
from studies.gate.figures import confusion_figure, power_figure
from studies.gate.page import page
from studies.gate.reference import measured_rows, reference_rows
from studies.gate.simulation import CAUSES, Laboratory, plan
from studies.gate.spreads import SpreadFound, measure_spreads

PURPOSE = 0
COUNTS = (3, 5, 10, 20)
SIZES = (1, 2, 3, 5, 10)
STRENGTHS = (0.05, 0.1, 0.25, 0.5, 0.75, 1.0)
DRAWS = 400
N_ATTRIBUTED = 10
NAMED_FROM = 0.5
"""Strength from which the confusion matrix counts: weaker shifts are mostly accepted, as they should be."""


@dataclass(frozen=True, eq=False)
class GateStudy:
    """What the gate does on simulated experiments.

    Attributes
    ----------
    ensemble, experiments
        The ensemble's name and the experiments of its benchmark.
    config
        The gate's settings.
    per_day
        Experiments that the gate sees in a day.
    detections, fewer
        With all quantities; and with those that older benchmarks have.
    by_size
        False alarms with random benchmarks of K experiments.
    smallest
        By cause and number of images.
    groups, causes
        Confusion matrices of the attribution, at strengths from `NAMED_FROM`.
    by_strength
        Strength: how many alarms name the right group.
    spreads
        How standard experiments vary.
    arrived
        Reports on the workspace's datasets that are not in the benchmark.
    fitted
        How the attribution was fitted.
    """

    name: ClassVar[str] = "gate"
    title: ClassVar[str] = "Statistics of the drift gate"

    ensemble: str
    experiments: tuple[str, ...]
    config: GateConfig
    per_day: float
    detections: rates.Detections
    fewer: rates.Detections
    by_size: Mapping[int, rates.Rate]
    smallest: Sequence[rates.Smallest]
    groups: confusion.Confusion
    causes: confusion.Confusion
    by_strength: Mapping[float, rates.Rate]
    spreads: Sequence[SpreadFound]
    arrived: Sequence[GateReport]
    fitted: str

    def to_markdown(self) -> str:
        """The page."""
        return page(self)

    def figures(self) -> Mapping[str, Figure]:
        """Power curves, and both confusion matrices."""
        return {
            "power": power_figure(self.detections, self.config.alpha),
            "groups": confusion_figure(self.groups),
            "causes": confusion_figure(self.causes),
        }

    def to_dict(self) -> dict[str, Any]:
        """Every number."""
        return {
            "ensemble": self.ensemble,
            "benchmark": list(self.experiments),
            "gate": self.config.model_dump(mode="json"),
            "experiments_per_day": self.per_day,
            "rates": {
                which: {
                    str(n): {
                        "standard": found.rate(n, None, 0.0).model_dump(),
                        **{
                            c: {f"{s:g}": found.rate(n, c, s).model_dump() for s in found.strengths}
                            for c in CAUSES
                        },
                    }
                    for n in found.alarms
                }
                for which, found in (("all", self.detections), ("older benchmark", self.fewer))
            },
            "false_alarms_by_benchmark_size": {str(k): r.model_dump() for k, r in self.by_size.items()},
            "smallest": [_finite(vars(found)) for found in self.smallest],
            "attribution": {
                "groups": self.groups.to_dict(),
                "causes": self.causes.to_dict(),
                "by_strength": {f"{s:g}": rate.model_dump() for s, rate in self.by_strength.items()},
                "fitted": self.fitted,
            },
            "spreads": [vars(spread) for spread in self.spreads],
            "datasets": {
                r.dataset: {"outcome": r.outcome, "decided_by": list(r.decided_by), "causes": _causes(r)}
                for r in self.arrived
            },
        }


def run_gate(
    directory: Path,
    data: Path,
    cache: Path,
    *,
    name: str,
    n_standard: int = 200,
    repeats: int = 12,
    per_day: float = 4.0,
    processes: int = 1,
    seed: int = 0,
    config: GateConfig | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> GateStudy:
    """Measure the gate with one ensemble.

    Parameters
    ----------
    directory
        The saved ensemble.
    data
        Datasets of the workspace: the benchmark's images, and those to judge.
    cache
        Folder of what simulated experiments measured; a study that was interrupted goes on from it.
    name
        What people call the ensemble.
    n_standard, repeats
        Experiments without a cause; of each cause and strength.
    per_day
        Experiments that the gate sees in a day, for the false alarms a month.
    processes
        Experiments simulated and predicted at once.
    seed
        Of the experiments; none of them is one that the attribution was fitted on.
    config
        The gate's settings.
    progress
        Called with experiments measured and all.

    Raises
    ------
    IcefloeError
        If the benchmark's images are not among the datasets.
    """
    config = config or GateConfig()
    ensemble = Ensemble.load(directory)
    benchmark = Benchmark.from_rows(reference_rows(ensemble, data))
    laboratory = Laboratory(directory, cache, COUNTS[-1], processes)
    measured = laboratory.measure(plan(PURPOSE, seed, n_standard, STRENGTHS, repeats), progress)
    rng = np.random.default_rng(seed)
    detections = rates.detect(benchmark, measured, COUNTS, config)
    judged = confusion.judge(benchmark, measured, N_ATTRIBUTED, config)
    strong = {s: answer for s, answer in judged.items() if s.cause is None or s.strength >= NAMED_FROM}
    known = {row.dataset for row in benchmark.rows}
    return GateStudy(
        ensemble=name,
        experiments=benchmark.experiments,
        config=config,
        per_day=per_day,
        detections=detections,
        fewer=rates.detect(rates.without_new_evidence(benchmark), measured, COUNTS, config),
        by_size=rates.false_alarms_by_benchmark_size(measured, SIZES, DRAWS, N_ATTRIBUTED, config, rng),
        smallest=[detections.smallest(n, cause, rng) for cause in CAUSES for n in COUNTS],
        groups=confusion.by_group(strong),
        causes=confusion.by_cause(strong),
        by_strength={
            strength: confusion.by_group({s: a for s, a in judged.items() if s.strength == strength}).accuracy
            for strength in STRENGTHS
        },
        spreads=measure_spreads(benchmark, measured, N_ATTRIBUTED, config),
        arrived=[
            check(benchmark, measured_rows(ensemble, dataset), config)
            for dataset in load_datasets(data).values()
            if dataset.name not in known
        ],
        fitted=ICE.model.source,
    )


def _causes(report: GateReport) -> dict[str, float]:
    return dict(report.attribution.probabilities) if report.attribution else {}


def _finite(values: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has no infinity: None where a strength lies beyond those measured."""
    return {k: None if isinstance(v, float) and not np.isfinite(v) else v for k, v in values.items()}
