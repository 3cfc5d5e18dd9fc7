"""Registered versions: fetch one, load one, calibrate what it promises."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from icefloe.datasets.dataset import load_datasets
from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.guarantees import Guarantees
from icefloe.progress import SILENT, Progress, tracked
from icefloe.registry.calibrate import calibrate, held_out_experiments, simulated_experiments
from icefloe.registry.registry import Registry
from icefloe.settings import Settings


@dataclass(frozen=True)
class FetchedVersion:
    """A registered version's name, such as `EA-T2`, and the folder that its files are in."""

    name: str
    folder: Path


def warn_if_provisional(settings: Settings, version: str, progress: Progress) -> None:
    """Warn that a version, named or by alias, is only provisional, and why."""
    line = Registry(settings).get(version).provisional_line()
    if line:
        progress.warn(line)


def version_name(settings: Settings, version: str) -> str:
    """The name of a registered version, such as `EA-T2`, that an alias such as `champion` stands for."""
    return Registry(settings).get(version).name


def fetch_version(settings: Settings, version: str, output: Path) -> FetchedVersion:
    """Download a version's files, checking every hash.

    Parameters
    ----------
    settings
        Settings of the workspace; they name the registry.
    version
        Name, or an alias such as `champion`.
    output
        New directory for the version's files.
    """
    registry = Registry(settings)
    registry.download(version, output)
    return FetchedVersion(registry.get(version).name, output)


def calibrate_version(
    settings: Settings,
    version: str,
    datasets: Sequence[str] = (),
    n_simulated: int = 0,
    max_error: float = 0.005,
    seed: int = 0,
    progress: Progress = SILENT,
) -> Guarantees:
    """Calibrate the guarantees of a version for new experiments, and store them with it.

    Parameters
    ----------
    settings
        Settings of the workspace.
    version
        Name of the version, or an alias such as `champion`.
    datasets
        Datasets with labels; their images that the version was not trained on are used.
    n_simulated
        Fresh simulated experiments besides.
    max_error
        Share of an image that may be wrong without a warning, in [0, 1].
    seed
        Seed of the simulated experiments.
    progress
        Told of every simulated experiment.
    """
    registry = Registry(settings)
    held_back = load_datasets(settings.data, datasets).values() if datasets else ()
    with tempfile.TemporaryDirectory() as scratch:
        ensemble = Ensemble.load(registry.download(version, Path(scratch) / "ensemble"))
        trained_on = registry.show(version).lineage.keys()
        simulated = simulated_experiments(n_simulated, seed)
        guarantees = calibrate(
            ensemble,
            held_out_experiments(held_back, ensemble.manifest, trained_on),
            tracked(simulated, progress, "Simulated experiments", n_simulated) if n_simulated else (),
            max_error,
        )
    registry.attach_guarantees(version, guarantees)
    return guarantees
