"""What a pipeline hands from step to step as "the data": datasets of one version, and their split."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from icefloe.datasets.dataset import Dataset, Sample, load_datasets
from icefloe.datasets.duplicates import find_groups, merge_links
from icefloe.datasets.splits import Split, SplitConfig, split_samples
from icefloe.datasets.versions import DataVersion, snapshot
from icefloe.errors import IcefloeError
from icefloe.files import write_text_atomic

BUNDLE_FILE = "bundle.json"


@dataclass(frozen=True)
class Bundle:
    """A folder of datasets that belong to one data version.

    Attributes
    ----------
    path
        Holds a folder for each dataset, and `bundle.json`.
    version
        The data version they were copied from.
    datasets
        Datasets by name.
    split
        Which of their labelled images train, which validate, or in which fold they are.
    twins
        Keys of images that show the same as a training or validation image: nothing may be measured on them.
    """

    path: Path
    version: DataVersion
    datasets: dict[str, Dataset]
    split: Split
    twins: tuple[str, ...] = ()

    @classmethod
    def make(
        cls,
        workspace: Path,
        names: Sequence[str],
        config: SplitConfig,
        path: Path,
        rev: str | None = None,
    ) -> Bundle:
        """Copy datasets of a version (none named: all) to `path`, and split them.

        Without `rev`, the git revision that names the version, it is the workspace's current one.

        Raises
        ------
        IcefloeError
            If there is no version, or a dataset is not in it.
        """
        version = snapshot(workspace, list(names) or None, rev, path)
        datasets = load_datasets(path, list(names) or None)
        split = split_samples(list(datasets.values()), config)
        bundle = cls(path, version, datasets, split, _twins(datasets.values(), split))
        content = {"version": asdict(version), "split": split.to_dict(), "twins": bundle.twins}
        write_text_atomic(path / BUNDLE_FILE, json.dumps(content, indent=1))
        return bundle

    @classmethod
    def load(cls, path: Path) -> Bundle:
        """Read a bundle that `make` wrote.

        Raises
        ------
        IcefloeError
            If it is none.
        """
        try:
            content = json.loads((path / BUNDLE_FILE).read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise IcefloeError(f"{path}: no data bundle. Take the output of the step get_data.") from error
        return cls(
            path,
            DataVersion(**content["version"]),
            load_datasets(path),
            Split.from_dict(content["split"]),
            tuple(content["twins"]),
        )

    @property
    def only(self) -> Dataset:
        """The one dataset of a bundle that holds one."""
        (dataset,) = self.datasets.values()
        return dataset

    @property
    def samples(self) -> list[Sample]:
        """Every image, dataset by dataset in time order."""
        return [sample for dataset in self.datasets.values() for sample in dataset.samples]

    def side(self, *sides: str) -> list[Sample]:
        """Samples on the named sides of the split: `train`, `validation`, `test`."""
        wanted = {key for side in sides for key in getattr(self.split, side)}
        return [sample for sample in self.samples if sample.key in wanted]

    @property
    def validation(self) -> list[Sample]:
        """Labelled images that some member validates on: the validation side, or all images of the folds."""
        wanted = {*self.split.validation, *self.split.fold_of}
        return [sample for sample in self.samples if sample.key in wanted]

    @property
    def unseen(self) -> list[Sample]:
        """Images of the labelled datasets that no training has seen, nor a twin of; labelled or not."""
        seen = {*self.split.train, *self.split.validation, *self.twins}
        return [
            sample
            for dataset in self.datasets.values()
            if dataset.labelled
            for sample in dataset.samples
            if sample.key not in seen
        ]

    @property
    def held_out(self) -> list[Sample]:
        """Images to evaluate on: test side, folds, and in simulations unseen images with a truth kept back.

        An image of a fold is judged by the members that were not trained on it
        (`icefloe.ensemble.judges.UnseenBy`). Guard frames are unseen but too near to training frames.
        """
        unseen, folded = {sample.key for sample in self.unseen}, self.split.fold_of.keys()
        test = unseen & set(self.split.test)
        return [
            sample
            for sample in self.samples
            if sample.key in test | folded
            or (sample.key in unseen and not sample.is_labelled and sample.has_truth)
        ]

    def describe(self) -> dict[str, Any]:
        """What the KFP page shows beside the artifact: of folds, their number."""
        sizes = {side: len(keys) for side, keys in self.split.to_dict().items() if side != "fold_guards"}
        return {"version": self.version.md5, "datasets": list(self.datasets), **sizes}


def _twins(datasets: Iterable[Dataset], split: Split) -> tuple[str, ...]:
    seen = {*split.train, *split.validation}
    groups = find_groups([sample for dataset in datasets for sample in dataset.samples])
    return tuple(
        key
        for keys in merge_links([group.keys for group in groups])
        if seen & set(keys)
        for key in keys
        if key not in seen
    )
