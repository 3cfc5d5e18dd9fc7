"""Registered versions: fetch one, load one, calibrate what it promises."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from icefloe.datasets.dataset import load_datasets
from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.guarantees import Guarantees
from icefloe.progress import SILENT, Progress, tracked
from icefloe.registry.calibrate import calibrate, held_out_experiments, simulated_experiments
from icefloe.registry.guarantees import attach_guarantees
from icefloe.registry.registry import Registry
from icefloe.settings import Settings


def fetch_version(settings: Settings, version: str, output: Path) -> str:
    """Download a version's ensemble, checking every file's hash; return its name, such as `EA-T2`.

    Parameters
    ----------
    settings
        Name the registry.
    version
        Name, or an alias such as `champion`.
    output
        New directory.
    """
    registry = Registry(settings)
    registry.download(version, output)
    return registry.get(version).name


def calibrate_version(
    settings: Settings,
    version: str,
    datasets: Sequence[str] = (),
    n_simulated: int = 0,
    max_error: float = 0.005,
    seed: int = 0,
    progress: Progress = SILENT,
) -> Guarantees:
    """Calibrate what a version promises of new experiments, and keep it with the version.

    Parameters
    ----------
    settings
        Of the workspace.
    version
        Name, or an alias.
    datasets
        Datasets with labels; their images that the version was not trained on are used.
    n_simulated
        Fresh simulated experiments besides.
    max_error
        Share of an image that may be wrong without a warning, in [0, 1].
    seed
        Of the simulated experiments.
    progress
        Is told every simulated experiment.
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
    attach_guarantees(settings, version, guarantees)
    return guarantees
