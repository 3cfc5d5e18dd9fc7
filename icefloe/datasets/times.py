"""When a dataset's images were taken, as far as the dataset says."""

import csv
from itertools import pairwise
from pathlib import Path

from icefloe.datasets.dataset import COMPOSITES_FILE, Dataset


def known_times(dataset: Dataset) -> tuple[float, ...]:
    """Time at which each image began, in s from the first; empty where it is not known.

    Composites begin when the table of `icefloe stack` says, frames follow at the frame rate.
    """
    if times := composite_starts(dataset):
        return times
    rate = dataset.info.frame_rate_hz
    if rate is None or "stacked" in dataset.info.preprocessing:
        return ()
    return tuple(sample.index / rate for sample in dataset.samples)


def composite_starts(dataset: Dataset) -> tuple[float, ...]:
    """Seconds at which the composites begin; empty where not all are known, or not one after another."""
    table = dataset.path / COMPOSITES_FILE
    if not table.is_file():
        return ()
    with table.open(newline="", encoding="utf-8") as file:
        starts = {Path(row["image"]).stem: row["start_s"] for row in csv.DictReader(file)}
    found = [starts.get(sample.stem) for sample in dataset.samples]
    times = tuple(float(start) for start in found if start)
    in_order = all(one < later for one, later in pairwise(times))
    return times if in_order and len(times) == len(found) else ()
