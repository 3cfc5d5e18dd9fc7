"""Register a challenger, judge it, and promote it if it is better and has forgotten nothing."""

from kfp.dsl import HTML, Artifact, Dataset, Input, Markdown, Model, Output

from components.base import component


@component
def register_version(
    ensemble: Input[Model],
    members: Input[Model],
    kept: Input[Artifact],
    evaluation: Input[Artifact],
    data: Input[Dataset],
    training: dict,
    promotion: dict,
    findings: Output[Markdown],
    intervals: Output[HTML],
    arrived: str = "",
    champion: Input[Model] = None,
) -> str:
    """Make the ensemble the next version with its lineage, and promote it if the gate lets it pass.

    Args:
        ensemble: The challenger.
        members: All candidates.
        kept: Which of them pruning kept, and why.
        evaluation: The challenger's scores, and the champion's on the same images.
        data: The data it was trained on.
        training: Training parameters, for the lineage.
        promotion: The rule of the promotion gate (`PromotionRule`).
        arrived: Dataset on which it has to be better.
        champion: The version that it was evaluated beside.

    Returns:
        Output: The promotion gate's verdict: pass, fail or inconclusive.
        findings: Verdict, reasons and the table of all comparisons.
        intervals: Differences with their intervals.
    """
    from pathlib import Path

    from components.artifacts import tell, write_figure, write_findings
    from icefloe.evaluation.rule import PromotionRule
    from icefloe.settings import load_settings
    from icefloe.workflow import registration, runs

    challenger = registration.Challenger(
        ensemble=Path(ensemble.path),
        members=Path(members.path),
        kept=Path(kept.path),
        evaluation=Path(evaluation.path),
        data=Path(data.path),
        training=training,
        parent=members.metadata.get("parent") or None,
        champion=champion.metadata["version"] if champion else None,
        arrived=arrived or None,
    )
    settings = load_settings()
    found = registration.register_version(
        settings, challenger, PromotionRule(**promotion), runs.this_run(settings)
    )
    write_findings(findings, found)
    write_figure(intervals, found.version.name, found.figure(), found.sentence())
    tell(found.sentence())
    return found.report.verdict
