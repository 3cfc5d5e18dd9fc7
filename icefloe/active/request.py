"""Asking for labels: choose, leave out what is labelled or shown twice, queue."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from icefloe.active.filling import fill
from icefloe.active.items import Item
from icefloe.active.queue import Queue
from icefloe.active.sampler import SamplerConfig, Selected, Selection, select
from icefloe.datasets.dataset import Dataset
from icefloe.datasets.duplicates import find_groups, merge_links
from icefloe.ensemble.predictions import PredictionSet


def request_labels(
    queue: Queue,
    datasets: Mapping[str, Dataset],
    predictions: PredictionSet,
    config: SamplerConfig,
    round: str,
    seed: int = 0,
) -> Selection:
    """Put the images worth a label in the queue, once a round.

    Asked again in the same round, as when a pipeline was interrupted, it returns what it chose then.

    Parameters
    ----------
    queue
        The queue.
    datasets
        Those predicted, by name. Images with a label are not chosen, nor is more than one of a group of
        duplicates.
    predictions
        Scores, features and pre-segmentations.
    config
        Strategy, number and spread.
    round
        What the images are chosen in: the newest version, such as `EA-T1`, so that each training that ended,
        promoted or not, is followed by a round of further images.
    seed
        Of strategies that draw at random.
    """
    earlier = [item for name in datasets for item in queue.items(dataset=name, round=round)]
    if earlier:
        return _as_selection(earlier, config, len(predictions.rows))
    selection = select(predictions, config, np.random.default_rng(seed), _not_worth_a_label(queue, datasets))
    fill(queue, selection, predictions, datasets, round)
    return selection


def _not_worth_a_label(queue: Queue, datasets: Mapping[str, Dataset]) -> set[str]:
    samples = [sample for dataset in datasets.values() for sample in dataset.samples]
    settled = {sample.key for sample in samples if sample.is_labelled}
    # A label that was handed in, but isn't in the data yet, is as good as one there.
    asked = (item for name in datasets for item in queue.items(dataset=name))
    settled |= {item.key for item in asked if item.state in ("waiting", "submitted")}
    for keys in merge_links([group.keys for group in find_groups(samples)]):
        settled |= set(keys) if settled & set(keys) else set(keys[1:])
    return settled


def _as_selection(items: list[Item], config: SamplerConfig, available: int) -> Selection:
    selected = tuple(
        Selected(
            item.dataset,
            item.stem,
            item.purpose.score,
            item.purpose.strategy,
            item.purpose.rank,
            item.purpose.reason,
        )
        for item in sorted(items, key=lambda item: item.purpose.rank)
    )
    return Selection(selected, selected[0].strategy, config.k, available)
