"""The simulated labeler: the truth kept back, handed in through the queue."""

from components.base import component


@component
def label_from_truth(dataset: str) -> float:
    """Label everything queued of `dataset` with its truth; return the minutes a person would have taken."""
    from icefloe.active.labelers import SECONDS_AN_IMAGE, TruthLabeler
    from icefloe.active.queue import open_queue
    from icefloe.datasets.dataset import load_datasets
    from icefloe.settings import load_settings

    settings = load_settings()
    queue, datasets = open_queue(settings), load_datasets(settings.data, [dataset])
    return TruthLabeler().label_all(queue, datasets, dataset) * SECONDS_AN_IMAGE / 60
