"""Uncertainty from the members of an ensemble, at each pixel and over an image.

Probabilities of M members are float32 of shape (M, H, W), the foreground's, for a binary model, or
(M, C, H, W), summing to 1 over classes, for C classes. Entropies are in nats.

Total uncertainty is what the mean probability leaves open. It is split into an aleatoric part, what the
members leave open on average (noise, blur, a boundary that runs through a pixel), and an epistemic part,
their disagreement (what more or other training data would settle):

    entropy    H(mean p)        = mean of H(p_i)        + mutual information    (Houlsby et al. 2011)
    variance   mean p(1-mean p) = mean of p_i (1 - p_i) + variance of p_i       (law of total variance)

Both forms are those of Depeweg et al. 2018; Huellermeier and Waegeman 2021 discuss what they mean. The
members' disagreement depends on their number and variety: where all make the same error, it is 0.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

from icefloe.errors import IcefloeError
from icefloe.typing import FloatArray, MaskArray

# The boundary and area of the smallest foreground that counts: a square with sides of 1/16 of the image's.
MINIMUM_BOUNDARY = 1 / 4
MINIMUM_FOREGROUND = 1 / 256


def mean_probability(member_probabilities: FloatArray) -> FloatArray:
    """The ensemble's probability: mean over members (Baskaran et al. 2022, eq. 1).

    Parameters
    ----------
    member_probabilities : float32, shape (M, H, W) or (M, C, H, W)
        Probabilities of M members, in [0, 1].

    Returns
    -------
    float32, shape (H, W) or (C, H, W)
        Mean over the members, in [0, 1].
    """
    return np.asarray(member_probabilities.mean(axis=0, dtype=np.float64), np.float32)


def class_mask(mean: FloatArray, threshold: float) -> MaskArray:
    """Class of each pixel (Baskaran et al. 2022, eq. 2).

    Parameters
    ----------
    mean : float32, shape (H, W) or (C, H, W)
        The ensemble's probability.
    threshold : float
        Binary only: class 1 where mean >= threshold, so a pixel exactly at it is class 1. With C classes
        the most probable one is taken and the threshold has no effect.

    Returns
    -------
    uint8, shape (H, W)
        Class index of each pixel, 0 the background.
    """
    if mean.ndim == 3:
        return np.asarray(mean.argmax(axis=0), np.uint8)
    # In the map's own precision: the threshold is one of its values, and must stay equal to it.
    return np.asarray(mean >= mean.dtype.type(threshold), np.uint8)


def predictive_std(member_probabilities: FloatArray) -> FloatArray:
    """Disagreement among members at each pixel: the paper's UQ.

    Population standard deviation over members (Baskaran et al. 2022, eq. 3; their public code takes the
    variance). With C classes: square root of half the sum of the classes' variances, which equals the
    binary value for two classes and does not change with classes that no member predicts.

    Parameters
    ----------
    member_probabilities : float32, shape (M, H, W) or (M, C, H, W)
        Probabilities of M >= 2 members.

    Returns
    -------
    float32, shape (H, W)
        In [0, 0.5] for a binary model, below sqrt(1/2) for C classes.

    Raises
    ------
    IcefloeError
        If there are fewer than two members.
    """
    _require_two(member_probabilities)
    if member_probabilities.ndim == 3:
        return np.asarray(member_probabilities.std(axis=0, dtype=np.float64), np.float32)
    variance = member_probabilities.var(axis=0, dtype=np.float64).sum(axis=0) / 2
    return np.asarray(np.sqrt(variance), np.float32)


def predictive_entropy(mean: FloatArray) -> FloatArray:
    """Shannon entropy of the ensemble's probability at each pixel, in nats.

    Parameters
    ----------
    mean : float32, shape (H, W) or (C, H, W)
        The ensemble's probability, in [0, 1].

    Returns
    -------
    float32, shape (H, W)
        In [0, ln 2] for a binary model, [0, ln C] for C classes.
    """
    return _entropy(mean, class_axis=0 if mean.ndim == 3 else None)


def mutual_information(member_probabilities: FloatArray) -> FloatArray:
    """Entropy of the mean less the mean of the members' entropies, in nats.

    The part of the predictive entropy that comes from disagreement: zero where members agree, however
    unsure each of them is (Houlsby et al. 2011, BALD).

    Parameters
    ----------
    member_probabilities : float32, shape (M, H, W) or (M, C, H, W)
        Probabilities of M >= 2 members.

    Returns
    -------
    float32, shape (H, W)
        In [0, ln min(C, M)].

    Raises
    ------
    IcefloeError
        If there are fewer than two members.
    """
    _require_two(member_probabilities)
    class_axis = 0 if member_probabilities.ndim == 4 else None
    expected = np.mean([_entropy(member, class_axis) for member in member_probabilities], axis=0)
    # It is never negative but for rounding.
    return np.asarray(np.maximum(_entropy(mean_probability(member_probabilities), class_axis) - expected, 0))


def total_variance(mean: FloatArray) -> FloatArray:
    """Variance of a pixel's class when it is drawn from the mean probability: p (1 - p).

    With C classes half the sum over classes, as in `predictive_std`. Less that function's square, the
    epistemic part, it is the aleatoric part: the mean over members of p_i (1 - p_i).

    Parameters
    ----------
    mean : float32, shape (H, W) or (C, H, W)
        The ensemble's probability, in [0, 1].

    Returns
    -------
    float32, shape (H, W)
        In [0, 1/4] for a binary model, below 1/2 for C classes.
    """
    variance = mean * (1 - mean)
    return variance if mean.ndim == 2 else variance.sum(axis=0) / 2


def doubt(mean: FloatArray, mask: MaskArray) -> FloatArray:
    """Probability that a pixel is of another class than predicted, as the ensemble sees it.

    Parameters
    ----------
    mean : float32, shape (H, W) or (C, H, W)
        The ensemble's probability, in [0, 1].
    mask : uint8, shape (H, W)
        The predicted classes.

    Returns
    -------
    float32, shape (H, W)
        In [0, 1]; above 1/2 where a threshold other than 1/2 took the less probable class.
    """
    if mean.ndim == 2:
        return np.where(mask == 1, 1 - mean, mean)
    return np.asarray(1 - np.take_along_axis(mean, mask[None].astype(np.intp), axis=0)[0])


def variation_ratio(member_probabilities: FloatArray, threshold: float) -> FloatArray:
    """Share of members that vote against the most voted class at each pixel.

    Parameters
    ----------
    member_probabilities : float32, shape (M, H, W) or (M, C, H, W)
        Probabilities of M >= 2 members.
    threshold : float
        A binary member votes for class 1 where its probability is at least this.

    Returns
    -------
    float32, shape (H, W)
        In [0, 1/2] for a binary model, below 1 - 1/C for C classes.

    Raises
    ------
    IcefloeError
        If there are fewer than two members.
    """
    _require_two(member_probabilities)
    n_members = len(member_probabilities)
    votes = np.stack([class_mask(member, threshold) for member in member_probabilities])
    if member_probabilities.ndim == 3:
        for_foreground = votes.sum(axis=0, dtype=np.int32)
        most = np.maximum(for_foreground, n_members - for_foreground)
    else:
        n_classes = member_probabilities.shape[1]
        most = np.max([(votes == c).sum(axis=0, dtype=np.int32) for c in range(n_classes)], axis=0)
    return np.asarray((n_members - most) / n_members, np.float32)


def expected_dice(mean: FloatArray, mask: MaskArray) -> float:
    """Dice of the foreground as the probabilities expect it, were they true.

    2 sum of p over the mask / (sum of p over all pixels + pixels of the mask): the expectations in the place
    of the counts.

    Parameters
    ----------
    mean : float32, shape (H, W) or (C, H, W)
        Calibrated probability; of C classes all but the first are the foreground.
    mask : uint8, shape (H, W)
        The predicted classes.

    Returns
    -------
    float
        In [0, 1]; NaN where the mask is empty, of which no Dice can be expected.
    """
    foreground = mean if mean.ndim == 2 else 1 - mean[0]
    inside = mask > 0
    area = np.count_nonzero(inside)
    if not area:
        return float("nan")
    total = float(foreground.sum(dtype=np.float64))
    return 2 * float(foreground[inside].sum(dtype=np.float64)) / (total + area)


@dataclass(frozen=True)
class ImageUncertainty:
    """The uncertainty of a whole image, in three ways.

    All three are shares of the image, so that the same scene sampled with more or fewer pixels scores alike.

    Attributes
    ----------
    uq_mean : float
        Mean of the standard deviation over all pixels: the paper's image UQ. Members disagree mostly along
        boundaries, so it grows with the boundary's length even when each piece of it is as sure as ever.
    uq_boundary : float
        uq_mean divided by the length of the predicted boundary, counted in pixel edges between different
        classes and given in units of the image's side sqrt(H W). It is the width of the uncertain seam,
        weighted by its uncertainty, as a share of the side. The length is taken as at least 1/4 of a side,
        so that an image without foreground has a finite value.
    uq_foreground : float
        uq_mean divided by the predicted foreground's share of the image (all classes but 0), taken as at
        least 1/256: the summed uncertainty per foreground pixel.
    """

    uq_mean: float
    uq_boundary: float
    uq_foreground: float


def image_uncertainty(std: FloatArray, mask: MaskArray) -> ImageUncertainty:
    """Reduce a map of standard deviations to an image's scores.

    Parameters
    ----------
    std : float32, shape (H, W)
        Standard deviation over members at each pixel, in [0, 0.5].
    mask : uint8, shape (H, W)
        The predicted classes.
    """
    uq_mean = float(std.mean(dtype=np.float64))
    foreground = int(np.count_nonzero(mask)) / mask.size
    return ImageUncertainty(
        uq_mean, uq_mean / boundary_length(mask), uq_mean / max(foreground, MINIMUM_FOREGROUND)
    )


def boundary_length(mask: MaskArray) -> float:
    """Length of all boundaries between classes as a share of the side sqrt(H W), at least 1/4."""
    return max(float(boundary_edges(mask) / mask.size**0.5), MINIMUM_BOUNDARY)


def boundary_edges(mask: MaskArray) -> int:
    """Number of edges between neighbouring pixels of different class, inside the image."""
    return int(np.count_nonzero(mask[1:] != mask[:-1]) + np.count_nonzero(mask[:, 1:] != mask[:, :-1]))


def _entropy(probability: FloatArray, class_axis: int | None) -> NDArray[np.float32]:
    if class_axis is None:
        return np.asarray(entr(probability) + entr(1 - probability))
    return np.asarray(entr(probability).sum(axis=class_axis))


def _require_two(member_probabilities: FloatArray) -> None:
    if len(member_probabilities) < 2:
        raise IcefloeError(
            "Uncertainty needs at least two ensemble members; this ensemble has one. Train or keep another."
        )
