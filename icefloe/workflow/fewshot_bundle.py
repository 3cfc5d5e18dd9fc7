"""Classify a data bundle by one support set: what the KFP component does."""

from dataclasses import dataclass
from pathlib import Path

from icefloe.datasets.bundle import Bundle
from icefloe.datasets.times import known_times
from icefloe.errors import IcefloeError
from icefloe.fewshot.model import FewShotModel
from icefloe.fewshot.series import Series, SeriesImage
from icefloe.fewshot.series_csv import series_csv
from icefloe.fewshot.session import Session
from icefloe.fewshot.source import read_picture
from icefloe.files import write_text_atomic
from icefloe.progress import SILENT, Progress, tracked
from icefloe.registry.runs import RunRecord
from icefloe.settings import Settings
from icefloe.workflow.fewshot_begin import Begun, fitted


@dataclass(frozen=True)
class ClassifiedBundle:
    """A series that was classified."""

    series: Series

    def numbers(self) -> dict[str, float]:
        """Fractions in the first and the last image, and the largest share of chips like no prototype."""
        first, last = self.series.images[0], self.series.images[-1]
        fractions = {
            f"{one.name}.{when}": one.fraction.mean
            for when, image in (("first", first), ("last", last))
            for one in image.classes
        }
        return {**fractions, "far.most": max(image.far for image in self.series.images)}


def classify_bundle(
    settings: Settings,
    supports: Path,
    data: Path,
    output: Path,
    run: str = "",
    progress: Progress = SILENT,
) -> ClassifiedBundle:
    """Classify every image of a bundle, and write the table of counts.

    Parameters
    ----------
    settings
        Of the workspace, for weights, cache and the tracking store.
    supports
        File of a session whose image is in the bundle, or the folder of a version FS-Tn.
    data
        Directory of the data bundle.
    output
        CSV file to write.
    run
        Id of the run that keeps the series, as `fewshot/<dataset>.json`; empty: none does.
    progress
        Told of images that are done.

    Raises
    ------
    IcefloeError
        If the session's image is not in the bundle, an image can't be used, or the supports can't.
    """
    bundle = Bundle.load(data)
    if supports.is_dir():
        model = FewShotModel.load(supports)
    else:
        model = _fitted(settings, supports, bundle, progress)
    counted: list[SeriesImage] = []
    noted: dict[str, list[str]] = {}
    for sample in tracked(bundle.samples, progress, "classifying images"):
        picture = read_picture(sample.image_path)
        result = model.classify(picture)
        counted.append(SeriesImage.of(sample.key, result))
        for note in (*picture.notes, *result.notes):
            noted.setdefault(note, []).append(sample.key)
    notes = (f"{_some(keys)}: {note}" for note, keys in noted.items())
    datasets = list(bundle.datasets.values())
    times = known_times(datasets[0]) if len(datasets) == 1 else ()
    series = Series(images=tuple(counted), notes=(*model.encoder.notes, *notes), times_s=times)
    write_text_atomic(output, series_csv(series))
    if run:
        name = "-".join(bundle.datasets)
        RunRecord(settings, run).write_result(f"fewshot/{name}.json", series)
    return ClassifiedBundle(series)


def _some(keys: list[str]) -> str:
    others = f" and {len(keys) - 1} more" if len(keys) > 1 else ""
    return keys[0] + others


def _fitted(settings: Settings, file: Path, bundle: Bundle, progress: Progress) -> FewShotModel:
    """The model of a session whose image is one of the bundle's, whatever it is called there."""
    session = Session.load(file)
    stem = Path(session.image.name).stem
    by_name = sorted(bundle.samples, key=lambda sample: sample.stem != stem)  # the likeliest one first
    for sample in by_name:
        picture = read_picture(sample.image_path)
        if picture.reference.sha256 == session.image.sha256:
            return fitted(settings, Begun(sample.image_path, picture, session), progress)
    raise IcefloeError(
        f"The session's image {session.image.name} is not among the data. "
        "Add it to the dataset, or register the session and name its version FS-Tn."
    )
