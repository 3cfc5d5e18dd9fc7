"""Asking for labels: choose, leave out what is labelled or shown twice, queue."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from icefloe.active.filling import fill
from icefloe.active.items import Item
from icefloe.active.queue import Queue
from icefloe.active.sampler import SamplerConfig, Selected, Selection, select
from icefloe.datasets.dataset import Dataset, Sample, natural_key
from icefloe.datasets.duplicates import find_groups, identical_groups, merge_links
from icefloe.ensemble.predictions import PredictionSet


def request_labels(
    queue: Queue,
    datasets: Mapping[str, Dataset],
    predictions: PredictionSet,
    config: SamplerConfig,
    round: str,
    seed: int = 0,
    workspace: Mapping[str, Dataset] = MappingProxyType({}),
) -> Selection:
    """Put the images worth a label in the queue, once a round.

    Asked again in the same round, as when a pipeline was interrupted, it returns what it chose then.

    Parameters
    ----------
    queue
        Labelling queue that the images are added to.
    datasets
        Predicted datasets by name. Images with a label are not chosen, nor is more than one of a group of
        duplicates.
    predictions
        Scores, features and pre-segmentations of the images.
    config
        How images are chosen, and how they are labelled.
    round
        What the images are chosen in: the newest version, such as `EA-T1`, so that each training that ended,
        promoted or not, is followed by a round of further images.
    seed
        Seed for strategies that draw at random, and for which images two people label or see without the
        pre-segmentation.
    workspace
        Every dataset by name. An image with the pixels of one that is labelled or asked for elsewhere, turned
        or not, is not chosen.
    """
    earlier = [item for name in datasets for item in queue.items(dataset=name, round=round)]
    if earlier:
        return _as_selection(earlier, config, len(predictions.rows))
    labelled, excluded = _not_worth_a_label(queue, datasets, workspace)
    selection = select(predictions, config, np.random.default_rng(seed), labelled, excluded)
    fill(queue, selection, predictions, datasets, round, config.labelling, seed)
    return selection


def _not_worth_a_label(
    queue: Queue, datasets: Mapping[str, Dataset], workspace: Mapping[str, Dataset]
) -> tuple[set[str], set[str]]:
    """Samples as good as labelled, and others that have a twin to be chosen instead, or no label to come."""
    samples = _samples(datasets)
    elsewhere = _samples({name: workspace[name] for name in workspace if name not in datasets})
    labelled = {sample.key for sample in (*samples, *elsewhere) if sample.is_labelled}
    # A label that was handed in, but isn't in the data yet, is as good as one there.
    labelled |= {item.key for item in queue.items() if item.state in ("waiting", "submitted")}
    excluded = _without_truth(datasets)
    groups = find_groups(samples)
    if labelled_elsewhere := [sample for sample in elsewhere if sample.key in labelled]:
        groups += identical_groups([*samples, *labelled_elsewhere])
    for keys in merge_links([group.keys for group in groups]):
        if labelled & set(keys):
            labelled |= set(keys)
        else:
            in_time = sorted(keys, key=natural_key)
            chosen = next((key for key in in_time if key not in excluded), in_time[0])
            excluded |= set(keys) - {chosen}
    return labelled, excluded


def _without_truth(datasets: Mapping[str, Dataset]) -> set[str]:
    """Where labels were held back to play the labeler, those that nobody held back can't come."""
    simulated = [dataset for dataset in datasets.values() if dataset.holds_truth]
    return {sample.key for dataset in simulated for sample in dataset.samples if not sample.has_truth}


def _samples(datasets: Mapping[str, Dataset]) -> list[Sample]:
    return [sample for dataset in datasets.values() for sample in dataset.samples]


def _as_selection(items: list[Item], config: SamplerConfig, available: int) -> Selection:
    selected = tuple(
        Selected(
            dataset=item.dataset,
            stem=item.stem,
            score=item.purpose.score,
            strategy=item.purpose.strategy,
            rank=item.purpose.rank,
            reason=item.purpose.reason,
            regions=item.regions,
        )
        for item in sorted(items, key=lambda item: item.purpose.rank)
    )
    return Selection(items=selected, strategy=selected[0].strategy, requested=config.k, available=available)
