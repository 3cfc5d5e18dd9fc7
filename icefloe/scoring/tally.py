"""Scores summed over images, from which a dataset's pooled numbers follow."""

from functools import reduce
from operator import add

import numpy as np

from icefloe.scoring.calibration import CalibrationBins, accuracy_bins, calibration_bins
from icefloe.scoring.metrics import (
    PixelScores,
    brier_score,
    confusion_matrix,
    mean_absolute_deviation,
    negative_log_likelihood,
    scores_from_confusion,
)
from icefloe.scoring.uncertainty import ImageUncertainty
from icefloe.typing import FloatArray, MaskArray

PER_PIXEL = ("brier", "mae", "nll")
PER_IMAGE = ("uq", "uq_boundary", "uq_foreground")


class Tally:
    """Scores of an ensemble on several images, against their references.

    Attributes
    ----------
    confusion : int64, shape (C, C)
        Pixels by reference class (row) and predicted class (column).
    images
        Scores of each image, in the order added; names as in `evaluate.ImageScores`.
    """

    def __init__(self, n_classes: int = 2) -> None:
        self.confusion = np.zeros((n_classes, n_classes), np.int64)
        self.images: list[dict[str, float]] = []
        self._n_pixels: list[int] = []
        self._calibration: list[CalibrationBins] = []
        self._accuracy: list[CalibrationBins] = []

    def add(
        self, reference: MaskArray, mean: FloatArray, mask: MaskArray, uncertainty: ImageUncertainty
    ) -> dict[str, float]:
        """Count one image.

        Parameters
        ----------
        reference : uint8, shape (H, W)
            Class of each pixel; 255 is left out.
        mean : float32, shape (H, W) or (C, H, W)
            The ensemble's probability.
        mask : uint8, shape (H, W)
            Predicted class of each pixel.
        uncertainty
            Uncertainty scores of the image.

        Returns
        -------
        dict
            The image's scores.

        Raises
        ------
        IcefloeError
            If the reference does not fit, or has no pixel that counts.
        """
        confusion = confusion_matrix(reference, mask, len(self.confusion))
        bins = calibration_bins(reference, mean)
        scores = {
            **mask_scores(scores_from_confusion(confusion)),
            "brier": brier_score(reference, mean),
            "mae": mean_absolute_deviation(reference, mean),
            "nll": negative_log_likelihood(reference, mean),
            "ece": bins.expected_calibration_error,
            "uq": uncertainty.uq_mean,
            "uq_boundary": uncertainty.uq_boundary,
            "uq_foreground": uncertainty.uq_foreground,
        }
        self.images.append(scores)
        self._n_pixels.append(int(confusion.sum()))
        self.confusion += confusion
        self._calibration.append(bins)
        if mean.ndim == 2:
            self._accuracy.append(accuracy_bins(reference, mean, mask))
        return scores

    @property
    def calibration(self) -> CalibrationBins:
        """Of the foreground's probability; with more than two classes of the winning class's."""
        return reduce(add, self._calibration)

    @property
    def accuracy(self) -> CalibrationBins | None:
        """Accuracy by predicted foreground probability; None with more than two classes."""
        return reduce(add, self._accuracy) if self._accuracy else None

    def pooled(self) -> dict[str, float]:
        """All images together, by the names of an image's scores.

        Pixels are pooled; uncertainties are means over images, as in the paper, leaving out those where they
        are NaN; NaN where none is left.
        """
        by_pixel = {name: float(np.average(self._column(name), weights=self._n_pixels)) for name in PER_PIXEL}
        return {
            **mask_scores(scores_from_confusion(self.confusion)),
            **by_pixel,
            "ece": self.calibration.expected_calibration_error,
            **{name: _mean_of_known(self._column(name)) for name in PER_IMAGE},
        }

    def _column(self, name: str) -> list[float]:
        return [scores[name] for scores in self.images]


def _mean_of_known(values: list[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else np.nan


def mask_scores(scores: PixelScores) -> dict[str, float]:
    """Scores of a mask by the names that evaluations use."""
    return {"pca": scores.accuracy, "iou": scores.iou, "dice": scores.dice}
