"""Bring submitted labels into the data as a new version."""

from components.base import component


@component
def collect_labels(dataset: str, run: str) -> str:
    """Write the submitted labels of `dataset` into the workspace; return the data version that holds them."""
    from icefloe.active.collect import collect
    from icefloe.active.queue import Queue
    from icefloe.registry.runs import RunRecord
    from icefloe.settings import load_settings

    settings = load_settings()
    collected = collect(Queue(settings.queue_path), settings.workspace, dataset)
    RunRecord(settings, run).write_json(f"labels/{dataset}.json", collected.to_dict())
    print(f"icefloe: {collected.sentence()}")
    return collected.version.md5
