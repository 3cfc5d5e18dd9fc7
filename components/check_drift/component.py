"""The drift gate: is a new dataset still of the kind the ensemble was trained on?"""

from kfp.dsl import HTML, Artifact, Dataset, Input, Markdown, Metrics, Model, Output

from components.base import component


@component
def check_drift(
    ensemble: Input[Model],
    predictions: Input[Artifact],
    data: Input[Dataset],
    gate: dict,
    numbers: Output[Metrics],
    figure: Output[HTML],
    findings: Output[Markdown],
) -> str:
    """Compare the dataset with the ensemble's benchmark.

    Args:
        ensemble: The version that predicted the dataset.
        predictions: Its predictions of the dataset.
        data: The one dataset.
        gate: How the gate decides (`GateConfig`).

    Returns:
        Output: accept, shifted, noisy or inconclusive.
        numbers: Effect and p-value of every quantity compared.
        figure: Every quantity, benchmark beside new.
        findings: The sentence and the table.
    """
    from pathlib import Path

    from components.artifacts import tell, write_figure, write_findings, write_numbers
    from icefloe.drift.config import GateConfig
    from icefloe.settings import load_settings
    from icefloe.workflow import drift, runs

    settings = load_settings()
    report = drift.check_drift(
        settings,
        drift.FetchedVersion(ensemble.metadata["version"], Path(ensemble.path)),
        Path(predictions.path),
        Path(data.path),
        GateConfig(**gate),
        runs.this_run(settings),
    )
    if report.predicted is not None:
        tell(report.predicted.sentence())
    tell(report.sentence())
    write_numbers(numbers, report.numbers())
    write_figure(figure, f"Drift gate: {report.dataset}", report.figure(), report.sentence())
    write_findings(findings, report)
    return report.outcome
