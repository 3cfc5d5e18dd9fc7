"""Segmentation of files: masks, pictures and a table in a folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from icefloe.datasets.labels import write_mask
from icefloe.ensemble.guarantees import LEVEL
from icefloe.ensemble.prediction import SCORES
from icefloe.errors import IcefloeError
from icefloe.files import GrowingTable, write_bytes_atomic
from icefloe.names import check_name
from icefloe.report.figures import SegmentedImage, png, split_figure
from icefloe.typing import FloatArray

if TYPE_CHECKING:
    from icefloe.datasets.dataset import Sample
    from icefloe.ensemble.guarantees import Guarantees
    from icefloe.ensemble.prediction import Prediction
    from icefloe.ensemble.segmenter import Segmenter

SCORES_TABLE = "scores.csv"


class ResultFolder:
    """A folder with `<stem>_mask.png` (class index), `<stem>.png` (outline and uncertainty), `scores.csv`.

    Where the ensemble's manifest has guarantees, the table has each class's share of the image with its
    interval and the share abstained from, and `<stem>_abstain.png` is 255 where it abstains, 0 elsewhere.
    An image's row is written after its files, so that a row means complete files. A folder that holds
    results already is added to.

    Parameters
    ----------
    path
        Folder for the results; it is made if missing.
    guarantees
        The ensemble's calibrated promises; None: no intervals are written.
    level
        Level of the area intervals, in (0, 1).
    made_by
        Version that segments the images, for a column of the table; empty: the table has no such column.

    Raises
    ------
    IcefloeError
        If no intervals were calibrated for the level, or the folder holds results with other columns.
    """

    def __init__(
        self, path: Path, guarantees: Guarantees | None = None, level: float = LEVEL, made_by: str = ""
    ) -> None:
        self.path, self._guarantees, self._level = path, guarantees, level
        self._made_by = {"version": made_by} if made_by else {}
        self._promised = _promised_columns(guarantees, level) if guarantees else []
        path.mkdir(parents=True, exist_ok=True)
        self._table = GrowingTable(path / SCORES_TABLE, ("image", *SCORES, *self._promised, *self._made_by))

    @property
    def done(self) -> set[str]:
        """Names of the images that have a row."""
        return {row["image"] for row in self._table.rows}

    def add(self, name: str, image: FloatArray, prediction: Prediction) -> None:
        """Write the files and the row of an image, float32 of shape (H, W), with that file name."""
        stem = Path(name).stem
        write_mask(self.path / f"{stem}_mask.png", prediction.mask)
        title = f"{name}, UQ {prediction.uncertainty.uq_mean:.4f}"
        row: dict[str, str | float] = {"image": name, **prediction.scores(), **self._made_by}
        abstained = None
        if self._guarantees is not None:
            abstained = self._guarantees.abstained(prediction)
            write_mask(self.path / f"{stem}_abstain.png", abstained.astype(np.uint8) * 255)
            intervals = self._guarantees.area_intervals(prediction, self._level)
            areas = [number for i in intervals for number in (i.expected, i.low, i.high)]
            row |= dict(zip(self._promised, [*areas, float(abstained.mean())], strict=True))
            title += f"\n{'; '.join(map(str, intervals))}"
        item = SegmentedImage(title, image, prediction.mask, prediction.std, abstained=abstained)
        figure = split_figure(item, prediction.aleatoric, prediction.mutual_information)
        write_bytes_atomic(self.path / f"{stem}.png", png(figure, dpi=150))
        self._table.append(row)

    def forget(self, name: str) -> None:
        """Remove an image's row, if there is one; its files are replaced when it is added again."""
        for row in [row for row in self._table.rows if row["image"] == name]:
            self._table.remove(row)


def segment_samples(
    segmenter: Segmenter, samples: Sequence[Sample], output: Path, level: float = LEVEL, made_by: str = ""
) -> Iterator[Sample]:
    """Write a new `ResultFolder` of some images; they are read one at a time.

    Parameters
    ----------
    segmenter
        Model that segments the images.
    samples
        Images; their stems must differ.
    output
        Folder for the results; it is made if missing.
    level
        Level of the area intervals, in (0, 1).
    made_by
        Version that segments them, for a column of the table.

    Yields
    ------
    Sample
        Each when its files are written.

    Raises
    ------
    IcefloeError
        If an image cannot be read, two have one stem, or no intervals were calibrated for the level.
    """
    for sample in samples:
        check_name("image", sample.stem)
    if len({sample.stem for sample in samples}) < len(samples):
        raise IcefloeError(f"{output}: two images have the same name. Segment them into two folders.")
    if segmenter.guarantees:
        _promised_columns(segmenter.guarantees, level)  # a level refused must not cost an older table
    for sample in samples:  # all are checked before anything is written
        sample.image()
    (output / SCORES_TABLE).unlink(missing_ok=True)
    results = ResultFolder(output, segmenter.guarantees, level, made_by)
    for sample, prediction in segmenter.predict(samples):
        results.add(sample.image_path.name, sample.image(), prediction)
        yield sample


def _promised_columns(guarantees: Guarantees, level: float) -> list[str]:
    """`area_ice`, `area_ice_low_90`, `area_ice_high_90` for each class, and `abstained`."""
    columns = []
    for name in guarantees.areas:
        guarantees.quantile(name, level)  # refuses a level that there is none of
        columns += [f"area_{name}", *(f"area_{name}_{end}_{100 * level:g}" for end in ("low", "high"))]
    return [*columns, "abstained"]
