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
    pictures: Output[Artifact],
    gallery: Output[HTML],
    before: Output[Artifact],
    champion: Input[Model] = None,
) -> float:
    """Evaluate on the held-out images of every labelled dataset; return the mean Dice over datasets.

    `before` holds the champion's scores on the same images; without a champion it stays empty.
    """
    from pathlib import Path

    from icefloe.datasets.bundle import Bundle
    from icefloe.ensemble.ensemble import Ensemble
    from icefloe.evaluation.evaluate import evaluate
    from icefloe.evaluation.temperature import check_temperature
    from icefloe.report.figures import html_page, png
    from icefloe.report.numbers import evaluation_numbers, mean_dice, roc_points
    from icefloe.report.overlays import evaluation_figure

    bundle, loaded = Bundle.load(Path(data.path)), Ensemble.load(Path(ensemble.path))
    found = evaluate(loaded, bundle.held_out)
    found.save(Path(evaluation.path))
    for name, value in evaluation_numbers(found).items():
        scores.log_metric(name, value)
    curves.log_confusion_matrix(list(found.classes), [list(row) for row in found.confusion])
    for points in roc_points(found):
        curves.log_roc_data_point(*points)
    check = check_temperature(found)
    tables = [found.to_markdown(), *([check.to_markdown()] if check else [])]
    Path(table.path).write_text("\n".join(tables), encoding="utf-8")
    figure = evaluation_figure(loaded, bundle.held_out)
    Path(pictures.path).write_bytes(png(figure))
    Path(gallery.path).write_text(html_page("Held-out images", figure), encoding="utf-8")
    if champion:
        evaluate(Ensemble.load(Path(champion.path)), bundle.held_out).save(Path(before.path))
    return mean_dice(found)
