"""The drift gate: is a new dataset still of the kind the ensemble was trained on?"""

from kfp.dsl import HTML, Artifact, Dataset, Input, Markdown, Metrics, Model, Output

from components.base import component


@component
def check_drift(
    ensemble: Input[Model],
    predictions: Input[Artifact],
    data: Input[Dataset],
    gate: dict,
    run: str,
    numbers: Output[Metrics],
    figure: Output[HTML],
    findings: Output[Markdown],
) -> str:
    """Compare the dataset with the ensemble's benchmark; return accept, shifted, noisy or inconclusive."""
    from pathlib import Path

    from icefloe.datasets.bundle import Bundle
    from icefloe.drift.benchmark import Benchmark, with_evidence
    from icefloe.drift.config import GateConfig
    from icefloe.drift.gate import check
    from icefloe.ensemble.manifest import Manifest
    from icefloe.ensemble.predictions import PredictionSet
    from icefloe.registry.runs import RunRecord
    from icefloe.report.figures import html_page
    from icefloe.report.numbers import gate_numbers
    from icefloe.settings import load_settings

    bundle = Bundle.load(Path(data.path))
    predicted = PredictionSet.load(Path(predictions.path))
    rows = with_evidence(
        predicted.rows,
        (sample.image() for sample in bundle.samples),
        (predicted.maps(sample.key).mask for sample in bundle.samples),
        bundle.only.info.experiment,
    )
    report = check(
        Benchmark.from_tables(Manifest.load(Path(ensemble.path)).benchmark), rows, GateConfig(**gate)
    )
    for name, value in gate_numbers(report).items():
        numbers.log_metric(name, value)
    Path(figure.path).write_text(
        html_page(f"Drift gate: {report.dataset}", report.plot(), text=report.sentence()), encoding="utf-8"
    )
    Path(findings.path).write_text(report.to_markdown(), encoding="utf-8")
    record = RunRecord(load_settings(), run)
    record.write_json(f"gate/{report.dataset}.json", report.to_dict())
    record.write_metrics(gate_numbers(report))
    record.tell(f"gate/{report.dataset}", report.sentence())
    print(f"icefloe: {report.sentence()}")
    return report.outcome
