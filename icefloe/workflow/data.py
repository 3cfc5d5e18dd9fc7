"""Datasets: simulate, import, look at, version, and hand to a pipeline."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from icefloe.datasets.audit import AuditReport, audit
from icefloe.datasets.bundle import Bundle
from icefloe.datasets.dataset import Dataset, load_datasets
from icefloe.datasets.importer import ImportResult, import_folder
from icefloe.datasets.shared import cloned
from icefloe.datasets.splits import SplitConfig, split_samples
from icefloe.datasets.versions import DataVersion, commit, current_version, track
from icefloe.progress import SILENT, Progress
from icefloe.report.contact_sheet import write_contact_sheet
from icefloe.settings import Settings
from icefloe.simulate.workspace import simulate_workspace
from icefloe.workflow.datasets import versioned


@dataclass(frozen=True)
class Imported:
    """A dataset that was imported, and where a person can look at it.

    Attributes
    ----------
    result
        What was made, decided and left out.
    contact_sheet
        HTML page with every image and its outline.
    """

    result: ImportResult
    contact_sheet: Path

    @property
    def dataset(self) -> Dataset:
        """The new dataset."""
        return self.result.dataset

    def sentences(self) -> tuple[str, ...]:
        """What was made, decided and left out, and where to look at it."""
        return (*self.result.sentences(), f"Look at every image and its outline: {self.contact_sheet}")


def simulate(
    settings: Settings, names: Sequence[str] = (), seed: int = 0, progress: Progress = SILENT
) -> dict[str, Dataset]:
    """Simulate the standard datasets D1-D5 and a noisy one into the workspace.

    Parameters
    ----------
    settings
        Settings of the workspace.
    names
        Names of the datasets to make, of D1 to D5 and `noisy`; none given: all.
    seed
        Non-negative; the same seed makes the same bytes.
    progress
        Told of each dataset that is written.

    Returns
    -------
    dict
        Every dataset of the workspace by name.

    Raises
    ------
    IcefloeError
        If there is no such dataset, or one exists with other content; then nothing is written.
    """
    simulate_workspace(settings.data, seed=seed, progress=progress, names=names)
    track(settings.workspace)
    return load_datasets(settings.data)


def import_images(
    settings: Settings,
    source: Path,
    name: str,
    *,
    experiment: str | None = None,
    author: str | None = None,
    licence: str = "",
    pixel_size_nm: float | None = None,
    metadata: Path | None = None,
    classes: Sequence[str] = ("background", "ice"),
    hold_labels: bool = False,
    region_done: bool = False,
    strict: bool = False,
) -> Imported:
    """Import a folder of images, with or without labels, as a dataset of the workspace.

    Parameters
    ----------
    settings
        Settings of the workspace.
    source
        Folder with the images, and masks or polygons if there are any.
    name
        Name of the new dataset, which is its folder's name; see `icefloe.names.check_name`.
    experiment
        Experiment that the images are of; None: the dataset's name.
    author
        Person who made the labels, for `labels.csv`.
    licence
        On what terms the images may be used.
    pixel_size_nm
        Pixel edge in nm; None: what the files say.
    metadata
        CSV table of how each image was taken; see `icefloe.datasets.import_metadata`.
    classes
        Class names by mask value, background first.
    hold_labels
        Keep the labels back as truth, to replay the loop as if nobody had labelled.
    region_done
        The two-phase region has been cut out of these images already.
    strict
        Refuse the folder if there are files in it that are not taken.

    Raises
    ------
    IcefloeError
        If the name is taken or not a name, there is no image, or a label does not fit; then nothing is
        written.
    """
    result = import_folder(
        source,
        name,
        settings.data,
        experiment=experiment,
        author=author,
        licence=licence,
        pixel_size_nm=pixel_size_nm,
        metadata=metadata,
        classes=list(classes),
        hold_labels=hold_labels,
        preprocessing=steps_done(region_done),
        strict=strict,
    )
    sheet = write_contact_sheet(result.dataset, settings.workspace / "reports" / f"import-{name}.html")
    return Imported(result, sheet)


def audit_data(settings: Settings, names: Sequence[str] | None = None) -> AuditReport:
    """Look for what is wrong or remarkable in datasets before anything is trained on them.

    Parameters
    ----------
    settings
        Settings of the workspace.
    names
        Names of the datasets; None: all of the workspace.
    """
    datasets = list(load_datasets(settings.data, names).values())
    labelled = any(dataset.labelled for dataset in datasets)
    return audit(datasets, split_samples(datasets, SplitConfig()) if labelled else None)


def commit_data(settings: Settings, message: str) -> DataVersion:
    """Record the data as they are now as a new version (DVC and git).

    Raises
    ------
    IcefloeError
        If there is no dataset, or git or DVC fails.
    """
    return commit(settings.workspace, message)


def current_data(settings: Settings) -> DataVersion:
    """The current data version of the workspace, or of the repository that a cluster's steps clone.

    Raises
    ------
    IcefloeError
        If none was ever made, or the repository can't be read.
    """
    if settings.profile == "local":
        return current_version(settings.workspace)
    with cloned(settings.data_repo) as clone:
        return current_version(clone)


def get_data(
    settings: Settings, names: Sequence[str], split: SplitConfig, output: Path, version: str | None = None
) -> Bundle:
    """Copy datasets of a data version for a pipeline, and split their labelled images.

    Parameters
    ----------
    settings
        Settings of the workspace, or of the repository that a cluster's steps clone.
    names
        Names of datasets of the version; none named: all.
    split
        Fractions and block length by which the labelled images are divided.
    output
        New folder for the bundle.
    version
        Git commit of the data version; None: the current one.

    Raises
    ------
    IcefloeError
        If there is no such data version, or a dataset is not in it.
    """
    with versioned(settings, list(names) or None, version) as workspace:
        return Bundle.make(workspace, names, split, output, version)


def steps_done(region_done: bool) -> tuple[str, ...]:
    """Preprocessing that a person says was done to images already."""
    return ("region",) if region_done else ()
