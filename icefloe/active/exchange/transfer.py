"""Exporting queue items in a format by name, and importing the labels made on them."""

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from icefloe.active.exchange.formats import (
    NOBODY_OUTLINED,
    Format,
    Incoming,
    Outgoing,
    Reading,
)
from icefloe.active.exchange.known import Known
from icefloe.active.exchange.label_studio import LabelStudio, LabelStudioPolygons
from icefloe.active.exchange.ome_tiff import OmeTiff
from icefloe.active.exchange.png import PngMasks
from icefloe.active.exchange.polygon_files import Coco, CocoRuns, Labelme
from icefloe.active.exchange.sources import open_source
from icefloe.active.items import Item, Label, OutsideLabel
from icefloe.active.queue import Queue
from icefloe.active.region import limited
from icefloe.active.uploads import check_person, decode_png, encode_png
from icefloe.datasets.dataset import check_mask, load_datasets
from icefloe.datasets.import_files import LeftOut
from icefloe.errors import IcefloeError
from icefloe.files import atomic_directory
from icefloe.typing import MaskArray

FORMATS: dict[str, type[Format]] = {
    member.name: member
    for member in (LabelStudio, LabelStudioPolygons, Coco, CocoRuns, Labelme, OmeTiff, PngMasks)
}


@dataclass(frozen=True)
class ImportResult:
    """What an import brought.

    Attributes
    ----------
    labels
        Those of the file that are now in the queue.
    unchanged
        Keys of images that came back as they went out.
    n_known
        How many of the labels an earlier import had brought.
    left_out
        What else in the export became no label.
    notes
        What was decided where a label could be read in more than one way.
    refused
        Why labels were not taken where others were, a sentence each.
    """

    labels: tuple[Label, ...]
    unchanged: tuple[str, ...]
    n_known: int = 0
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

    def sentence(self) -> str:
        """The counts in words."""
        known = f"; {self.n_known} had been imported before" if self.n_known else ""
        left = f"; {len(self.unchanged)} came back unchanged, not imported" if self.unchanged else ""
        n_new = len(self.labels) - self.n_known
        refused = f"; {len(self.refused)} refused" if self.refused else ""
        return f"{n_new} label{'' if n_new == 1 else 's'} imported{known}{left}{refused}."

    def sentences(self) -> tuple[str, ...]:
        """The counts, what was decided, and what else was not taken."""
        left_out = (left.sentence() for left in self.left_out)
        return (self.sentence(), *self.refused, *self.notes, *left_out)


def exchange_format(name: str) -> Format:
    """The format that users call `name`.

    Raises
    ------
    IcefloeError
        If there is none of that name; the message lists the names.
    """
    if name not in FORMATS:
        raise IcefloeError(f"{name!r} is not an exchange format. There are: {', '.join(sorted(FORMATS))}.")
    return FORMATS[name]()


def export_items(queue: Queue, data: Path, format_name: str, folder: Path, dataset: str | None = None) -> int:
    """Write the waiting items, with their images and pre-segmentations, for another tool; return how many.

    Parameters
    ----------
    queue
        Labelling queue whose waiting images are written.
    data
        Folder of the workspace's datasets.
    format_name
        One of `FORMATS`.
    folder
        Folder to write to; must not exist or be empty.
    dataset
        Dataset whose items are written; None: those of all.

    Raises
    ------
    IcefloeError
        If nothing waits, the items have different classes, or the folder is not empty.
    """
    chosen = exchange_format(format_name)
    waiting = list(outgoing(queue, data, waiting_items(queue, dataset)))
    try:
        with atomic_directory(folder) as beside:
            chosen.write(waiting, beside)
    except FileExistsError as error:
        raise IcefloeError(f"{folder}: exists and is not empty. Name a new folder.") from error
    return len(waiting)


def waiting_items(queue: Queue, dataset: str | None = None) -> list[Item]:
    """Items of one list of classes that nobody is labelling, of one dataset or of all.

    Raises
    ------
    IcefloeError
        If nothing waits, or the items have different classes.
    """
    # Between two people's masks a third decides on the page Label: another tool would show him only one.
    items = [
        item for item in queue.items("waiting", dataset) if item.leased_to is None and item.task == "label"
    ]
    if not items:
        raise IcefloeError(f"{queue.name}: nothing waits to be labelled. Sample a dataset first.")
    if len({item.classes for item in items}) > 1:
        raise IcefloeError(
            f"{queue.name}: the waiting images are of different classes. Export one dataset at a time."
        )
    return items


def import_labels(
    queue: Queue,
    source: Path,
    format_name: str,
    author: str | None = None,
    accept_unchanged: bool = False,
    strict: bool = False,
) -> ImportResult:
    """Submit the labels in another tool's export to the queue: all of them, or none if one is bad.

    Importing the same file again changes nothing. What is drawn outside an item's regions is not kept.
    `collect` then makes a data version of them.

    Parameters
    ----------
    queue
        The queue that the images were exported from.
    source
        The file, folder or ZIP that the tool wrote.
    format_name
        Name of the format, as for `export_items`; either Label Studio format reads both.
    author
        Author of the labels of which the file does not say who made them.
    accept_unchanged
        Take masks that are just as they went out as labels, too. Otherwise they count as not looked at: most
        formats can't tell a prediction that somebody approved from one that nobody opened.
    strict
        Refuse an export that holds anything that would not be taken.

    Raises
    ------
    IcefloeError
        If the export is malformed, a mask does not fit its image, an image is unknown or taken, an author is
        missing, or there is no label in it.
    """
    chosen = exchange_format(format_name)
    reading = chosen.read(open_source(source), Known(queue.items()))
    outside, unchanged = [], []
    for label in reading.labels:
        item = label.item
        check_mask(label.what, label.mask, item.shape, len(item.classes))
        untouched = _tells_no_author(chosen) and np.array_equal(
            limited(label.mask, item.regions),
            limited(chosen.as_exported(_premask(queue, item), item.classes), item.regions),
        )
        if untouched and not accept_unchanged:
            unchanged.append(item.key)
        elif label.is_blank and not untouched:
            reading.leave(item.key, NOBODY_OUTLINED)
        else:
            outside.append(outside_label(label, chosen.name, author))
    _check_taken(reading, len(outside), unchanged, strict)
    before = _known_labels(queue)
    labels = queue.submit_all(outside)
    n_known = sum(label.id in before for label in labels)
    return ImportResult(tuple(labels), tuple(unchanged), n_known, reading.left_out, tuple(reading.notes))


def _check_taken(reading: Reading, n_labels: int, unchanged: Sequence[str], strict: bool) -> None:
    left = "; ".join(left.sentence() for left in reading.left_out)
    same = f"masks that came back as they went out: {len(unchanged)}" if unchanged else ""
    rest = "; ".join(part for part in (same, left) if part)
    if not n_labels:
        remedy = (
            "Label the images, or take the masks as they are: --accept-unchanged."
            if unchanged
            else "Label the images, or name what the tool exported."
        )
        raise IcefloeError(f"{reading.where}: no labels in it{'; ' if rest else ''}{rest}. {remedy}")
    if strict and rest:
        raise IcefloeError(
            f"{reading.where}: {rest}. Nothing was imported; label or remove them, or leave out --strict."
        )


def _tells_no_author(chosen: Format) -> bool:
    # Label Studio keeps what a person approved apart from predictions; the file formats do not.
    return not isinstance(chosen, LabelStudio)


def outgoing(queue: Queue, data: Path, items: Sequence[Item]) -> Iterator[Outgoing]:
    """The items with their images and predicted masks, one after the other.

    Raises
    ------
    IcefloeError
        If an image is not in `data`, the folder of the datasets, or can't be read.
    """
    datasets = load_datasets(data, sorted({item.dataset for item in items}))
    samples = {sample.key: sample for dataset in datasets.values() for sample in dataset.samples}
    for item in items:
        if item.key not in samples:
            raise IcefloeError(
                f"{data / item.dataset}: {item.stem} is queued but not there. Restore the data."
            )
        sample = samples[item.key]
        yield Outgoing(item, sample.image(), _premask(queue, item), sample.pixel_size_nm)


def _known_labels(queue: Queue) -> set[int | None]:
    """Numbers of the labels that items have: accepted, or of one of two people."""
    return {
        number for item in queue.items() for number in (item.label_id, item.first_label, item.second_label)
    }


def _premask(queue: Queue, item: Item) -> MaskArray:
    stored = None if item.arm == "without" else queue.presegmentation(item.id)
    premask = np.zeros(item.shape, np.uint8) if stored is None else decode_png(stored)
    return limited(premask, item.regions, outside=0)


def outside_label(label: Incoming, source: str, author: str | None) -> OutsideLabel:
    """A label as the queue takes it.

    Parameters
    ----------
    label
        As another tool gave it.
    source
        Name of its format.
    author
        Who made it, where the tool does not say.

    Raises
    ------
    IcefloeError
        If nobody says who made it, or the name can't be one.
    """
    labeler = label.author or author
    if labeler is None:
        raise IcefloeError(f"{label.what}: the label names no author. Name one: --author NAME.")
    check_person(labeler)
    png = encode_png(limited(label.mask, label.item.regions))
    # Of the label itself and nothing else, so that a second import of the file is known again.
    token = hashlib.sha256(f"{label.item.id} {labeler} ".encode() + png).hexdigest()
    return OutsideLabel(
        item_id=label.item.id,
        labeler=labeler,
        png=png,
        seconds=label.seconds,
        time=time.time() if label.time is None else label.time,
        source=source,
        token=f"import-{token}",
        client=source,
    )
