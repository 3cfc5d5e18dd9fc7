"""Labels taken back: they train nothing from then on, and nothing of them is erased."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from icefloe.datasets.dataset import Dataset, Sample, natural_key
from icefloe.datasets.label_history import (
    HISTORY_FILE,
    WITHDRAWN,
    LabelRecord,
    came_along,
    read_history,
    standing_records,
    write_history,
)
from icefloe.datasets.labels import write_mask
from icefloe.datasets.readers import read_mask
from icefloe.errors import IcefloeError
from icefloe.typing import MaskArray

KEPT = "withdrawn"
"""Folder of a dataset with the masks that were taken back."""


@dataclass(frozen=True)
class WithdrawnLabel:
    """A label that was taken back.

    Attributes
    ----------
    key
        Its image, such as `D3/stack_7`.
    author, labelled_at
        Who had labelled it, and when last (ISO 8601); several names where regions are of several people, and
        None where the label came with the data.
    by, at, reason
        Who took it back, when (ISO 8601) and why.
    """

    key: str
    author: str | None
    labelled_at: str | None
    by: str
    at: str
    reason: str


def withdraw(
    dataset_dir: Path, stems: Iterable[str], by: str, reason: str, time: datetime | None = None
) -> tuple[WithdrawnLabel, ...]:
    """Take the labels of some images back: the images are unlabelled again, the history says who did and why.

    The masks move to `withdrawn/`, so that the other labels keep their places in the split, and earlier data
    versions hold them where they were. Killed at any moment, it can be called again.

    Parameters
    ----------
    dataset_dir
        Folder of the dataset.
    stems
        Images.
    by, reason
        Who takes them back, and why.
    time
        When, with time zone; now if not given.

    Raises
    ------
    IcefloeError
        If an image does not exist or has no label; then nothing is changed.
    """
    dataset = Dataset.load(dataset_dir)
    chosen = check_withdrawable(dataset, stems)
    history = read_history(dataset_dir)
    stamp = (time or datetime.now(UTC)).isoformat(timespec="seconds")
    for sample in chosen:
        write_mask(_kept_path(dataset_dir, sample.stem), sample.mask())
        own = [record for record in history if record.stem == sample.stem]
        if not own:
            history += (came_along(sample.stem),)
        if not own or own[-1].source != WITHDRAWN:  # else this was killed before it could remove the mask
            history += (LabelRecord(sample.stem, by, stamp, WITHDRAWN, reason=reason),)
    write_history(dataset_dir, history)
    for sample in chosen:
        if sample.mask_path is not None:
            sample.mask_path.unlink()
    wanted = {sample.key for sample in chosen}
    latest = {label.key: label for label in withdrawn_labels(dataset.path) if label.key in wanted}
    return tuple(latest[sample.key] for sample in chosen)


def check_withdrawable(dataset: Dataset, stems: Iterable[str]) -> tuple[Sample, ...]:
    """The images, each once, if all of them have a label that can be taken back.

    Raises
    ------
    IcefloeError
        Names the first that does not exist, or has no label.
    """
    samples = {sample.stem: sample for sample in dataset.samples}
    chosen = []
    for stem in dict.fromkeys(stems):
        sample = samples.get(stem)
        if sample is None:
            raise IcefloeError(
                f"{dataset.name}/{stem}: no such image. Name one as DATASET/IMAGE, such as D3/stack_7."
            )
        if not sample.is_labelled:
            earlier = [label for label in withdrawn_labels(dataset.path) if label.key == sample.key]
            since = f"; {earlier[-1].by} withdrew its label at {earlier[-1].at}" if earlier else ""
            raise IcefloeError(f"{sample.key}: the image has no label{since}. Name one that has.")
        chosen.append(sample)
    return tuple(chosen)


def withdrawn_labels(dataset_dir: Path) -> tuple[WithdrawnLabel, ...]:
    """Every label of a dataset that was ever taken back, oldest first, also of images labelled again since.

    Parameters
    ----------
    dataset_dir
        Folder of the dataset, which has its name.

    Raises
    ------
    IcefloeError
        If `labels.csv` cannot be read.
    """
    found = []
    history = read_history(dataset_dir)
    for number, record in enumerate(history):
        if record.source != WITHDRAWN:
            continue
        label = standing_records(history[:number]).get(record.stem, ())
        authors = dict.fromkeys(part.author for part in label if part.author)
        found.append(
            WithdrawnLabel(
                key=f"{dataset_dir.name}/{record.stem}",
                author=" and ".join(authors) or None,
                labelled_at=(label[-1].time if label else None) or None,
                by=record.author,
                at=record.time,
                reason=record.reason or "",
            )
        )
    return tuple(found)


def all_withdrawn(data: Path) -> tuple[WithdrawnLabel, ...]:
    """Every label of the datasets in a folder that was ever taken back, dataset by dataset, oldest first.

    Raises
    ------
    IcefloeError
        If a `labels.csv` cannot be read.
    """
    folders = sorted(
        (path.parent for path in data.glob(f"*/{HISTORY_FILE}")), key=lambda path: natural_key(path.name)
    )
    return tuple(label for folder in folders for label in withdrawn_labels(folder))


def labelled_by(dataset: Dataset, author: str) -> tuple[str, ...]:
    """Stems of the images whose label now is this person's, or regions of it are."""
    standing = standing_records(read_history(dataset.path))
    return tuple(
        sample.stem
        for sample in dataset.labelled
        if any(record.author == author for record in standing.get(sample.stem, ()))
    )


def withdrawn_mask(sample: Sample) -> MaskArray:
    """The mask that an image had before its label was withdrawn, uint8 of shape (H, W), 255 = ignore."""
    return read_mask(_kept_path(sample.image_path.parent.parent, sample.stem))


def _kept_path(dataset_dir: Path, stem: str) -> Path:
    return dataset_dir / KEPT / f"{stem}.png"
