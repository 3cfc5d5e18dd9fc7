"""Distribution-free quantiles over experiments, and the intervals and thresholds that they make.

Frames of one experiment resemble each other; new data are new experiments. So the experiment is the
exchangeable unit: the guarantee is about a random frame of a new experiment, if that experiment is one more
draw of the kind that was calibrated on. About a shifted experiment, or one given experiment, it says nothing.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icefloe.scoring.metrics import counted_pixels
from icefloe.typing import FloatArray, MaskArray

Float64Array = NDArray[np.float64]


def hierarchical_quantile(scores: Sequence[ArrayLike], level: float) -> float:
    """The score that a random frame of a new experiment stays within with probability `level` at least.

    Hierarchical conformal prediction (Lee, Barber and Willett 2023, section 3): each of K experiments weighs
    1 / (K + 1), shared among its frames; the last 1 / (K + 1) lies at infinity. If the K + 1 experiments are
    exchangeable, and so are the frames within each, coverage is at least `level`, and at most
    `level` + 2 / (K + 1) where scores do not tie. With one frame per experiment it is split conformal.

    Parameters
    ----------
    scores
        Scores of each experiment's frames, float of shape (n_k,), n_k >= 1.
    level
        Level of the interval, in (0, 1).

    Returns
    -------
    float
        Infinite where K experiments cannot promise `level`: below `experiments_needed`.
    """
    if not scores:
        return np.inf
    values = np.concatenate([np.asarray(frames, np.float64) for frames in scores])
    weights = np.concatenate([np.full(np.size(frames), 1 / np.size(frames)) for frames in scores])
    order = np.argsort(values)
    # Rounding must not ask for one score more than the level does.
    reached = np.cumsum(weights[order]) >= level * (len(scores) + 1) - 1e-9
    return float(values[order][np.argmax(reached)]) if reached.any() else np.inf


def experiments_needed(level: float) -> int:
    """Fewest experiments with which `hierarchical_quantile` is finite: K / (K + 1) >= level."""
    return int(np.ceil(level / (1 - level) - 1e-9))


def class_areas(mean: FloatArray) -> tuple[Float64Array, Float64Array]:
    """Expected share of each class but the background, and how uncertain it is.

    The expected share is the mean of the class's probability p. Its uncertainty is the mean of p (1 - p), the
    share of pixels that the ensemble leaves open. Of what may scale an interval (the spread of the members'
    areas, mean standard deviation, nothing) it gives the narrowest ones; docs/studies/uncertainty.md has the
    widths. A quarter of a pixel, that of one wholly open, keeps it above 0.

    Parameters
    ----------
    mean : float32, shape (H, W) or (C, H, W)
        The ensemble's probability.

    Returns
    -------
    expected, uncertainty : float64, shape (C - 1,)
        Shares of the image, in [0, 1], and their uncertainty.
    """
    return _areas(mean.reshape(1, -1) if mean.ndim == 2 else mean.reshape(len(mean), -1)[1:])


def area_scores(reference: MaskArray, mean: FloatArray) -> Float64Array:
    """Distance of each class's true share from the expected one, in units of its uncertainty.

    Parameters
    ----------
    reference : uint8, shape (H, W)
        Reference class of each pixel; 255 is left out.
    mean : float32, shape (H, W) or (C, H, W)
        The ensemble's probability, of the foreground or of each class.

    Returns
    -------
    float64, shape (C - 1,)
        Conformity scores of the classes but the background.

    Raises
    ------
    IcefloeError
        If the shapes do not fit, or no pixel counts.
    """
    true, expected, uncertainty = labelled_areas(reference, mean)
    return np.abs(true - expected) / uncertainty


def labelled_areas(reference: MaskArray, mean: FloatArray) -> tuple[Float64Array, Float64Array, Float64Array]:
    """As `class_areas`, of labelled pixels alone, and what is true of them; arguments as in `area_scores`.

    Returns
    -------
    true, expected, uncertainty : float64, shape (C - 1,)
        Shares of the labelled pixels, in [0, 1], and the uncertainty of the expected ones.
    """
    classes, probabilities = counted_pixels(reference, mean)
    expected, uncertainty = _areas(probabilities[None] if probabilities.ndim == 1 else probabilities[1:])
    true = np.array([np.mean(classes == value) for value in range(1, len(expected) + 1)])
    return true, expected, uncertainty


def area_interval(expected: float, uncertainty: float, quantile: float) -> tuple[float, float]:
    """Ends of expected -+ quantile x uncertainty within [0, 1]; [0, 1] for an infinite quantile."""
    return max(expected - quantile * uncertainty, 0.0), min(expected + quantile * uncertainty, 1.0)


def highest_safe_doubt(doubt: FloatArray, wrong: NDArray[np.bool_], max_error: float) -> float:
    """Doubt below which no more than a share `max_error` of all pixels is wrong.

    The share counts pixels that are wrong and not abstained from, of all pixels, so it falls as more is
    abstained from; the share of the pixels kept need not.

    Parameters
    ----------
    doubt : float32, shape (N,)
        `icefloe.scoring.uncertainty.doubt` at the pixels that count.
    wrong : bool, shape (N,)
        True where the mask differs from the reference.
    max_error
        Highest share of wrong pixels, in [0, 1).

    Returns
    -------
    float
        Pixels with less doubt than this may be kept; infinite where all may.
    """
    tolerated = int(max_error * wrong.size)
    of_wrong = doubt[wrong]
    if len(of_wrong) <= tolerated:
        return np.inf
    return float(np.partition(of_wrong, tolerated)[tolerated])


def _areas(pixels: NDArray[np.floating]) -> tuple[Float64Array, Float64Array]:
    pixels = pixels.astype(np.float64)
    return pixels.mean(axis=1), (pixels * (1 - pixels)).mean(axis=1) + 0.25 / pixels.shape[1]
