"""Agreement of a prediction with a reference mask.

Every function leaves out the pixels that are `IGNORE` (255) in the reference. Arrays may have any shape,
so that the pixels of many images can be pooled by concatenating them; a probability map of a multi-class
model has one axis more than its reference, the classes, in front.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from icefloe.errors import IcefloeError
from icefloe.typing import IGNORE


@dataclass(frozen=True)
class PixelScores:
    """Scores that follow from a confusion matrix alone.

    Attributes
    ----------
    accuracy : float
        Share of pixels classified correctly (the paper's pCA), in [0, 1].
    iou, dice : float
        Intersection over union, and Dice coefficient 2 IoU / (1 + IoU), of class 1; with more than two
        classes the mean over all classes but the background 0. A class that neither the reference nor the
        prediction contains scores 1: saying "none" where there is none is right.
    """

    accuracy: float
    iou: float
    dice: float


def confusion_matrix(reference: ArrayLike, predicted: ArrayLike, n_classes: int = 2) -> NDArray[np.int64]:
    """Count pixels by reference class (row) and predicted class (column).

    Parameters
    ----------
    reference, predicted : uint8, of the same shape
        Class indices below `n_classes`. A pixel that is 255 in either is left out, so that two annotators'
        masks can be compared too.
    n_classes : int
        Number of classes, background included.

    Returns
    -------
    int64, shape (n_classes, n_classes)
        Number of pixels by reference class (row) and predicted class (column).

    Raises
    ------
    IcefloeError
        If shapes differ, or a class index is `n_classes` or more.
    """
    reference, predicted = np.asarray(reference), np.asarray(predicted)
    if reference.shape != predicted.shape:
        raise IcefloeError(
            f"Reference mask is {_size(reference)} but the prediction is {_size(predicted)}. "
            "Compare masks of the same image at the same size."
        )
    counted = (reference != IGNORE) & (predicted != IGNORE)
    rows, columns = reference[counted].astype(np.int64), predicted[counted].astype(np.int64)
    highest = max(rows.max(initial=0), columns.max(initial=0))
    if highest >= n_classes:
        raise IcefloeError(
            f"Mask holds class {highest}, but there are {n_classes} classes (0 to {n_classes - 1}). "
            "Use 255 for pixels to ignore."
        )
    return np.bincount(rows * n_classes + columns, minlength=n_classes**2).reshape(n_classes, n_classes)


def scores_from_confusion(confusion: NDArray[np.int64]) -> PixelScores:
    """Accuracy, IoU and Dice of a confusion matrix, shape (C, C), reference classes in rows.

    Raises
    ------
    IcefloeError
        If the matrix counts no pixel.
    """
    total = int(confusion.sum())
    if total == 0:
        raise IcefloeError(
            "No pixel to score: the reference mask is 255 (ignore) everywhere. Label some pixels."
        )
    hits = np.diag(confusion)[1:].astype(np.float64)
    in_either = confusion.sum(axis=0)[1:] + confusion.sum(axis=1)[1:]  # intersection counted twice
    union = in_either - hits
    absent = union == 0
    iou = np.where(absent, 1.0, hits / np.maximum(union, 1))
    dice = np.where(absent, 1.0, 2 * hits / np.maximum(in_either, 1))
    return PixelScores(float(np.trace(confusion) / total), float(iou.mean()), float(dice.mean()))


def iou_of_labelled_classes(confusion: NDArray[np.int64]) -> float:
    """Mean IoU over the classes, but the background, that the reference shows.

    Two predictions can be compared by it: in `PixelScores.iou` a class that the reference lacks scores 1 or
    0, so that with three classes one wrong pixel of the absent one costs .5. Where the reference shows no
    class but the background it is `PixelScores.iou`.

    Parameters
    ----------
    confusion : int64, shape (C, C)
        Pixels by reference class (row) and predicted class (column), at least one.
    """
    confusion = np.asarray(confusion)
    hits = np.diag(confusion)[1:]
    shown = confusion.sum(axis=1)[1:] > 0
    if not shown.any():
        return scores_from_confusion(confusion).iou
    union = confusion.sum(axis=0)[1:] + confusion.sum(axis=1)[1:] - hits
    return float(np.mean(hits[shown] / union[shown]))


def pixel_scores(reference: ArrayLike, predicted: ArrayLike, n_classes: int = 2) -> PixelScores:
    """Accuracy, IoU and Dice of a predicted mask; see `confusion_matrix` for shapes and errors."""
    return scores_from_confusion(confusion_matrix(reference, predicted, n_classes))


def pixel_accuracy(reference: ArrayLike, predicted: ArrayLike, n_classes: int = 2) -> float:
    """Share of pixels classified correctly: the paper's pCA."""
    return pixel_scores(reference, predicted, n_classes).accuracy


def iou(reference: ArrayLike, predicted: ArrayLike, n_classes: int = 2) -> float:
    """Intersection over union of the foreground; 1 where both masks are empty (see `PixelScores`)."""
    return pixel_scores(reference, predicted, n_classes).iou


def dice(reference: ArrayLike, predicted: ArrayLike, n_classes: int = 2) -> float:
    """Dice coefficient of the foreground; 1 where both masks are empty (see `PixelScores`).

    The public code of the paper divides by (H W + area) instead of the two areas' sum, so that a perfect
    mask scores about .14; this is the textbook definition.
    """
    return pixel_scores(reference, predicted, n_classes).dice


def brier_score(reference: ArrayLike, probability: ArrayLike) -> float:
    """Mean squared error of the predicted probabilities.

    Equals scikit-learn's `brier_score_loss`: for a binary map the squared error of the foreground's
    probability, in [0, 1]; for several classes the sum over classes, in [0, 2].

    Parameters
    ----------
    reference : uint8, shape (...)
        Class indices; 255 is left out.
    probability : float, shape (...) of the foreground, or (C, ...) summing to 1 over classes
        Predicted probability, in [0, 1].

    Raises
    ------
    IcefloeError
        If the shapes do not fit or no pixel counts.
    """
    classes, probabilities = counted_pixels(reference, probability)
    if probabilities.ndim == 1:
        return float(np.mean((probabilities - (classes == 1)) ** 2))
    of_truth = np.take_along_axis(probabilities, classes[None].astype(np.intp), axis=0)[0]
    # sum over classes of (p - y)^2, without building the one-hot y
    return float(np.mean((probabilities**2).sum(axis=0) - 2 * of_truth + 1))


def mean_absolute_deviation(reference: ArrayLike, probability: ArrayLike) -> float:
    """Mean of 1 - (probability given to the true class), which for a binary map is mean |p - y|.

    The paper calls this absolute deviation the Brier score. Parameters and errors as in `brier_score`.
    """
    classes, probabilities = counted_pixels(reference, probability)
    if probabilities.ndim == 1:
        return float(np.mean(np.abs(probabilities - (classes == 1))))
    of_truth = np.take_along_axis(probabilities, classes[None].astype(np.intp), axis=0)[0]
    return float(np.mean(1 - of_truth))


def negative_log_likelihood(reference: ArrayLike, probability: ArrayLike) -> float:
    """Mean of -ln(probability given to the true class), in nats: what a temperature is fitted to.

    Probabilities are taken as at least float32's precision, as in scikit-learn's `log_loss` of float32, so
    that one sure and wrong pixel costs 16 and not infinity. Parameters and errors as in `brier_score`.
    """
    classes, probabilities = counted_pixels(reference, probability)
    if probabilities.ndim == 1:
        of_truth = np.where(classes == 1, probabilities, 1 - probabilities)
    else:
        of_truth = np.take_along_axis(probabilities, classes[None].astype(np.intp), axis=0)[0]
    return float(-np.log(np.maximum(of_truth, np.finfo(np.float32).eps)).mean())


def counted_pixels(
    reference: ArrayLike, probability: ArrayLike
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The pixels that are not 255 in the reference, flattened.

    Parameters
    ----------
    reference : uint8, shape (...)
        Reference class of each pixel; 255 is left out.
    probability : float, shape (...) or (C, ...)
        Predicted probability of the foreground, or of each class, in [0, 1].

    Returns
    -------
    classes : uint8, shape (N,)
        Reference class of each of the N counted pixels.
    probabilities : float64, shape (N,) or (C, N)
        Predicted probabilities of these pixels.

    Raises
    ------
    IcefloeError
        If the shapes do not fit, a class is missing from the probabilities, or no pixel counts.
    """
    reference, probability = np.asarray(reference), np.asarray(probability)
    one_per_class = probability.ndim == reference.ndim + 1
    if (probability.shape[1:] if one_per_class else probability.shape) != reference.shape:
        raise IcefloeError(
            f"Reference mask is {_size(reference)} but the probability map is {_size(probability)}. "
            "Compare maps of the same image at the same size."
        )
    counted = reference != IGNORE
    classes = reference[counted]
    if len(classes) == 0:
        raise IcefloeError(
            "No pixel to score: the reference mask is 255 (ignore) everywhere. Label some pixels."
        )
    n_classes = len(probability) if one_per_class else 2
    if classes.max() >= n_classes:
        raise IcefloeError(
            f"Mask holds class {classes.max()}, but there are {n_classes} classes (0 to {n_classes - 1}). "
            "Use 255 for pixels to ignore."
        )
    return classes, probability[..., counted].astype(np.float64)


def _size(array: NDArray[np.generic]) -> str:
    return "x".join(map(str, array.shape))
