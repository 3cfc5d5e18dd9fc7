"""Classify the chips of every image of a dataset by one support set."""

from kfp.dsl import HTML, Artifact, Dataset, Input, Markdown, Metrics, Output

from components.base import component


@component
def fewshot(
    session: Input[Artifact],
    data: Input[Dataset],
    counts: Output[Dataset],
    numbers: Output[Metrics],
    figure: Output[HTML],
    findings: Output[Markdown],
) -> int:
    """Count the chips of each class in every image, with intervals.

    Args:
        session: A session's JSON whose image is among the data, or the files of a version FS-Tn.
        data: The images, dataset by dataset in time order.

    Returns:
        Output: Number of images.
        counts: A CSV file, a row for each image.
        numbers: Fraction of each class in the first image and the last, and drift.
        figure: Fractions from image to image, with their intervals.
        findings: The sentence and the table.
    """
    from pathlib import Path

    from components.artifacts import step_progress, tell, write_figure, write_findings, write_numbers
    from icefloe.settings import load_settings
    from icefloe.workflow import fewshot_bundle, runs

    settings = load_settings()
    found = fewshot_bundle.classify_bundle(
        settings,
        Path(session.path),
        Path(data.path),
        Path(counts.path),
        runs.this_run(settings),
        step_progress,
    )
    tell(found.series.sentence())
    write_numbers(numbers, found.numbers())
    write_figure(figure, "Few-shot classification", found.series.figure(), found.series.sentence())
    write_findings(findings, found.series)
    return len(found.series.images)
