"""Predict masks and uncertainty: of a dataset for a pipeline, or of a user's files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from icefloe.datasets.bundle import Bundle
from icefloe.datasets.dataset import Sample
from icefloe.datasets.readers import read_metadata
from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.guarantees import LEVEL
from icefloe.ensemble.predictions import PredictionSet, predict_dataset
from icefloe.progress import SILENT, Progress, tracked
from icefloe.registry.loading import load_version
from icefloe.registry.registry import Registry
from icefloe.report.files import SCORES_TABLE, segment_samples
from icefloe.report.overlays import predictions_figure
from icefloe.settings import Settings
from icefloe.workflow.data import steps_done
from icefloe.workflow.versions import FetchedVersion as FetchedVersion  # faces call both by one module


@dataclass(frozen=True)
class Predicted:
    """A dataset's predictions, and a picture of some of them."""

    predictions: PredictionSet
    figure: Figure


def predict_bundle(version: FetchedVersion, data: Path, output: Path) -> Predicted:
    """Predict every image of a bundle.

    Parameters
    ----------
    version
        The version that predicts, whose name is noted.
    data
        Directory of the data bundle.
    output
        New directory for scores, features and maps.
    """
    samples = Bundle.load(data).samples
    predictions = predict_dataset(Ensemble.load(version.folder), samples, output, version.name)
    return Predicted(predictions, predictions_figure(samples, predictions))


@dataclass(frozen=True)
class SegmentedFiles:
    """Files that were segmented.

    Attributes
    ----------
    table
        CSV file with their scores, beside the masks and pictures.
    promises
        Sentences on what its intervals are worth; empty where the version is not calibrated.
    provisional
        That the version is only provisional, and why; empty if it is not.
    """

    table: Path
    promises: tuple[str, ...]
    provisional: str = ""


def predict_files(
    settings: Settings,
    images: Sequence[Path],
    output: Path,
    version: str = "champion",
    *,
    region_done: bool = False,
    level: float = LEVEL,
    progress: Progress = SILENT,
) -> SegmentedFiles:
    """Segment files with a registered version: a mask, a picture and a row of scores for each.

    Parameters
    ----------
    settings
        Settings of the workspace; they name the registry.
    images
        Files in any format that Icefloe reads; their stems must differ.
    output
        Folder, made if need be; results of earlier files are replaced.
    version
        Name of the version, or an alias such as `champion`.
    region_done
        The two-phase region has been cut out of these images already.
    level
        Coverage of the intervals for areas.
    progress
        Receives the number of files done.

    Raises
    ------
    IcefloeError
        If there is no such version, an image cannot be read, two have one stem, or no intervals were
        calibrated for the level; then nothing is written.
    """
    segmenter, registered = load_version(settings, version), Registry(settings).get(version)
    sized = segmenter.preprocessing.pixel_size_nm is not None
    samples = [
        Sample(
            *("", path.stem, index, path),
            steps_done=steps_done(region_done),
            pixel_size_nm=read_metadata(path).pixel_size_nm if sized else None,
        )
        for index, path in enumerate(images)
    ]
    written = segment_samples(segmenter, samples, output, level, registered.label)
    for _ in tracked(written, progress, "Segmenting", len(images)):
        pass
    promises = segmenter.guarantees.sentences(level) if segmenter.guarantees else ()
    return SegmentedFiles(output / SCORES_TABLE, tuple(promises), registered.provisional_line())
