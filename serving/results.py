"""What came of the images of a series, by a version: numbers from the maps that workers prepared, a table."""

import csv
import io
from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict

from icefloe.datasets.dataset import Sample
from serving.prepared import Prepared, read_maps


class ImageResult(BaseModel):
    """What came of an image.

    Attributes
    ----------
    stem, index
        Its name, and position in time from 0.
    fractions
        Of the image's area, by class.
    areas_px, areas_nm2
        By class; nm2 where the pixel size is known.
    scores
        Its uncertainty and more; see `icefloe predict`.
    """

    model_config = ConfigDict(frozen=True)

    stem: str
    index: int
    fractions: tuple[float, ...]
    areas_px: tuple[float, ...]
    areas_nm2: tuple[float, ...] | None
    scores: dict[str, float | None]


def image_results(
    prepared: Prepared, samples: Iterable[Sample], version: str
) -> tuple[tuple[ImageResult, ...], tuple[str, ...]]:
    """Results of the images that are done, and class names by mask value, of which there are none before."""
    results: list[ImageResult] = []
    classes: tuple[str, ...] = ()
    for sample in samples:
        about = read_maps(prepared.maps(sample, version))
        if about is None:
            continue
        areas = tuple(fraction * about.height * about.width for fraction in about.fractions)
        edge = sample.pixel_size_nm
        results.append(
            ImageResult(
                stem=sample.stem,
                index=sample.index,
                fractions=about.fractions,
                areas_px=areas,
                areas_nm2=None if edge is None else tuple(area * edge**2 for area in areas),
                scores=about.scores,
            )
        )
        classes = about.classes
    return tuple(results), classes


def results_table(images: Sequence[ImageResult], classes: Sequence[str]) -> str:
    """A row for each image, as CSV: fractions, areas in px2 and nm2, scores."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    scores = list(images[0].scores) if images else []
    areas = [f"{name} {unit}" for unit in ("fraction", "px2", "nm2") for name in classes]
    writer.writerow(["image", "index", *areas, *scores])
    for image in images:
        physical = image.areas_nm2 or [""] * len(classes)
        numbers = [*image.fractions, *image.areas_px, *physical, *image.scores.values()]
        writer.writerow([image.stem, image.index, *numbers])
    return text.getvalue()
