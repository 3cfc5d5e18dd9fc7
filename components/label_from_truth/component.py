"""The simulated labeler: the truth kept back, handed in through the queue."""

from components.base import component


@component
def label_from_truth(dataset: str) -> float:
    """Label everything queued of a dataset with its truth.

    Args:
        dataset: Name of the dataset.

    Returns:
        Output: The minutes that a person would have taken.
    """
    from icefloe.settings import load_settings
    from icefloe.workflow import labels

    return labels.label_from_truth(load_settings(), dataset)
