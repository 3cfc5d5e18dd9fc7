"""Labels from the queue into the datasets, as a new data version."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from icefloe.active.items import Item, Label, timestamp
from icefloe.active.queue import Queue
from icefloe.active.region import inside_any, limited, regions_text
from icefloe.active.uploads import decode_png
from icefloe.datasets.dataset import Dataset, Sample
from icefloe.datasets.label_history import add_labels, mask_path, read_history
from icefloe.datasets.label_origin import Making
from icefloe.datasets.readers import read_mask
from icefloe.datasets.shared import change_shared, cloned
from icefloe.datasets.versions import DATA, DataVersion, commit, current_version
from icefloe.typing import MaskArray


@dataclass(frozen=True)
class Collection:
    """Labels that became part of a data version: sample keys, time spent on them in s, and the version."""

    keys: tuple[str, ...]
    seconds: float
    version: DataVersion

    def sentence(self) -> str:
        """What came in, in words."""
        if not self.keys:
            return f"No new labels; the data version stays {self.version.rev[:10]}."
        return (
            f"{len(self.keys)} labels ({self.seconds / 60:.1f} min of work) are in data version "
            f"{self.version.rev[:10]}: {', '.join(self.keys)}."
        )


def collect(queue: Queue, workspace: Path, message: str | None = None) -> Collection:
    """Write the submitted labels into the datasets, commit a data version, and mark the items imported.

    Labels collected together get one time in `labels.csv`, that of the last of them, because splits treat
    labels of one time as one batch; the queue keeps each label's own time. A label of regions replaces those
    regions of the one that its image has, and the rest stays. Killed at any moment it can be run
    again: labels that are written already are known by mask, author and time, unchanged data make no further
    version, and an item is marked once.

    Parameters
    ----------
    queue
        Labelling queue whose submitted labels are collected; nobody else collects from it meanwhile.
    workspace
        Folder with git, DVC and `data/`.
    message
        Commit message of the data version; by default it counts the labels.

    Raises
    ------
    IcefloeError
        If a dataset or image is gone, or git or DVC fails; the labels then stay submitted.
    """
    return _collect(queue, message, lambda change: change(workspace), lambda: current_version(workspace))


def collect_shared(queue: Queue, data_repo: str, message: str | None = None) -> Collection:
    """As `collect`, into the workspace of a git repository, where the data version is pushed to.

    Killed before that, nobody sees anything of it; killed after it, the next call marks the items. Where
    somebody else pushed meanwhile, the labels are written into what that one made.

    Parameters
    ----------
    queue, message
        As for `collect`.
    data_repo
        URL of the repository, as for `icefloe.datasets.shared.cloned`.
    """

    def present() -> DataVersion:
        with cloned(data_repo) as workspace:
            return current_version(workspace)

    return _collect(queue, message, lambda change: change_shared(data_repo, change), present)


def _collect(
    queue: Queue,
    message: str | None,
    change_data: Callable[[Callable[[Path], DataVersion]], DataVersion],
    present: Callable[[], DataVersion],
) -> Collection:
    """Collect where `change_data` leads a change of a workspace's data to, and `present` is their version."""
    # Two pipelines, on two machines even, would each write the same labels into a data version of their own.
    with queue.database.exclusive("collect"):
        labels = queue.labels("submitted")
        if not labels:
            return Collection((), 0.0, present())
        items = {item.id: item for item in queue.items("submitted")}
        keys = tuple(items[label.item_id].key for label in labels)
        counted = f"{len(keys)} labels from the queue: {', '.join(keys)}"

        def write_and_commit(workspace: Path) -> DataVersion:
            _write(labels, items, workspace / DATA)
            return commit(workspace, counted if message is None else message)

        version = change_data(write_and_commit)
        queue.mark_imported(labels, version.rev)
    return Collection(keys, sum(label.seconds or 0.0 for label in labels), version)


def _write(labels: Sequence[Label], items: Mapping[int, Item], data: Path) -> None:
    came_in = datetime.fromtimestamp(max(label.time for label in labels), UTC)
    batches: dict[tuple[str, str, str], list[Label]] = defaultdict(list)
    for label in labels:
        if not _is_written(label, items[label.item_id], data):
            batches[items[label.item_id].dataset, label.labeler, label.source].append(label)
    for (dataset, author, source), batch in batches.items():
        stems = {label.id: items[label.item_id].stem for label in batch}
        samples = {sample.stem: sample for sample in Dataset.load(data / dataset).samples}
        add_labels(
            data / dataset,
            {
                stems[label.id]: _merged(label, items[label.item_id], samples.get(stems[label.id]))
                for label in batch
            },
            author,
            came_in,
            source,
            {stems[label.id]: label.seconds for label in batch if label.seconds is not None},
            {stems[label.id]: _making(label, items[label.item_id]) for label in batch},
        )


def _making(label: Label, item: Item) -> Making:
    others = [name for name in item.labelers if name != label.labeler]
    return Making(
        made=timestamp(label.time),
        origin=label.origin,
        others=" and ".join(others) or None,
        agreement=item.agreement,
        regions=regions_text(item.regions) or None,
    )


def _merged(label: Label, item: Item, sample: Sample | None) -> MaskArray:
    """The label, and outside its regions what the image's earlier label says."""
    mask = decode_png(label.png)
    if not item.regions or sample is None or not sample.is_labelled:
        return mask
    return np.where(inside_any(item.regions, item.shape), mask, sample.mask())


def _is_written(label: Label, item: Item, data: Path) -> bool:
    dataset = data / item.dataset
    path = mask_path(dataset, item.stem)
    records = [record for record in read_history(dataset) if record.stem == item.stem]
    if not records or not path.is_file():
        return False
    last = records[-1]
    return (
        (last.author, last.source, last.seconds) == (label.labeler, label.source, label.seconds)
        # The history keeps whole seconds.
        and datetime.fromisoformat(last.time).timestamp() >= int(label.time)
        and np.array_equal(limited(read_mask(path), item.regions), decode_png(label.png))
    )
