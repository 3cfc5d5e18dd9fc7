"""Scores of images, datasets and trivial baselines: the rows of an evaluation."""

import numpy as np
from pydantic import BaseModel, ConfigDict

from icefloe.scoring.calibration import CalibrationBins
from icefloe.scoring.roc import RocCurve


class Record(BaseModel):
    """Frozen; an unknown entry is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class _Scores(Record):
    """The numbers that an image and a dataset both have; each says how it takes them."""

    pca: float
    iou: float
    dice: float
    brier: float
    mae: float
    ece: float
    uq: float | None
    uq_boundary: float | None
    uq_foreground: float | None
    nll: float | None = None
    nll_uncalibrated: float | None = None
    ece_uncalibrated: float | None = None


class ImageScores(_Scores):
    """One image.

    Attributes
    ----------
    dataset, stem, index
        Dataset and name of the image; `index` counts the dataset's images in time, from 0.
    pca, iou, dice
        Scores of the mask, each in [0, 1]; see `icefloe.scoring.metrics.PixelScores`.
    brier, mae, ece
        Scores of the probability: Brier score, mean absolute deviation, expected calibration error.
    uq, uq_boundary, uq_foreground
        Uncertainty, in [0, 0.5]; see `icefloe.scoring.uncertainty.ImageUncertainty` (`uq` is its `uq_mean`,
        the paper's). None where a single member judged the image: there is no disagreement.
    nll, nll_uncalibrated, ece_uncalibrated
        Negative log-likelihood per pixel, and both at temperature 1; None in files of an earlier version.
    n_members, n_left_out
        Number of members whose mean was scored, and of those left out because they were trained on the image.
        `n_members` is None for a model without members, and in files of an earlier version.
    """

    dataset: str
    stem: str
    index: int
    n_members: int | None = None
    n_left_out: int = 0


class BinnedCurve(Record):
    """A calibration or accuracy curve: occupied bins only, each list of one length.

    Attributes
    ----------
    predicted
        Mean predicted probability of the bin's pixels.
    frequency
        Share of those pixels where the event happened.
    count
        Number of pixels in each bin.
    """

    predicted: tuple[float, ...]
    frequency: tuple[float, ...]
    count: tuple[int, ...]

    @classmethod
    def from_bins(cls, bins: CalibrationBins) -> "BinnedCurve":
        """The curve of pixel sums."""
        frequency, predicted = bins.curve()
        return cls(
            predicted=predicted.tolist(),
            frequency=frequency.tolist(),
            count=bins.count[bins.count > 0].tolist(),
        )


class RocPoints(Record):
    """A thinned ROC curve, thresholds falling; `area` is the whole curve's."""

    thresholds: tuple[float, ...]
    true_positive_rate: tuple[float, ...]
    false_positive_rate: tuple[float, ...]
    area: float

    @classmethod
    def from_curve(cls, curve: RocCurve) -> "RocPoints":
        """At most 200 points of an exact curve."""
        thin = curve.thinned()
        return cls(
            thresholds=thin.thresholds.astype(np.float64).tolist(),
            true_positive_rate=thin.true_positive_rate.tolist(),
            false_positive_rate=thin.false_positive_rate.tolist(),
            area=curve.area,
        )


class Baseline(Record):
    """Scores of a trivial baseline, all pixels of a dataset pooled."""

    pca: float
    iou: float
    dice: float


class DatasetScores(_Scores):
    """One dataset, its pixels pooled.

    Attributes
    ----------
    n_images
        Number of images evaluated.
    pca, iou, dice, brier, mae, ece, nll, nll_uncalibrated, ece_uncalibrated
        Scores as in `ImageScores`, but of all pixels together.
    uq, uq_boundary, uq_foreground
        Mean over the images that have it (the paper's dataset UQ); None where none has.
    confusion
        Pixels by reference class (row) and predicted class (column).
    calibration
        Calibration of the foreground's probability; with more than two classes of the winning class's.
    uncalibrated
        Calibration curve at temperature 1; None in files of an earlier version.
    accuracy
        Share of pixels classified correctly by predicted foreground probability, as in the paper; None with
        more than two classes.
    roc
        None with more than two classes, or where the reference holds only one class.
    """

    n_images: int
    confusion: tuple[tuple[int, ...], ...]
    calibration: BinnedCurve
    uncalibrated: BinnedCurve | None = None
    accuracy: BinnedCurve | None
    roc: RocPoints | None
