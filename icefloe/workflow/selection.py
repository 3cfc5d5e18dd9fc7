"""Choose the images to label, and put them in the labelling queue."""

from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from icefloe.active.queue import open_queue
from icefloe.active.request import request_labels
from icefloe.active.sampler import SamplerConfig, Selection
from icefloe.datasets.bundle import Bundle
from icefloe.ensemble.predictions import PredictionSet
from icefloe.registry.registry import Registry
from icefloe.registry.runs import RunRecord
from icefloe.report.figures import png
from icefloe.report.overlays import selection_figure
from icefloe.settings import Settings
from icefloe.workflow.datasets import datasets_of


@dataclass(frozen=True)
class RequestedLabels:
    """The images now in the queue, and a picture of them."""

    selection: Selection
    figure: Figure


def select_images(
    settings: Settings, predictions: Path, data: Path, sampling: SamplerConfig, run: str
) -> RequestedLabels:
    """Queue the images that the sampling strategy picks, pre-segmented.

    Parameters
    ----------
    settings
        Name the queue, the registry and the tracking store.
    predictions
        Directory of the dataset's predictions.
    data
        Bundle that holds the one dataset.
    sampling
        Strategy, number of images, and least distance in time.
    run
        Id of the run that keeps the selection, as `selection/<dataset>.json` and `.png`.
    """
    bundle, predicted = Bundle.load(data), PredictionSet.load(predictions)
    with datasets_of(settings) as workspace:
        selection = request_labels(
            open_queue(settings),
            bundle.datasets,
            predicted,
            sampling,
            # Not the champion: were its successor refused, its round would be over and ask for no more.
            Registry(settings).newest().name,
            workspace=workspace,
        )
    figure = selection_figure(selection, bundle.samples, predicted)
    record = RunRecord(settings, run)
    record.write_result(f"selection/{bundle.only.name}.json", selection)
    record.write_png(f"selection/{bundle.only.name}.png", png(figure))
    return RequestedLabels(selection, figure)
