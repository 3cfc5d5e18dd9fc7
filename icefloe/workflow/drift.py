"""Check a new dataset for drift."""

from pathlib import Path

from icefloe.datasets.bundle import Bundle
from icefloe.drift.benchmark import Benchmark, with_evidence
from icefloe.drift.config import GateConfig
from icefloe.drift.gate import check
from icefloe.drift.report import GateReport
from icefloe.ensemble.manifest import Manifest
from icefloe.ensemble.predictions import PredictionSet
from icefloe.registry.runs import RunRecord
from icefloe.settings import Settings


def check_drift(
    settings: Settings, ensemble: Path, predictions: Path, data: Path, gate: GateConfig, run: str
) -> GateReport:
    """Compare a dataset with the ensemble's benchmark, and keep the report with the run.

    Parameters
    ----------
    settings
        Name the tracking store.
    ensemble
        Directory of the ensemble that predicted the dataset.
    predictions
        Directory of its predictions.
    data
        Bundle that holds the one dataset.
    gate
        How the gate decides.
    run
        Id of the run that keeps the report, as `gate/<dataset>.json`.
    """
    bundle = Bundle.load(data)
    predicted = PredictionSet.load(predictions)
    rows = with_evidence(
        predicted.rows,
        (sample.image() for sample in bundle.samples),
        (predicted.maps(sample.key).mask for sample in bundle.samples),
        bundle.only.info.experiment,
    )
    report = check(Benchmark(Manifest.load(ensemble).benchmark), rows, gate)
    RunRecord(settings, run).write_json(f"gate/{report.dataset}.json", report.model_dump(mode="json"))
    return report
