"""Whether predicted probabilities are the frequencies they claim to be, and a temperature that fixes them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar
from scipy.special import expit, softmax

from icefloe.errors import IcefloeError
from icefloe.scoring.metrics import counted_pixels
from icefloe.typing import IGNORE, FloatArray

N_BINS = 10
TEMPERATURE_RANGE = (0.05, 20.0)


@dataclass(frozen=True)
class CalibrationBins:
    """Sums over pixels grouped by predicted probability; those of several images add up.

    Bins are of equal width over [0, 1]; a probability exactly on an edge belongs to the bin below it, as in
    scikit-learn's `calibration_curve(strategy="uniform")`.

    Attributes
    ----------
    count : int64, shape (n_bins,)
        Number of pixels in the bin.
    probability_sum : float64, shape (n_bins,)
        Sum of the predicted probabilities in the bin.
    event_sum : float64, shape (n_bins,)
        Number of pixels in the bin where the event happened.
    """

    count: NDArray[np.int64]
    probability_sum: NDArray[np.float64]
    event_sum: NDArray[np.float64]

    @classmethod
    def collect(
        cls, events: NDArray[np.bool_], probabilities: NDArray[np.float64], n_bins: int = N_BINS
    ) -> "CalibrationBins":
        """Group events, bool of shape (N,), by their predicted probabilities, float of shape (N,)."""
        bins = np.searchsorted(np.linspace(0.0, 1.0, n_bins + 1)[1:-1], probabilities)
        return cls(
            np.bincount(bins, minlength=n_bins),
            np.bincount(bins, weights=probabilities, minlength=n_bins).astype(np.float64),
            np.bincount(bins, weights=events, minlength=n_bins).astype(np.float64),
        )

    def __add__(self, other: "CalibrationBins") -> "CalibrationBins":
        return CalibrationBins(
            self.count + other.count,
            self.probability_sum + other.probability_sum,
            self.event_sum + other.event_sum,
        )

    def curve(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Frequency of the event and mean predicted probability in each bin that holds a pixel."""
        occupied = self.count > 0
        count = self.count[occupied]
        return self.event_sum[occupied] / count, self.probability_sum[occupied] / count

    @property
    def expected_calibration_error(self) -> float:
        """Mean over pixels of |frequency - mean predicted probability| of their bin."""
        return float(np.abs(self.event_sum - self.probability_sum).sum() / self.count.sum())


def foreground_bins(reference: ArrayLike, probability: ArrayLike, n_bins: int = N_BINS) -> CalibrationBins:
    """Bins of the foreground's probability; the event is that the pixel is foreground.

    Parameters
    ----------
    reference : uint8, shape (...)
        Reference mask of 0 and 1; 255 is left out.
    probability : float, shape (...)
        Predicted probability of the foreground, in [0, 1].
    """
    classes, probabilities = counted_pixels(reference, probability)
    return CalibrationBins.collect(classes == 1, probabilities, n_bins)


def confidence_bins(reference: ArrayLike, probability: ArrayLike, n_bins: int = N_BINS) -> CalibrationBins:
    """Bins of the highest class probability; the event is that this class is the right one.

    Parameters
    ----------
    reference : uint8, shape (...)
        Reference class of each pixel; 255 is left out.
    probability : float, shape (C, ...)
        Predicted probability of each class, in [0, 1].
    """
    classes, probabilities = counted_pixels(reference, probability)
    right = probabilities.argmax(axis=0) == classes
    return CalibrationBins.collect(right, probabilities.max(axis=0), n_bins)


def calibration_bins(reference: ArrayLike, probability: ArrayLike, n_bins: int = N_BINS) -> CalibrationBins:
    """`foreground_bins` of a binary map, `confidence_bins` of one with an axis of classes in front."""
    of_classes = np.ndim(probability) == np.ndim(reference) + 1
    return (confidence_bins if of_classes else foreground_bins)(reference, probability, n_bins)


def accuracy_bins(
    reference: ArrayLike, probability: ArrayLike, predicted: ArrayLike, n_bins: int = N_BINS
) -> CalibrationBins:
    """Bins of the foreground's probability; the event is that the mask is right there.

    The accuracy-per-probability curve of the paper: high at both ends, low in the middle, where the members
    are unsure. It shows where errors are, not whether the probabilities are calibrated.

    Parameters
    ----------
    reference : uint8, shape (...)
        Reference mask of 0 and 1; 255 is left out.
    probability : float, shape (...)
        Predicted probability of the foreground, in [0, 1].
    predicted : uint8, shape (...)
        The thresholded mask, 0 or 1.
    """
    classes, probabilities = counted_pixels(reference, probability)
    right = classes == np.asarray(predicted)[np.asarray(reference) != IGNORE]
    return CalibrationBins.collect(right, probabilities, n_bins)


def calibration_curve(
    reference: ArrayLike, probability: ArrayLike, n_bins: int = N_BINS
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Frequency of foreground and mean predicted probability, bin by bin; empty bins are left out.

    Equals scikit-learn's `calibration_curve` with its default, uniform bins.
    """
    return foreground_bins(reference, probability, n_bins).curve()


def expected_calibration_error(reference: ArrayLike, probability: ArrayLike, n_bins: int = N_BINS) -> float:
    """Mean gap between predicted probability and observed frequency, in [0, 1].

    Binary: of the foreground's probability, over `n_bins` equal bins of [0, 1]. With an axis of classes:
    of the highest class probability (Guo et al. 2017). The binary form sees both classes' errors and does
    not depend on the threshold.
    """
    return calibration_bins(reference, probability, n_bins).expected_calibration_error


def probabilities(member_logits: FloatArray, temperature: float) -> FloatArray:
    """Members' probabilities at a temperature: sigmoid(z / T), or softmax over classes.

    Parameters
    ----------
    member_logits : float32, shape (M, H, W) or (M, C, H, W)
        Logits of M members, binary or of C classes.
    temperature : float
        Above 0; one for all members.

    Returns
    -------
    float32, shape (M, H, W) or (M, C, H, W)
        Probabilities in [0, 1].
    """
    scaled = member_logits / np.float32(temperature)
    return np.asarray(softmax(scaled, axis=1) if member_logits.ndim == 4 else expit(scaled))


def fit_temperature(member_logits: NDArray[np.floating], reference: NDArray[np.uint8]) -> float:
    """The temperature T that makes mean_i sigmoid(z_i / T) (softmax for classes) the likeliest.

    One T for all members (Guo et al. 2017, applied before the mean): it changes no member's ranking of
    pixels. Found by a bounded search over ln T for the least negative log-likelihood.

    Parameters
    ----------
    member_logits : float, shape (M, N), or (M, C, N) for C classes
        Logits at N validation pixels.
    reference : uint8, shape (N,)
        Class indices; 255 is left out.

    Returns
    -------
    float
        Temperature in [0.05, 20]; above 1 if the members were too sure.

    Raises
    ------
    IcefloeError
        If no pixel counts.
    """
    counted = reference != IGNORE
    classes = reference[counted]
    if len(classes) == 0:
        raise IcefloeError(
            "No pixel to calibrate on: the validation masks are 255 (ignore) everywhere. Label some."
        )
    logits = member_logits[..., counted]
    if logits.ndim == 2:
        # The probability of the true class straight from signed logits: half the work of both classes'.
        signed = np.where(classes == 1, logits, -logits)

        def of_truth(temperature: float) -> NDArray[np.floating]:
            return np.asarray(expit(signed / temperature).mean(axis=0, dtype=np.float64))
    else:
        index = classes[None, None].astype(np.intp)

        def of_truth(temperature: float) -> NDArray[np.floating]:
            probabilities = softmax(logits / temperature, axis=1)
            of_class = np.take_along_axis(probabilities, index, axis=1)[:, 0]
            return np.asarray(of_class.mean(axis=0, dtype=np.float64))

    def negative_log_likelihood(log_temperature: float) -> float:
        probability = of_truth(float(np.exp(log_temperature)))
        return float(-np.log(np.maximum(probability, np.finfo(np.float64).tiny)).mean())

    low, high = np.log(TEMPERATURE_RANGE)
    found = minimize_scalar(
        negative_log_likelihood, bounds=(low, high), method="bounded", options={"xatol": 1e-3}
    )
    return float(np.exp(found.x))
