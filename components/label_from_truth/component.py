"""The simulated labeler: the truth kept back, handed in through the queue."""

from components.base import component


@component
def label_from_truth(dataset: str, run: str) -> float:
    """Label everything queued of `dataset` with its truth; return the minutes a person would have taken."""
    from icefloe.active.queue import Queue
    from icefloe.active.truth import TruthLabeler
    from icefloe.datasets.dataset import Dataset
    from icefloe.settings import load_settings

    settings = load_settings()
    labels = TruthLabeler(Queue(settings.queue_path), Dataset.load(settings.data / dataset)).label_all()
    return sum(label.seconds for label in labels) / 60
