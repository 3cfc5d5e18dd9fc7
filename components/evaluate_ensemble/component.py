"""Score an ensemble, and the champion it wants to replace, on every held-out image."""

from kfp.dsl import HTML, Artifact, ClassificationMetrics, Dataset, Input, Markdown, Metrics, Model, Output

from components.base import component


@component
def evaluate_ensemble(
    ensemble: Input[Model],
    data: Input[Dataset],
    evaluation: Output[Artifact],
    scores: Output[Metrics],
    curves: Output[ClassificationMetrics],
    table: Output[Markdown],
    gallery: Output[HTML],
    champion: Input[Model] = None,
) -> float:
    """Evaluate on the held-out images of every labelled dataset.

    Args:
        ensemble: The version to evaluate.
        data: The datasets and their split.
        champion: The version that it wants to replace.

    Returns:
        Output: Mean over datasets of their Dice.
        evaluation: A folder of the scores, the champion's on the same images, and pictures.
        scores: Scores of every dataset.
        curves: Confusion matrix and ROC curve.
        table: Scores with the trivial baselines, and where the temperature helps.
        gallery: Some of the images with outlines of prediction and reference.
    """
    from pathlib import Path

    from components.artifacts import write_curves, write_figure, write_findings, write_numbers
    from icefloe.workflow.evaluation import evaluate_version

    found = evaluate_version(
        Path(ensemble.path),
        Path(data.path),
        Path(evaluation.path),
        Path(champion.path) if champion else None,
    )
    write_numbers(scores, found.evaluation.numbers())
    write_curves(curves, found.evaluation)
    write_findings(table, found)
    write_figure(gallery, "Held-out images", found.figure)
    return found.evaluation.mean_dice
