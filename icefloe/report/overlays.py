"""Predictions laid over their images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from icefloe.ensemble.predictions import PredictionSet
from icefloe.report.figures import SegmentedImage, gallery

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from icefloe.active.sampler import Selection
    from icefloe.datasets.dataset import Sample
    from icefloe.ensemble.prediction import Prediction
    from icefloe.ensemble.segmenter import Segmenter

MAX_IMAGES = 4


def overlay_figure(
    samples: Sequence[Sample],
    predictions: PredictionSet,
    captions: Sequence[str] = (),
) -> Figure:
    """Each sample with the outline of its prediction, and its uncertainty map.

    Parameters
    ----------
    samples
        Images to show; they must be among the predicted ones.
    predictions
        Predictions with their maps.
    captions
        A line for each image; its key if there are none.
    """
    items = []
    for position, sample in enumerate(samples):
        maps = predictions.maps(sample.key)
        items.append(
            SegmentedImage(
                title=captions[position] if captions else sample.key,
                image=sample.image(),
                mask=maps.mask,
                uncertainty=maps.std,
            )
        )
    return gallery(items)


def spread(samples: Sequence[Sample], n: int = MAX_IMAGES) -> list[Sample]:
    """At most `n` samples, evenly spread over time."""
    indices = np.unique(np.linspace(0, len(samples) - 1, min(n, len(samples))).round().astype(int))
    return [samples[position] for position in indices]


def evaluation_figure(
    segmenter: Segmenter,
    samples: Sequence[Sample],
) -> Figure:
    """Some evaluated images of every dataset, with outlines of prediction and reference.

    Parameters
    ----------
    segmenter
        Predicts the images shown.
    samples
        The images that were evaluated, each with a reference.
    """
    by_dataset: dict[str, list[Sample]] = {}
    for sample in samples:
        by_dataset.setdefault(sample.dataset, []).append(sample)
    chosen = [sample for group in by_dataset.values() for sample in spread(group, 2)]
    return gallery(
        [
            SegmentedImage(
                title=f"{sample.key}, {_certainty(prediction)}",
                image=sample.image(),
                mask=prediction.mask,
                uncertainty=prediction.std,
                reference=sample.reference(),
            )
            for sample, prediction in segmenter.predict(chosen)
        ]
    )


def _certainty(prediction: Prediction) -> str:
    """The image's uncertainty, or that a single member judged it, which has none."""
    uq = prediction.uncertainty.uq_mean
    return "judged by one member" if np.isnan(uq) else f"UQ {uq:.4f}"


def selection_figure(selection: Selection, samples: Sequence[Sample], predictions: PredictionSet) -> Figure:
    """The images chosen for labelling, in the order of choice."""
    by_key = {sample.key: sample for sample in samples}
    return overlay_figure(
        [by_key[item.key] for item in selection.items],
        predictions,
        captions=[f"{item.rank}. {item.key}" for item in selection.items],
    )


def predictions_figure(samples: Sequence[Sample], predictions: PredictionSet) -> Figure:
    """Some of the predicted images, evenly over time."""
    return overlay_figure(spread(samples), predictions)
