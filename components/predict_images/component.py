"""Segment every image of a dataset."""

from kfp.dsl import HTML, Artifact, Dataset, Input, Model, Output

from components.base import component


@component
def predict_images(
    ensemble: Input[Model],
    data: Input[Dataset],
    predictions: Output[Artifact],
    gallery: Output[HTML],
) -> int:
    """Predict masks and uncertainty of all images; return how many."""
    from pathlib import Path

    from icefloe.datasets.bundle import Bundle
    from icefloe.ensemble.ensemble import Ensemble
    from icefloe.ensemble.predictions import predict_dataset
    from icefloe.report.overlays import predictions_page

    bundle = Bundle.load(Path(data.path))
    predicted = predict_dataset(Ensemble.load(Path(ensemble.path)), bundle.samples, Path(predictions.path))
    Path(gallery.path).write_text(predictions_page(bundle.samples, predicted), encoding="utf-8")
    return len(predicted.rows)
