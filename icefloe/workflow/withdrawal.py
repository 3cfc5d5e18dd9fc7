"""Take labels back: out of the data and the queue, with the versions named that they have trained."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from icefloe.active.queue import Queue, open_queue
from icefloe.datasets.dataset import Dataset, load_datasets
from icefloe.datasets.shared import change_shared
from icefloe.datasets.versions import DATA, DataVersion, commit, current_version
from icefloe.datasets.withdrawal import (
    WithdrawnLabel,
    all_withdrawn,
    check_withdrawable,
    labelled_by,
    withdraw,
    withdrawn_labels,
)
from icefloe.errors import IcefloeError
from icefloe.registry.registry import Registry
from icefloe.registry.withdrawn import trained_by, untouched_start
from icefloe.settings import Settings
from icefloe.tables import Table
from icefloe.workflow.datasets import datasets_of


@dataclass(frozen=True)
class WithdrawnLabels:
    """Labels that were ever withdrawn, and the versions that they have trained.

    Attributes
    ----------
    labels
        Every one, dataset by dataset, oldest first.
    versions
        Name of a version -> keys of those labels that trained it or a version that it started from.
    champion
        The champion's name; None: there is none.
    start
        Version that the next training starts from; None: it starts from scratch, or there is no champion.
    """

    labels: tuple[WithdrawnLabel, ...]
    versions: Mapping[str, tuple[str, ...]]
    champion: str | None
    start: str | None

    @classmethod
    def of(cls, registry: Registry, labels: tuple[WithdrawnLabel, ...]) -> "WithdrawnLabels":
        """Look for them in the lineage of every version."""
        versions = trained_by(registry, labels)
        champion = registry.champion()
        start = untouched_start(registry, champion.name, versions) if champion else None
        return cls(labels, versions, champion.name if champion else None, start)

    def trained(self, key: str) -> tuple[str, ...]:
        """Names of the versions that a withdrawn label has trained."""
        return tuple(name for name, keys in self.versions.items() if key in keys)

    def consequence(self) -> str:
        """What comes of it for the next training; empty where the champion is not concerned."""
        if self.champion is None or self.champion not in self.versions:
            return ""
        start = f"starts from {self.start}" if self.start else "starts from scratch"
        return f"{self.champion} stays the champion until another is promoted; the next training {start}."

    def table(self) -> Table:
        """Every label: who had made it, who withdrew it and why, and what it has trained."""
        rows = [
            {
                "image": label.key,
                "labelled by": label.author or "came with the data",
                "withdrawn by": label.by,
                "when": label.at,
                "why": label.reason,
                "trained": ", ".join(self.trained(label.key)) or "none",
            }
            for label in self.labels
        ]
        return Table.of(rows)


@dataclass(frozen=True)
class Withdrawal:
    """What a call of `withdraw_labels` did.

    Attributes
    ----------
    labels
        Labels taken out of the data.
    reopened
        Keys of images whose label was in the queue only, and which wait there again.
    version
        Data version without the labels; None: none was in the data.
    all
        All labels withdrawn so far, and the versions that they have trained.
    """

    labels: tuple[WithdrawnLabel, ...]
    reopened: tuple[str, ...]
    version: DataVersion | None
    all: WithdrawnLabels

    def sentence(self) -> str:
        """What was withdrawn, what it had trained, and what comes of it."""
        said = []
        if self.version is not None:
            keys = ", ".join(label.key for label in self.labels)
            said.append(
                f"{_counted(len(self.labels))} withdrawn, data version {self.version.rev[:10]}: {keys}."
            )
            trained = dict.fromkeys(name for label in self.labels for name in self.all.trained(label.key))
            said.append(f"Trained by them: {', '.join(trained)}." if trained else "No version was trained.")
        if self.reopened:
            said.append(
                f"{_counted(len(self.reopened))} not in the data yet; the images wait in the queue again: "
                f"{', '.join(self.reopened)}."
            )
        return " ".join([*said, self.all.consequence()]).strip()


def withdraw_labels(
    settings: Settings,
    keys: Sequence[str] = (),
    labeler: str | None = None,
    *,
    reason: str,
    by: str,
) -> Withdrawal:
    """Withdraw labels: those of some images, or all that are a person's.

    A label in the data is taken out of it, as a new data version; earlier versions and the history keep it.
    One that is only in the queue is reopened there. The next training uses neither these labels nor weights
    that they have moved. Killed at any moment it can be called again.

    Parameters
    ----------
    settings
        Settings of the workspace, or of the repository that a cluster's steps clone and push to.
    keys
        Images such as `D3/stack_7`.
    labeler
        Person whose labels are withdrawn, in the place of `keys`.
    reason, by
        Why, and who wants it.

    Raises
    ------
    IcefloeError
        If there is no reason, neither or both of `keys` and `labeler` are given, an image does not exist or
        has no label, or the person has none; then nothing is changed.
    """
    if not reason.strip():
        raise IcefloeError("Withdrawing labels needs a reason. Say what is wrong with them.")
    if bool(keys) == bool(labeler):
        raise IcefloeError("Which labels? Name images such as D3/stack_7, or one labeler.")
    queue = open_queue(settings)
    found: tuple[WithdrawnLabel, ...] = ()
    known: tuple[WithdrawnLabel, ...] = ()
    # Not while labels are collected: one would be read from the queue, and reopened there meanwhile.
    with queue.database.exclusive("collect"):
        waiting = _uncollected(queue, keys, labeler)

        def take_out(workspace: Path) -> DataVersion:
            nonlocal found, known
            datasets = load_datasets(workspace / DATA)
            stems = _in_the_data(datasets, keys, labeler, waiting)
            found = tuple(
                label for name in stems for label in withdraw(datasets[name].path, stems[name], by, reason)
            )
            known = all_withdrawn(workspace / DATA)
            if not found:
                return current_version(workspace)
            listed = ", ".join(label.key for label in found)
            return commit(workspace, f"{_counted(len(found))} withdrawn by {by} ({reason}): {listed}")

        if settings.profile == "local":
            version = take_out(settings.workspace)
        else:
            version = change_shared(settings.data_repo, take_out)
        if not found and not waiting:
            raise IcefloeError(
                f"{labeler}: no label now is theirs. `icefloe queue history` tells who labelled."
            )
        for item_id in waiting.values():
            queue.reopen(item_id, by, reason)
        queue.note_withdrawn([label.key for label in found], by, reason)
    return Withdrawal(
        found,
        tuple(waiting),
        version if found else None,
        WithdrawnLabels.of(Registry(settings), known),
    )


def withdrawn_so_far(settings: Settings) -> WithdrawnLabels:
    """Labels that were withdrawn so far, and the versions that they have trained."""
    with datasets_of(settings) as datasets:
        labels = tuple(label for dataset in datasets.values() for label in withdrawn_labels(dataset.path))
    return WithdrawnLabels.of(Registry(settings), labels)


def _uncollected(queue: Queue, keys: Collection[str], labeler: str | None) -> dict[str, int]:
    """Key -> number of the items whose label is meant and is not in the data yet."""
    by_item = {label.item_id: label.labeler for label in queue.labels("submitted")}
    return {
        item.key: item.id
        for item in queue.items("submitted")
        if item.key in keys or (labeler is not None and by_item.get(item.id) == labeler)
    }


def _in_the_data(
    datasets: Mapping[str, Dataset], keys: Sequence[str], labeler: str | None, waiting: Collection[str]
) -> dict[str, list[str]]:
    """Dataset -> stems of the labels that are meant and are in the data, each found to be there."""
    if labeler is not None:
        theirs = {name: list(labelled_by(dataset, labeler)) for name, dataset in datasets.items()}
        return {name: stems for name, stems in theirs.items() if stems}
    labelled = {sample.key for dataset in datasets.values() for sample in dataset.labelled}
    stems: dict[str, list[str]] = {}
    for key in dict.fromkeys(keys):
        name, _, stem = key.partition("/")
        if name not in datasets:
            raise IcefloeError(f"{key}: no such image. Name one as DATASET/IMAGE, such as D3/stack_7.")
        if key in labelled or key not in waiting:
            stems.setdefault(name, []).append(stem)
    for name, wanted in stems.items():  # before the first is changed
        check_withdrawable(datasets[name], wanted)
    return stems


def _counted(n_labels: int) -> str:
    return "1 label" if n_labels == 1 else f"{n_labels} labels"
