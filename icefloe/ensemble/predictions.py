"""Predictions of many images on disk: scores, features and maps, read without torch.

A folder holds

- `scores.csv`: one row per image, columns dataset, stem, index and those of `prediction.SCORES`;
- `features.npy`: float32, shape (N, F), rows as in the table;
- `maps/<dataset>/<stem>.npz`: `mean` and `std`, float16, and `mask`, uint8, on the image's own grid;
- `version.txt`: name of what predicted them.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from icefloe.ensemble.prediction import SCORES, Prediction
from icefloe.ensemble.rows import IDENTITY, ImageRow
from icefloe.ensemble.samples import AnySample, ImageSample
from icefloe.errors import IcefloeError
from icefloe.files import atomic_directory
from icefloe.typing import FloatArray, MaskArray

if TYPE_CHECKING:
    from icefloe.ensemble.ensemble import Ensemble

SCORES_FILE, FEATURES_FILE, VERSION_FILE, MAPS = "scores.csv", "features.npy", "version.txt", "maps"
COLUMNS = (*IDENTITY, *SCORES)


@dataclass(frozen=True)
class Maps:
    """Maps of one image's prediction that are stored.

    Attributes
    ----------
    mean : float32, shape (H, W) or (C, H, W)
        Probability, rounded to float16 when it was stored; the mask was made before.
    std : float32, shape (H, W)
        Disagreement of the members, 0 to 0.5, rounded likewise.
    mask : uint8, shape (H, W)
        Predicted class of each pixel.
    """

    mean: FloatArray
    std: FloatArray
    mask: MaskArray


@dataclass(frozen=True)
class PredictionSet:
    """A folder of predictions; the maps are read when asked for.

    Attributes
    ----------
    path
        The folder it was read from.
    rows
        The table, one row per image, of the columns named in `prediction.SCORES`.
    features : float32, shape (N, F)
        Pooled encoder features.
    version
        Name of what predicted them, such as `EA-T1`; empty where that was not noted.
    """

    path: Path
    rows: tuple[ImageRow, ...]
    features: FloatArray
    version: str = ""

    @classmethod
    def load(cls, path: Path) -> "PredictionSet":
        """Read table and features.

        Raises
        ------
        IcefloeError
            If the folder holds no predictions, a column or a score is missing, or rows and features differ in
            number.
        """
        table = path / SCORES_FILE
        if not table.is_file():
            raise IcefloeError(
                f"{path}: no {SCORES_FILE} here, so these are no predictions. Predict the images first."
            )
        with table.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
            if missing:
                raise IcefloeError(f"{table}: the column {missing[0]} is missing. Predict the images again.")
            rows = tuple(ImageRow.from_flat(row) for row in reader)
        for row in rows:
            missing = [column for column in SCORES if column not in row.values]
            if missing:
                raise IcefloeError(
                    f"{table}: {row.key} has no number in the column {missing[0]}. Predict the images again."
                )
        features = np.load(path / FEATURES_FILE, allow_pickle=False)
        if len(features) != len(rows):
            raise IcefloeError(
                f"{path}: {len(rows)} images in {SCORES_FILE} but {len(features)} in {FEATURES_FILE}. "
                "Predict the images again."
            )
        noted = path / VERSION_FILE
        version = noted.read_text(encoding="utf-8") if noted.is_file() else ""
        return cls(path, rows, features, version)

    @property
    def keys(self) -> tuple[str, ...]:
        """Sample keys such as `D3/stack_7`."""
        return tuple(row.key for row in self.rows)

    def column(self, name: str) -> NDArray[np.float64]:
        """One of `prediction.SCORES`, shape (N,)."""
        return np.array([row.values[name] for row in self.rows], dtype=np.float64)

    def maps(self, key: str) -> Maps:
        """Maps of one image by its key.

        Raises
        ------
        IcefloeError
            If the image is not among the predictions, or its file is gone.
        """
        path = self.path / MAPS / f"{key}.npz"
        if key not in self.keys or not path.is_file():
            raise IcefloeError(f"{path}: there are no maps of {key}. Predict the image again.")
        with np.load(path, allow_pickle=False) as arrays:
            return Maps(arrays["mean"].astype(np.float32), arrays["std"].astype(np.float32), arrays["mask"])


def predict_dataset(
    ensemble: "Ensemble",
    samples: Iterable[ImageSample],
    output: Path,
    version: str = "",
) -> PredictionSet:
    """Predict samples and write a folder of predictions, whole or not at all.

    One image is kept in memory at a time (and one batch of network inputs), however many there are.

    Parameters
    ----------
    ensemble
        The ensemble that predicts.
    samples
        Images of one or several datasets; labels are not read.
    output
        A new folder to write to.
    version
        Name under which the ensemble is registered, to be noted; empty: it is not.

    Raises
    ------
    IcefloeError
        If there is no sample, an image cannot be used, or `output` holds something already.
    """
    return save_predictions(ensemble.predict(samples), output, version)


def save_predictions(
    predictions: Iterable[tuple[AnySample, Prediction]], output: Path, version: str = ""
) -> PredictionSet:
    """Write predictions as they come, and the name of what predicts; errors as in `predict_dataset`."""
    features = []
    try:
        with atomic_directory(output) as beside:
            with (beside / SCORES_FILE).open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
                writer.writeheader()
                for sample, prediction in predictions:
                    writer.writerow(ImageRow.of(sample, prediction).flat())
                    features.append(prediction.features)
                    _save_maps(beside / MAPS / sample.dataset / f"{sample.stem}.npz", prediction)
            if not features:
                raise IcefloeError(f"{output}: there is no image to predict. Name a dataset with images.")
            np.save(beside / FEATURES_FILE, np.stack(features), allow_pickle=False)
            (beside / VERSION_FILE).write_text(version, encoding="utf-8")
    except FileExistsError as error:
        raise IcefloeError(
            f"{output}: the folder exists already. Name a new folder for the predictions."
        ) from error
    return PredictionSet.load(output)


def _save_maps(path: Path, prediction: Prediction) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        path,
        mean=prediction.mean.astype(np.float16),
        std=prediction.std.astype(np.float16),
        mask=prediction.mask,
    )
