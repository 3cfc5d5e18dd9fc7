"""Composites of recordings as a dataset of the workspace."""

from collections.abc import Sequence
from pathlib import Path

from icefloe.acquisition.stack import StackReport
from icefloe.datasets.dataset import Dataset
from icefloe.datasets.importer import dataset_info, new_place, taken
from icefloe.errors import IcefloeError
from icefloe.scratch import put


def check_name(name: str, workspace_data: Path) -> None:
    """Refuse an invalid name of a dataset before frames are read.

    Raises
    ------
    IcefloeError
        If the name is no name, or taken.
    """
    dataset_info(name=name, experiment=name)
    new_place(workspace_data, name)


def make_dataset(
    stacked: Path, reports: Sequence[StackReport], name: str, workspace_data: Path, licence: str = ""
) -> Dataset:
    """Turn a folder of composites into the dataset `workspace_data/name`.

    Parameters
    ----------
    stacked
        `CompositeFolder` on the workspace's disk; it is moved.
    reports
        One report for each recording in the dataset.
    name
        The dataset's, and the experiment's.
    workspace_data
        The workspace's `data/` folder.
    licence
        Licence of the recordings, such as `CC-BY-4.0`.

    Returns
    -------
    Dataset
        The new dataset.

    Raises
    ------
    IcefloeError
        If there is no composite, or the name is taken.
    """
    if not any(report.rows for report in reports):
        raise IcefloeError(
            f"{name}: no composite was made, because the recordings are shorter than half of one. "
            "Keep their frames with --keep-tail, or take fewer with --frames N."
        )
    sizes = {report.pixel_size_nm for report in reports}
    known = [report.frame_rate for report in reports]
    rates = {rate.hz if rate and rate.is_even else None for rate in known}
    rate = rates.pop() if len(rates) == 1 else None
    info = dataset_info(
        name=name,
        experiment=name,
        pixel_size_nm=sizes.pop() if len(sizes) == 1 else None,
        frame_rate_hz=float(rate) if rate else None,
        source="stacked from " + ", ".join(report.recording for report in reports),
        licence=licence,
        preprocessing=["stacked"],
        notes=" ".join(report.sentence() for report in reports),
    )
    info.save(stacked)
    destination = new_place(workspace_data, name)
    destination.parent.mkdir(parents=True, exist_ok=True)
    try:
        put(stacked, destination)
    except FileExistsError as error:
        raise taken(destination) from error
    return Dataset.load(destination)
