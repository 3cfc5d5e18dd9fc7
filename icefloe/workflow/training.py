"""Train a version: its candidates, which of them are kept, and the ensemble that they make."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from matplotlib.figure import Figure

from icefloe.datasets.bundle import Bundle
from icefloe.datasets.withdrawal import all_withdrawn
from icefloe.ensemble.manifest import Manifest
from icefloe.experiment import RUN_ID_VARIABLE
from icefloe.progress import SILENT, Progress
from icefloe.registry.registry import Registry
from icefloe.registry.withdrawn import trained_by, untouched_start
from icefloe.report.curves import curves_figure
from icefloe.settings import Settings
from icefloe.training.assembly import assemble_kept
from icefloe.training.config import TrainingConfig
from icefloe.training.jobs import Tracking
from icefloe.training.members import MembersDir
from icefloe.training.parallel import train_members
from icefloe.training.pruning import PruningResult, prune
from icefloe.training.rule import PruningRule
from icefloe.workflow.versions import FetchedVersion as FetchedVersion  # faces call both by one module


@dataclass(frozen=True)
class Trained:
    """The candidates of a version.

    Attributes
    ----------
    members
        Their folder.
    figure
        Their losses and scores by epoch.
    parent
        Version whose weights the training started from; None: from scratch.
    """

    members: MembersDir
    figure: Figure
    parent: str | None


def train_candidates(
    settings: Settings,
    data: Path,
    training: TrainingConfig,
    output: Path,
    run: str,
    start: FetchedVersion | None = None,
    progress: Progress = SILENT,
) -> Trained:
    """Train the candidates of an ensemble side by side on Ray.

    Where a label that was withdrawn since has trained the version to start from, the training starts from the
    newest version before it that knows of none, or from scratch: weights forget nothing on request.

    Parameters
    ----------
    settings
        Name the checkpoints, Ray, the weights' mirror and the tracking store.
    data
        Bundle of the datasets and their split.
    training
        Members, and how they are trained.
    output
        New directory for the candidates.
    run
        Id of the MLflow run that the members' runs are nested in.
    start
        The version whose weights the training starts from; None: from scratch.
    progress
        Told of every candidate's epochs.

    Raises
    ------
    IcefloeError
        If there is a single member, or data or weights cannot be used.
    """
    training.check_several_members()
    os.environ[RUN_ID_VARIABLE] = run  # what MLflow, in this process and on Ray's workers, goes by
    bundle = Bundle.load(data)
    registry = Registry(settings)
    with _untouched(registry, bundle, start, progress) as start:
        known = registry.show(start.name).lineage.keys() if start else []
        members = train_members(
            bundle.datasets.values(),
            bundle.split,
            training,
            output=output,
            checkpoints=settings.checkpoints,
            start_from=start.folder if start else None,
            new_keys=set(bundle.split.train) - set(known),
            progress=progress,
            tracking=Tracking(settings.tracking_uri, settings.experiment, settings.artifact_uri),
            ray_address=settings.ray_address,
            worker_niceness=settings.worker_niceness,
            weights_dir=settings.weights_dir,
            share=settings.ray_member,
        )
    return Trained(members, curves_figure(members.history()), start.name if start else None)


@contextmanager
def _untouched(
    registry: Registry, bundle: Bundle, start: FetchedVersion | None, progress: Progress
) -> Iterator[FetchedVersion | None]:
    """The version to start from, or the one before it that no withdrawn label has trained."""
    labels = all_withdrawn(bundle.path)
    touched = trained_by(registry, labels) if start else {}
    if start is None or start.name not in touched:
        yield start
        return
    name = untouched_start(registry, start.name, touched)
    progress.warn(
        f"Labels that were withdrawn since have trained {start.name} ({', '.join(touched[start.name])}). "
        f"The training starts from {name or 'scratch'}."
    )
    if name is None:
        yield None
        return
    with TemporaryDirectory(prefix="icefloe-") as scratch:
        folder = Path(scratch) / name
        registry.download(name, folder)
        yield FetchedVersion(name, folder)


def prune_candidates(members: Path, rule: PruningRule, output: Path) -> PruningResult:
    """Keep the candidates that pass the rule; the result is written to the file `output`."""
    result = prune(MembersDir.load(members), rule)
    output.write_text(result.model_dump_json(), encoding="utf-8")
    return result


def assemble_version(
    members: Path, kept: Path, data: Path, output: Path, parent: str | None = None
) -> Manifest:
    """Make an ensemble of the candidates kept: fit threshold and temperature, measure the benchmark.

    Parameters
    ----------
    members
        Directory of the candidates.
    kept
        File that `prune_candidates` wrote.
    data
        Bundle that they were trained on.
    output
        New directory of the ensemble.
    parent
        Version that the training started from.
    """
    pruning = PruningResult.model_validate_json(kept.read_bytes())
    ensemble = assemble_kept(MembersDir.load(members), pruning.kept, Bundle.load(data), parent=parent)
    ensemble.save(output)
    return ensemble.manifest
