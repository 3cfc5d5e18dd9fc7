"""The datasets of a study: in the workspace, or in the repository that the steps of a cluster clone."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from icefloe.datasets.dataset import Dataset, load_datasets
from icefloe.datasets.shared import cloned, fetch_data
from icefloe.datasets.versions import snapshot
from icefloe.settings import Settings


@contextmanager
def versioned(
    settings: Settings, names: Sequence[str] | None = None, rev: str | None = None
) -> Iterator[Path]:
    """A workspace from which datasets of a data version can be copied, until the block ends.

    Parameters
    ----------
    settings
        `local`: those of the workspace. `cluster`: they name the repository that is cloned.
    names
        Datasets that will be copied, of which alone a clone fetches the files; None: all.
    rev
        Git commit of the data version; None: the current one.

    Raises
    ------
    IcefloeError
        If the repository or its data can't be read.
    """
    if settings.profile == "local":
        yield settings.workspace
        return
    with cloned(settings.data_repo) as clone:
        fetch_data(clone, names, rev)
        yield clone


@contextmanager
def datasets_of(settings: Settings, names: Sequence[str] | None = None) -> Iterator[dict[str, Dataset]]:
    """Datasets by name, to be read until the block ends; None: all.

    Those of a workspace are as they are now, those of a repository as of its current data version.

    Raises
    ------
    IcefloeError
        If there is no such dataset, or the repository or its data can't be read.
    """
    if settings.profile == "local":
        yield load_datasets(settings.data, names)
        return
    with versioned(settings, names) as clone:
        folder = clone / "copies"
        snapshot(clone, names, None, folder)
        yield load_datasets(folder, names)
