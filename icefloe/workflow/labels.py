"""Labels: out to labelling tools, back into the queue, and into the data."""

from pathlib import Path

from icefloe.active.collect import Collection, collect
from icefloe.active.exchange.transfer import ImportResult, export_items
from icefloe.active.exchange.transfer import import_labels as import_into_queue
from icefloe.active.labelers import SECONDS_AN_IMAGE, TruthLabeler
from icefloe.active.queue import open_queue
from icefloe.datasets.dataset import load_datasets
from icefloe.registry.runs import RunRecord
from icefloe.settings import Settings


def export_labels(settings: Settings, format_name: str, folder: Path, dataset: str | None = None) -> int:
    """Write the waiting images with their predicted masks, for a labelling tool; return how many.

    Parameters and errors are those of `export_items`.
    """
    return export_items(open_queue(settings), settings.data, format_name, folder, dataset)


def import_labels(
    settings: Settings,
    format_name: str,
    source: Path,
    author: str | None = None,
    accept_unchanged: bool = False,
    strict: bool = False,
) -> ImportResult:
    """Take labels back from a labelling tool: all of them, or none if any does not fit.

    Parameters and errors are those of `icefloe.active.exchange.transfer.import_labels`.
    """
    return import_into_queue(open_queue(settings), source, format_name, author, accept_unchanged, strict)


def collect_labels(
    settings: Settings, message: str | None = None, *, dataset: str = "", run: str = ""
) -> Collection:
    """Write all submitted labels into the datasets, as a new data version.

    Parameters
    ----------
    settings
        Settings of the workspace whose queue and data it is.
    message
        Commit message of the data version; None: it counts the labels.
    dataset, run
        The dataset whose arrival asked for them, and the run that keeps what they cost, as
        `labels/<dataset>.json`; empty: nothing is kept.
    """
    collected = collect(open_queue(settings), settings.workspace, message)
    if run:
        record = RunRecord(settings, run)
        cost = {"keys": collected.keys, "seconds": collected.seconds}
        record.write_json(f"labels/{dataset}.json", cost)
        record.tell(f"labels/{dataset}", collected.sentence())
    return collected


def label_from_truth(settings: Settings, dataset: str) -> float:
    """Label everything queued of a dataset with the truth kept back; return a person's minutes for it."""
    labelled = TruthLabeler().label_all(
        open_queue(settings), load_datasets(settings.data, [dataset]), dataset
    )
    return labelled * SECONDS_AN_IMAGE / 60
