"""What a study works on: the workspace's images that have a reference mask, and scores against it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from icefloe.datasets.dataset import Dataset, Sample, load_datasets
from icefloe.datasets.duplicates import find_groups, merge_links
from icefloe.errors import IcefloeError
from icefloe.scoring.metrics import PixelScores, confusion_matrix, scores_from_confusion
from icefloe.typing import MaskArray


@dataclass(frozen=True)
class StudyData:
    """Datasets, and which of their images show the same.

    Attributes
    ----------
    datasets
        Name -> dataset, in the order asked for.
    groups
        Sample key -> number of the group of images that show one and the same thing; no group may be on two
        sides of a comparison. An image like no other is a group by itself.
    """

    datasets: dict[str, Dataset]
    groups: dict[str, int]

    @classmethod
    def load(cls, folder: Path, names: Sequence[str]) -> "StudyData":
        """Read datasets from a workspace's `data` folder; one named twice is there once.

        Raises
        ------
        IcefloeError
            If there is no such dataset, or one has no reference mask at all.
        """
        names = list(dict.fromkeys(names))
        datasets = load_datasets(folder, names)
        samples = [sample for dataset in datasets.values() for sample in dataset.samples]
        linked = merge_links([group.keys for group in find_groups(samples)])
        alone = [[sample.key] for sample in samples if not any(sample.key in keys for keys in linked)]
        groups = {key: number for number, keys in enumerate([*linked, *alone]) for key in keys}
        data = cls({name: datasets[name] for name in names}, groups)
        for name in names:
            if not data.samples(name):
                raise IcefloeError(
                    f"{name}: no image has a label or a truth to compare with. Label some, or leave it out."
                )
        return data

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names by mask value, as the first dataset has them."""
        return tuple(next(iter(self.datasets.values())).info.classes)

    def samples(self, *names: str) -> list[Sample]:
        """Images with a reference (a label, or a truth kept back), dataset by dataset in time order."""
        return [sample for name in names for sample in self.datasets[name].samples if sample.has_reference]

    def distinct(self, samples: Iterable[Sample], known: Iterable[Sample] = ()) -> list[Sample]:
        """The first image of each group, but of no group that an image of `known` is in."""
        groups = {self.groups[sample.key] for sample in known}
        found = []
        for sample in samples:
            if (group := self.groups[sample.key]) not in groups:
                groups.add(group)
                found.append(sample)
        return found


@dataclass(frozen=True)
class Division:
    """A dataset's images, or several datasets', in one repetition.

    Attributes
    ----------
    pool
        Images that can be labelled, in the order in which the study labels them.
    test
        Images that nothing is ever trained on.
    """

    pool: tuple[Sample, ...]
    test: tuple[Sample, ...]


def labelled_and_held_back(folder: Path) -> tuple[list[str], list[str]]:
    """Names of the datasets with labels, and of those whose truth is kept back: they play the new ones."""
    labelled, held_back = [], []
    for name, dataset in load_datasets(folder).items():
        if dataset.holds_truth:
            held_back.append(name)
        elif dataset.labelled:
            labelled.append(name)
    return labelled, held_back


def pooled_scores(
    references: Iterable[MaskArray], masks: Iterable[MaskArray], n_classes: int = 2
) -> PixelScores:
    """Scores of masks against their references, the pixels of all images pooled.

    Parameters
    ----------
    references, masks : uint8, each pair of shape (H, W)
        Class indices; 255 is left out.
    n_classes
        Number of classes, the background included.
    """
    pairs = zip(references, masks, strict=True)
    return scores_from_confusion(np.sum([confusion_matrix(*pair, n_classes) for pair in pairs], axis=0))
