"""The reference a new dataset is compared with: per-image numbers of the experiments accepted so far."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import ArrayLike

from icefloe.drift.evidence import measure_evidence
from icefloe.ensemble.prediction import Prediction
from icefloe.ensemble.samples import ImageSample
from icefloe.errors import IcefloeError
from icefloe.typing import MaskArray

_IDENTITY = ("dataset", "experiment", "stem", "index")


@dataclass(frozen=True)
class ImageRecord:
    """One image's numbers: uncertainty scores and input evidence, by column name."""

    dataset: str
    experiment: str
    stem: str
    index: int
    features: Mapping[str, float] = field(repr=False)


def image_records(rows: Iterable[Mapping[str, Any]]) -> tuple[ImageRecord, ...]:
    """Read a table's rows; every numeric column besides the four that identify an image is a feature.

    Parameters
    ----------
    rows : iterable of mappings
        Columns `dataset`, `stem`, `index` (time order), optionally `experiment` (the dataset's name when
        absent: each dataset is then an experiment of its own), and numbers or text that reads as one (rows of
        a CSV file).

    Raises
    ------
    IcefloeError
        If an identifying column is missing.
    """
    records = []
    for row in rows:
        for column in ("dataset", "stem", "index"):
            if row.get(column) in (None, ""):
                raise IcefloeError(
                    f"Table for the drift gate: a row has no `{column}`. Give one row an image with "
                    f"dataset, stem, "
                    "index and its scores."
                )
        features = {
            k: v for k, v in ((k, _number(v)) for k, v in row.items() if k not in _IDENTITY) if v is not None
        }
        dataset = str(row["dataset"])
        records.append(
            ImageRecord(
                dataset, str(row.get("experiment") or dataset), str(row["stem"]), int(row["index"]), features
            )
        )
    return tuple(records)


def with_evidence(
    rows: Iterable[Mapping[str, Any]],
    images: Iterable[ArrayLike],
    masks: Iterable[MaskArray | None] | None = None,
    experiment: str | None = None,
) -> list[dict[str, Any]]:
    """Add each image's input evidence to its row of scores.

    Parameters
    ----------
    rows : iterable of mappings
        Score rows (dataset, stem, index, uq_mean, ...), one an image.
    images : iterable of arrays, shape (H, W)
        The images in the same order, at native resolution.
    masks : iterable of uint8 arrays, shape (H, W), optional
        The ensemble's masks in the same order; without them the boundary isn't measured.
    experiment : str, optional
        The experiment they were taken in, as `dataset.yaml` names it.

    Returns
    -------
    list of dict
        New rows; the given ones are left as they are.
    """
    named = {} if experiment is None else {"experiment": experiment}
    pairs = zip(rows, images, strict=True)
    shown = ((pair, None) for pair in pairs) if masks is None else zip(pairs, masks, strict=True)
    return [{**row, **named, **measure_evidence(image, mask).to_features()} for (row, image), mask in shown]


def predicted_rows(predictions: Iterable[tuple[ImageSample, Prediction]]) -> list[dict[str, Any]]:
    """One row an image: identity, scores and input evidence.

    Parameters
    ----------
    predictions : iterable of (sample, prediction)
        As `Ensemble.predict` gives them.
    """
    rows = []
    for sample, prediction in predictions:
        row = {"dataset": sample.dataset, "stem": sample.stem, "index": sample.index, **prediction.scores()}
        rows += with_evidence([row], [sample.image()], [prediction.mask], sample.experiment)
    return rows


@dataclass(frozen=True)
class Benchmark:
    """Records of the reference experiments.

    Frames that a member was trained on don't belong here: on those an ensemble agrees with itself.
    """

    records: tuple[ImageRecord, ...]

    def __post_init__(self) -> None:
        if not self.records:
            raise IcefloeError(
                "Drift benchmark: it holds no image. Predict the held-out images and give their scores."
            )

    @classmethod
    def from_tables(cls, rows: Iterable[Mapping[str, Any]]) -> "Benchmark":
        """Build from rows as `image_records` reads them."""
        return cls(image_records(rows))

    @property
    def experiments(self) -> tuple[str, ...]:
        """Names of the K experiments, in the order they joined."""
        return tuple(dict.fromkeys(record.experiment for record in self.records))

    def of(self, experiment: str) -> tuple[ImageRecord, ...]:
        """Records of one experiment in time order."""
        return in_time_order(r for r in self.records if r.experiment == experiment)

    def accept(self, rows: Iterable[Mapping[str, Any]]) -> "Benchmark":
        """The benchmark with an accepted dataset's records added, in place of any it had of that dataset."""
        new = image_records(rows)
        names = {record.dataset for record in new}
        return Benchmark(tuple(r for r in self.records if r.dataset not in names) + new)

    def to_rows(self) -> list[dict[str, str | int | float | None]]:
        """Rows for `ensemble.yaml` that `from_tables` reads back; a number that isn't finite becomes None."""
        return [
            {
                "dataset": record.dataset,
                "experiment": record.experiment,
                "stem": record.stem,
                "index": record.index,
                **{name: value if math.isfinite(value) else None for name, value in record.features.items()},
            }
            for record in self.records
        ]


def in_time_order(records: Iterable[ImageRecord]) -> tuple[ImageRecord, ...]:
    """Sorted by time index."""
    return tuple(sorted(records, key=lambda record: (record.index, record.stem)))


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
