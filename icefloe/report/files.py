"""Segmenting files for a person: masks, pictures and a table in a folder."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from icefloe.datasets.labels import write_mask
from icefloe.datasets.readers import read_image
from icefloe.ensemble.prediction import SCORES, Prediction
from icefloe.errors import IcefloeError
from icefloe.files import GrowingTable, write_bytes_atomic
from icefloe.report.figures import Segmented, gallery, png
from icefloe.typing import FloatArray

if TYPE_CHECKING:
    from icefloe.ensemble.ensemble import Ensemble

SCORES_TABLE = "scores.csv"


class ResultFolder:
    """A folder with `<stem>_mask.png` (class index), `<stem>.png` (outline and uncertainty), `scores.csv`.

    An image's row is written after its files, so that a row means complete files. A folder that holds
    results already is added to.

    Parameters
    ----------
    path
        Folder, made if need be.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self._table = GrowingTable(path / SCORES_TABLE, ("image", *SCORES))

    @property
    def done(self) -> set[str]:
        """Names of the images that have a row."""
        return {row["image"] for row in self._table.rows}

    def add(self, name: str, image: FloatArray, prediction: Prediction) -> None:
        """Write the files and the row of an image, float32 of shape (H, W), with that file name."""
        stem = Path(name).stem
        write_mask(self.path / f"{stem}_mask.png", prediction.mask)
        title = f"{name}, UQ {prediction.uncertainty.uq_mean:.4f}"
        picture = gallery([Segmented(title, image, prediction.mask, prediction.std)])
        write_bytes_atomic(self.path / f"{stem}.png", png(picture, dpi=150))
        self._table.append({"image": name, **prediction.scores()})

    def forget(self, name: str) -> None:
        """Take an image's row out, if there is one; its files are replaced when it is added again."""
        for row in [row for row in self._table.rows if row["image"] == name]:
            self._table.remove(row)


def segment_files(
    ensemble: Ensemble, images: Sequence[Path], output: Path, done: Collection[str] = ()
) -> Iterator[Path]:
    """Write a `ResultFolder` of some files anew.

    Parameters
    ----------
    ensemble
        Segments them.
    images
        Files; their stems must differ.
    output
        Folder, made if need be.
    done
        Preprocessing done to the images already.

    Yields
    ------
    Path
        Each image when its files are written.

    Raises
    ------
    IcefloeError
        If an image can't be read, or two have one stem.
    """
    stems = [path.stem for path in images]
    if len(set(stems)) < len(stems):
        raise IcefloeError(f"{output}: two images have the same name. Segment them into two folders.")
    arrays = {path: read_image(path) for path in images}  # all are checked before anything is written
    (output / SCORES_TABLE).unlink(missing_ok=True)
    results = ResultFolder(output)
    for (path, image), prediction in zip(
        arrays.items(), ensemble.predict_batch(arrays.values(), done), strict=True
    ):
        results.add(path.name, image, prediction)
        yield path
