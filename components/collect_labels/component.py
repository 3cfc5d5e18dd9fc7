"""Bring submitted labels into the data as a new version."""

from components.base import component


@component
def collect_labels(dataset: str) -> str:
    """Write all submitted labels into the workspace's datasets, and commit a data version.

    Args:
        dataset: The dataset whose arrival asked for them.

    Returns:
        Output: Hash of the data version that holds them.
    """
    from components.artifacts import tell
    from icefloe.settings import load_settings
    from icefloe.workflow import labels, runs

    settings = load_settings()
    collected = labels.collect_labels(settings, dataset=dataset, run=runs.this_run(settings))
    tell(collected.sentence())
    return collected.version.md5
