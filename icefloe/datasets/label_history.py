"""Who labelled what and when: `labels.csv` of a dataset, and adding labels to it."""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from icefloe.datasets.dataset import Dataset, Sample, check_mask
from icefloe.datasets.label_origin import MAKING_COLUMNS, UNTOLD, Making
from icefloe.datasets.labels import write_mask
from icefloe.datasets.readers import image_shape
from icefloe.errors import IcefloeError
from icefloe.files import write_text_atomic
from icefloe.typing import MaskArray

HISTORY_FILE = "labels.csv"
COLUMNS = ("stem", "author", "time", "source", "seconds")
REASON = "reason"
"""A column of histories in which a label was withdrawn."""
WITHDRAWN = "withdrawn"
"""Source of the line that takes a label back."""


@dataclass(frozen=True)
class LabelRecord:
    """One line of a dataset's label history.

    Attributes
    ----------
    stem
        Stem of the image that was labelled.
    author
        Person who drew the mask.
    time
        When it came in, ISO 8601 with time zone.
    source
        How: `dataset` (it came along, and nobody said whose it is), `import`, `queue`, `simulation`, ...;
        `withdrawn` where the line takes the label before it back.
    seconds
        How long the labelling took; None where nobody measured it.
    making
        From what, with what, and what others thought.
    reason
        Why a label was withdrawn; None for a label.
    """

    stem: str
    author: str
    time: str
    source: str
    seconds: float | None = None
    making: Making = UNTOLD
    reason: str | None = None


def read_history(dataset: Path) -> tuple[LabelRecord, ...]:
    """The label history of the dataset folder `dataset`, oldest first; empty where none was kept.

    Raises
    ------
    IcefloeError
        If `labels.csv` lacks a column or has a value of the wrong kind.
    """
    path = dataset / HISTORY_FILE
    if not path.is_file():
        return ()
    rows = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))
    if missing := [column for column in COLUMNS if column not in (rows.fieldnames or ())]:
        raise IcefloeError(f"{path}: no column {missing[0]!r}. The first line must be {','.join(COLUMNS)}.")
    records = []
    for row in rows:
        try:
            seconds = float(row["seconds"]) if row["seconds"] else None
        except ValueError as error:
            raise IcefloeError(
                f"{path}: line {rows.line_num}: seconds is {row['seconds']!r}. Write a number or nothing."
            ) from error
        making = Making.of_cells(row, f"{path}: line {rows.line_num}")
        reason = row.get(REASON) or None
        records.append(
            LabelRecord(row["stem"], row["author"], row["time"], row["source"], seconds, making, reason)
        )
    return tuple(records)


def standing_records(history: Iterable[LabelRecord]) -> dict[str, tuple[LabelRecord, ...]]:
    """By stem, the lines that an image's label is made of: the last of all of it, and of regions since.

    Images whose label was withdrawn, and not made again, are left out.
    """
    standing: dict[str, tuple[LabelRecord, ...]] = {}
    for record in history:
        if record.source == WITHDRAWN:
            standing.pop(record.stem, None)
        elif record.making.regions is None:
            standing[record.stem] = (record,)
        else:
            standing[record.stem] = (*standing.get(record.stem, ()), record)
    return standing


def write_history(dataset: Path, records: tuple[LabelRecord, ...]) -> None:
    """Replace `labels.csv` of the dataset folder `dataset` at once, without columns that no line fills."""
    text = io.StringIO(newline="")
    details = [{**record.making.cells(), REASON: record.reason or ""} for record in records]
    told = [column for column in (*MAKING_COLUMNS, REASON) if any(cells[column] for cells in details)]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*COLUMNS, *told))
    for record, cells in zip(records, details, strict=True):
        seconds = "" if record.seconds is None else f"{record.seconds:g}"
        row = (record.stem, record.author, record.time, record.source, seconds)
        writer.writerow((*row, *(cells[column] for column in told)))
    write_text_atomic(dataset / HISTORY_FILE, text.getvalue())


def add_labels(
    dataset_dir: Path,
    masks: Mapping[str, MaskArray],
    author: str,
    time: datetime | None = None,
    source: str = "import",
    seconds: Mapping[str, float] | float | None = None,
    making: Mapping[str, Making] = MappingProxyType({}),
) -> Dataset:
    """Write masks of some images and say in `labels.csv` who made them.

    All masks are checked before the first is written. A mask that replaces another does so at once; the
    earlier one stays in the earlier data version.

    Parameters
    ----------
    dataset_dir
        Folder of the dataset.
    masks : uint8, each of shape (H, W)
        Class index by image stem, 255 = ignore.
    author
        Person who labelled.
    time
        When, with time zone; now if not given. Labels of one time came together, which `splits` uses.
    source
        How the labels came in, such as `import` or `queue`.
    seconds
        Labelling time, of each image by stem or the same for all.
    making
        How each label came about, by stem, as far as that is known.

    Returns
    -------
    Dataset
        Loaded again, with the new labels.

    Raises
    ------
    IcefloeError
        If there is no mask, no such image, or a mask of another size or with unknown classes.
    """
    dataset = Dataset.load(dataset_dir)
    samples = {sample.stem: sample for sample in dataset.samples}
    if not masks:
        raise IcefloeError(f"{dataset_dir}: no labels to add. Name at least one mask.")
    for stem, mask in masks.items():
        if stem not in samples:
            raise IcefloeError(
                f"{dataset_dir}: a label for {stem!r}, but no such image. Name the label as the image."
            )
        check_mask(
            mask_path(dataset_dir, stem),
            mask,
            image_shape(samples[stem].image_path),
            len(dataset.info.classes),
        )
    stamp = (time or datetime.now(UTC)).isoformat(timespec="seconds")
    history = read_history(dataset_dir)
    known = {record.stem for record in history}
    for stem, mask in masks.items():
        if samples[stem].is_labelled and stem not in known:
            # That there was an earlier label must not be forgotten: the split goes by an image's first.
            history += (came_along(stem),)
        write_mask(mask_path(dataset_dir, stem), mask)
        _remove_superseded(samples[stem], mask_path(dataset_dir, stem))
        taken = seconds.get(stem) if isinstance(seconds, Mapping) else seconds
        history += (LabelRecord(stem, author, stamp, source, taken, making.get(stem, UNTOLD)),)
    write_history(dataset_dir, history)
    return Dataset.load(dataset_dir)


def came_along(stem: str) -> LabelRecord:
    """The line of a label that came with its dataset."""
    return LabelRecord(stem, author="", time="", source="dataset")


def mask_path(dataset_dir: Path, stem: str) -> Path:
    """Where the label of image `stem` is kept."""
    return dataset_dir / "masks" / f"{stem}.png"


def label_batches(dataset: Dataset) -> dict[str, list[Sample]]:
    """Samples with a label, or one withdrawn, by the time their first one came in, oldest batch first.

    Samples that the history does not name came with the dataset; their batch is named by an empty string.
    """
    first_time: dict[str, str] = {}
    latest: dict[str, str] = {}
    for record in read_history(dataset.path):
        first_time.setdefault(record.stem, record.time)
        latest[record.stem] = record.source
    batches: dict[str, list[Sample]] = {}
    for sample in dataset.samples:
        if sample.is_labelled or latest.get(sample.stem) == WITHDRAWN:
            batches.setdefault(first_time.get(sample.stem, ""), []).append(sample)
    return dict(sorted(batches.items()))


def _remove_superseded(sample: Sample, written: Path) -> None:
    # The earlier label may have been a TIFF; two masks of one stem could not be told apart.
    if sample.mask_path is not None and sample.mask_path != written:
        sample.mask_path.unlink()
