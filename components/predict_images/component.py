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
    """Predict masks and uncertainty of all images.

    Args:
        ensemble: The version that predicts them.
        data: The images.

    Returns:
        Output: Number of images.
        predictions: A folder of scores, features and maps.
        gallery: Some of the images with their predicted outlines and uncertainty.
    """
    from pathlib import Path

    from components.artifacts import write_figure
    from icefloe.workflow.prediction import FetchedVersion, predict_bundle

    version = FetchedVersion(ensemble.metadata["version"], Path(ensemble.path))
    found = predict_bundle(version, Path(data.path), Path(predictions.path))
    n_images = len(found.predictions.rows)
    write_figure(gallery, "Predictions", found.figure, f"{n_images} images; blue: the predicted outline.")
    return n_images
