"""Register a challenger, judge it, and promote it if it is better and has forgotten nothing."""

from kfp.dsl import HTML, Artifact, Dataset, Input, Markdown, Model, Output

from components.base import component


@component
def register_version(
    ensemble: Input[Model],
    members: Input[Model],
    kept: Input[Artifact],
    evaluation: Input[Artifact],
    pictures: Input[Artifact],
    data: Input[Dataset],
    training: dict,
    promotion: dict,
    run: str,
    findings: Output[Markdown],
    intervals: Output[HTML],
    arrived: str = "",
    parent: Input[Model] = None,
    champion: Input[Artifact] = None,
) -> str:
    """Make the ensemble the next version EA-Tn, with its lineage; return the promotion gate's verdict."""
    import json
    from pathlib import Path

    from icefloe.datasets.bundle import Bundle
    from icefloe.evaluation.evaluate import Evaluation
    from icefloe.evaluation.rule import PromotionRule
    from icefloe.registry.registry import Registry
    from icefloe.registry.runs import RunRecord
    from icefloe.registry.submission import describe_lineage, submit
    from icefloe.report.figures import html_page
    from icefloe.settings import load_settings
    from icefloe.training.members import MembersDir

    settings = load_settings()
    registry = Registry(settings)
    found = Evaluation.load(Path(evaluation.path))
    before = Evaluation.load(Path(champion.path)) if champion else None
    lineage = describe_lineage(
        registry,
        Path(ensemble.path),
        Bundle.load(Path(data.path)),
        MembersDir.load(Path(members.path)).receipts,
        training,
        parent.metadata["version"] if parent else None,
    )
    submission = submit(
        registry,
        Path(ensemble.path),
        lineage,
        found,
        PromotionRule(**promotion),
        champion=before,
        new_dataset=arrived or None,
        run_id=run,
    )
    Path(findings.path).write_text(submission.to_markdown(), encoding="utf-8")
    Path(intervals.path).write_text(html_page(submission.sentence(), submission.figure()), encoding="utf-8")
    RunRecord(settings, run).write_version(
        submission,
        found,
        before,
        json.loads(Path(kept.path).read_text(encoding="utf-8")),
        Path(pictures.path).read_bytes(),
    )
    print(f"icefloe: {submission.sentence()}")
    return submission.report.verdict
