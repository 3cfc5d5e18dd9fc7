"""What a study works on: datasets of the workspace, each image that has a reference mask."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from icefloe.datasets.dataset import Dataset, Sample, load_datasets
from icefloe.datasets.duplicates import find_groups, merge_links
from icefloe.errors import IcefloeError
from icefloe.imaging.preprocess import Preprocessing
from icefloe.training.data import PreparedImages, TrainingData, prepare_images


@dataclass(frozen=True)
class Material:
    """Datasets and how their images hang together.

    Attributes
    ----------
    datasets
        By name, in the order asked for.
    groups
        Sample key -> number of the group that shows one and the same thing; no group may be on two sides of a
        comparison. An image like no other is a group by itself.
    """

    datasets: dict[str, Dataset]
    groups: dict[str, int]

    @classmethod
    def load(cls, data: Path, names: Sequence[str]) -> "Material":
        """Datasets in a workspace's data folder, as they lie there.

        Raises
        ------
        IcefloeError
            If there is no such dataset, or one has no reference mask at all.
        """
        datasets = load_datasets(data, list(names))
        samples = [sample for dataset in datasets.values() for sample in dataset.samples]
        linked = merge_links([group.keys for group in find_groups(samples)])
        alone = [[sample.key] for sample in samples if not any(sample.key in keys for keys in linked)]
        groups = {key: number for number, keys in enumerate([*linked, *alone]) for key in keys}
        material = cls({name: datasets[name] for name in names}, groups)
        for name in names:
            if not material.samples(name):
                raise IcefloeError(
                    f"{name}: no image has a label or a truth to compare with. Label some, or leave it out."
                )
        return material

    def samples(self, *names: str) -> list[Sample]:
        """Images with a reference (a label, or a truth kept back), dataset by dataset in time order."""
        return [sample for name in names for sample in self.datasets[name].samples if sample.has_reference]

    def prepare(self, samples: Sequence[Sample], preprocessing: Preprocessing) -> PreparedImages:
        """Images and reference masks on the model's grid."""
        return prepare_images(samples, preprocessing)

    def training_data(
        self,
        train: Sequence[Sample],
        validation: Sequence[Sample],
        preprocessing: Preprocessing,
        new: Sequence[Sample] = (),
    ) -> TrainingData:
        """What members are trained on; the labels are the references.

        Parameters
        ----------
        train, validation
            Samples; no group may be among both.
        preprocessing
            From image to model grid.
        new
            Those of `train` that were labelled since the version that training starts from.
        """
        return TrainingData.of(
            self.prepare(train, preprocessing),
            self.prepare(validation, preprocessing),
            tuple(next(iter(self.datasets.values())).info.classes),
            new=[sample.key for sample in new],
        )


def labelled_and_held_back(data: Path) -> tuple[list[str], list[str]]:
    """Names of the datasets with labels, and of those whose truth is kept back: they play the new ones."""
    labelled, held_back = [], []
    for name, dataset in load_datasets(data).items():
        if dataset.holds_truth:
            held_back.append(name)
        elif dataset.labelled:
            labelled.append(name)
    return labelled, held_back
