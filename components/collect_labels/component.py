"""Bring submitted labels into the data as a new version."""

from components.base import component


@component
def collect_labels(dataset: str, run: str) -> str:
    """Write all submitted labels into the workspace; return the data version that holds them.

    The record files them under `dataset`, whose arrival asked for them.
    """
    from icefloe.active.collect import collect
    from icefloe.active.queue import Queue
    from icefloe.registry.runs import RunRecord
    from icefloe.settings import load_settings

    settings = load_settings()
    collected = collect(Queue(settings.queue_path), settings.workspace)
    record = RunRecord(settings, run)
    record.write_json(f"labels/{dataset}.json", {"keys": collected.keys, "seconds": collected.seconds})
    record.tell(f"labels/{dataset}", collected.sentence())
    print(f"icefloe: {collected.sentence()}")
    return collected.version.md5
