"""Which images and which labels, drawn by whom and when, stand behind a set of samples."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from icefloe.datasets.dataset import Dataset
from icefloe.datasets.label_history import LabelRecord, read_history
from icefloe.errors import IcefloeError
from icefloe.files import sha256_file


@dataclass(frozen=True)
class SampleLineage:
    """Where one sample comes from.

    Attributes
    ----------
    key
        Sample, such as `D1/stack_7`.
    image_sha256, label_sha256
        Of the files; the label's is None for an unlabelled image.
    labels
        The label's history, oldest first; empty where it came with the dataset and nobody said whose it is.
    """

    key: str
    image_sha256: str
    label_sha256: str | None
    labels: tuple[LabelRecord, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def lineage(datasets: Mapping[str, Dataset], keys: Iterable[str]) -> tuple[SampleLineage, ...]:
    """Files and label history of samples, for answering which images and labels trained a model, and whose.

    Parameters
    ----------
    datasets
        By name, as `load_datasets` gives them for a workspace or a snapshot.
    keys
        Samples, such as a split's training side.

    Returns
    -------
    tuple of SampleLineage
        In the order of `keys`.

    Raises
    ------
    IcefloeError
        If a sample is not in the datasets.
    """
    samples = {sample.key: sample for dataset in datasets.values() for sample in dataset.samples}
    histories = {name: read_history(dataset.path) for name, dataset in datasets.items()}
    found = []
    for key in keys:
        if key not in samples:
            raise IcefloeError(
                f"{key}: no such sample in the datasets given. Take the data version it is of."
            )
        sample = samples[key]
        found.append(
            SampleLineage(
                key=key,
                image_sha256=sha256_file(sample.image_path),
                label_sha256=sha256_file(sample.mask_path) if sample.mask_path else None,
                labels=tuple(r for r in histories[sample.dataset] if r.stem == sample.stem),
            )
        )
    return tuple(found)
