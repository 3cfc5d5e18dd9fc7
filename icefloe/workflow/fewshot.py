"""Classify the chips of one image or many by a few examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from icefloe.fewshot.chips_csv import chips_csv
from icefloe.fewshot.figures import map_figure
from icefloe.fewshot.result import Classification
from icefloe.fewshot.series import Series, SeriesImage
from icefloe.fewshot.series_csv import series_csv
from icefloe.fewshot.source import Picture, read_picture
from icefloe.files import write_bytes_atomic, write_text_atomic
from icefloe.memory import give_back_memory
from icefloe.progress import SILENT, Progress, tracked
from icefloe.report.figures import png
from icefloe.settings import Settings
from icefloe.workflow.fewshot_begin import DEFAULTS, begin, fitted, require_apart
from icefloe.workflow.fewshot_begin import FewShotOptions as FewShotOptions  # faces call both by one module

FRACTIONS_TABLE = "fractions.csv"


@dataclass(frozen=True)
class ClassifiedImages:
    """Images that were classified.

    Attributes
    ----------
    series
        Counts of each image, in order.
    last
        The last image's classification.
    table
        CSV file of the counts.
    """

    series: Series
    last: Classification
    table: Path


def classify_images(
    settings: Settings,
    images: Sequence[Path],
    supports: Path,
    output: Path,
    options: FewShotOptions | None = None,
    progress: Progress = SILENT,
    *,
    seconds_per_image: float | None = None,
) -> ClassifiedImages:
    """Classify the chips of one or more images by one support set.

    Into the output folder go a map, a chart and a table of chips for each image, the session of the image
    that the supports are of, and a table and a chart of fractions. A second run takes vectors from the
    workspace's cache.

    Parameters
    ----------
    settings
        Of the workspace, for weights and cache.
    images
        In the order of the series.
    supports
        A session (.json), whose image is one of `images` or lies beside it; or a table (.csv) or a folder of
        folders of chips, of the first of `images`.
    output
        Folder for what is written.
    options
        What was asked for.
    progress
        Told of images that are done.
    seconds_per_image
        Time between two images; None: fractions are shown from image to image.

    Raises
    ------
    IcefloeError
        If an image, the supports or the grid can't be used; the message names which.
    """
    options = options or DEFAULTS
    require_apart(images)
    begun = begin(images, supports, options)
    model = fitted(settings, begun, progress)
    counted: list[SeriesImage] = []
    notes = dict.fromkeys((*begun.notes, *model.encoder.notes))
    for path in tracked(images, progress, "classifying images"):
        picture = begun.picture if path == begun.path else read_picture(path, options.frame)
        result = model.classify(picture, progress)
        write_classified(output / path.stem, picture, result)
        if result.is_support_image:
            model.with_result(result).session.save(output / f"{path.stem}.session.json")
        counted.append(SeriesImage.of(path.name, result))
        notes |= dict.fromkeys(picture.notes)
        notes |= dict.fromkeys(
            note if result.is_support_image else f"{path.name}: {note}" for note in result.notes
        )
    times = () if seconds_per_image is None else tuple(n * seconds_per_image for n in range(len(counted)))
    series = Series(images=tuple(counted), notes=tuple(notes), times_s=times)
    write_text_atomic(output / FRACTIONS_TABLE, series_csv(series))
    if len(images) > 1:
        write_bytes_atomic(output / "fractions.png", png(series.figure()))
    return ClassifiedImages(series, result, output / FRACTIONS_TABLE)


def write_classified(place: Path, picture: Picture, result: Classification) -> None:
    """Table, map and chart beside each other, by the image's name."""
    write_text_atomic(place.with_name(f"{place.name}_chips.csv"), chips_csv(result))
    write_bytes_atomic(
        place.with_name(f"{place.name}_map.png"), png(map_figure(result, picture.image), dpi=120)
    )
    write_bytes_atomic(place.with_name(f"{place.name}_chart.png"), png(result.figure()))
    give_back_memory()
