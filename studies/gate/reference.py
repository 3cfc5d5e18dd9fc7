"""The benchmark and the datasets of a workspace, measured with today's evidence."""

from pathlib import Path

from icefloe.datasets.dataset import Dataset, load_datasets
from icefloe.drift.benchmark import predicted_rows
from icefloe.ensemble.ensemble import Ensemble
from icefloe.errors import IcefloeError
from studies.gate.simulation import Rows


def reference_rows(ensemble: Ensemble, data: Path) -> Rows:
    """The benchmark's images, predicted and measured again: older benchmarks lack columns.

    Raises
    ------
    IcefloeError
        If the benchmark is empty, or one of its images is not among the datasets.
    """
    held_out: dict[str, set[str]] = {}
    for row in ensemble.manifest.benchmark:
        held_out.setdefault(row.dataset, set()).add(row.stem)
    if not held_out:
        raise IcefloeError(f"{ensemble.manifest.name}: its benchmark holds no image. Train it again.")
    rows: Rows = []
    for name, dataset in load_datasets(data, list(held_out)).items():
        found = measured_rows(ensemble, dataset, held_out[name])
        missing = held_out[name] - {row.stem for row in found}
        if missing:
            raise IcefloeError(
                f"{data / name}: image {min(missing)} of the benchmark is not here. Name the workspace that "
                f"{ensemble.manifest.name} was trained in."
            )
        rows += found
    return rows


def measured_rows(ensemble: Ensemble, dataset: Dataset, stems: set[str] | None = None) -> Rows:
    """One row an image of a dataset, or of those named."""
    samples = [sample for sample in dataset.samples if stems is None or sample.stem in stems]
    return predicted_rows(ensemble.predict(samples))
