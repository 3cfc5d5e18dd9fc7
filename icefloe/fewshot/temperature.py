"""What the supports say of their own prototypes: leave-one-out accuracy, and the temperature that fits it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from icefloe.fewshot.prototypes import Float64Array, probabilities, prototypes, squared_distances

RANGE = (1e-4, 1e4)
"""Temperatures looked at, in units of the median squared distance."""

USUAL = 0.2
"""Temperature, in the same units, that fits chips of micrographs with masks (docs/fewshot.md)."""

USUAL_SUPPORTS = 40
"""Supports that the usual temperature counts as."""

MOST_CONFIDENT = 0.99
"""Mean confidence of left-out supports, at most."""


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Squared distances of supports to prototypes that were made without them.

    Attributes
    ----------
    distances : float64, shape (N, C)
        Of N supports to C prototypes.
    classes : uint8, shape (N,)
        Set of each support.
    singles
        Positions of sets that have one support, which cannot be left out.
    is_honest
        False where no set has two supports: the distances are then to prototypes that the supports made.
    """

    distances: Float64Array
    classes: NDArray[np.uint8]
    singles: tuple[int, ...]
    is_honest: bool

    @property
    def farthest(self) -> float:
        """Largest squared distance of a support to its own set's prototype."""
        own = np.take_along_axis(self.distances, self.classes[:, None].astype(np.intp), axis=1)
        return float(own.max())


def leave_one_out(supports: Sequence[Float64Array]) -> LeftOut:
    """Take each support out of its set's prototype, and measure its distances to all prototypes.

    A set of one is left as it is: its support still competes for the others', but is not judged itself.

    Parameters
    ----------
    supports : sequence of float64 arrays, shape (n_c, F)
        Distinct vectors of each of C sets.
    """
    means = prototypes(supports)
    singles = tuple(index for index, of_set in enumerate(supports) if len(of_set) < 2)
    is_honest = len(singles) < len(supports)
    distances, classes = [], []
    for index, of_set in enumerate(supports):
        n = len(of_set)
        if n < 2 and is_honest:
            continue
        to_all = squared_distances(of_set, means)
        # x - (n m - x) / (n - 1) = (x - m) n / (n - 1): the own prototype without x is farther by that.
        to_all[:, index] *= (n / (n - 1)) ** 2 if n > 1 else 1.0
        distances.append(to_all)
        classes.append(np.full(n, index, np.uint8))
    return LeftOut(np.concatenate(distances), np.concatenate(classes), singles, is_honest)


def fit_temperature(left_out: LeftOut) -> float:
    """The temperature at which left-out supports are as confident as they are right, drawn to the usual one.

    Confidence is a support's highest probability (expectation consistency, Clarté et al. 2023). All supports
    may fall to their own set, and every chip would then be certain; but k right of n only say that the next
    one is right with about (k + 1) / (n + 2), which is what the mean confidence is brought to. The
    likelihood, even with such a target, would follow the few supports that lie far from all others.

    A few supports say little of that share, and T varies by a factor of ten with the draw. So log T is the
    mean of log T of n supports and of the usual one, which counts as `USUAL_SUPPORTS`; but supports of
    classes that are far apart are never more confident than `MOST_CONFIDENT`.

    Returns
    -------
    float
        T > 0, in units of a squared distance.
    """
    distances = left_out.distances
    n = len(distances)
    n_right = np.count_nonzero(distances.argmin(axis=1) == left_out.classes)
    unit = _unit(distances)
    in_units = distances / unit
    fitted = _consistent(in_units, (n_right + 1) / (n + 2))
    mean = (n * np.log(fitted) + USUAL_SUPPORTS * np.log(USUAL)) / (n + USUAL_SUPPORTS)
    return unit * max(float(np.exp(mean)), _consistent(in_units, MOST_CONFIDENT))


def _consistent(distances: Float64Array, target: float) -> float:
    """The temperature at which the mean of the highest probabilities is the target, or the nearest to it."""

    def excess(log_temperature: float) -> float:
        likely = probabilities(distances, float(np.exp(log_temperature)))
        return float(likely.max(axis=1).mean()) - target

    coldest, hottest = np.log(RANGE)
    if excess(coldest) <= 0:  # supports that are equally far from several prototypes
        return RANGE[0]
    if excess(hottest) >= 0:  # no better than chance
        return RANGE[1]
    return float(np.exp(brentq(excess, coldest, hottest, xtol=1e-6)))


def _unit(distances: Float64Array) -> float:
    """A squared distance typical of these; 1 where all are 0, as any is as good then."""
    positive = distances[distances > 0]
    return float(np.median(positive)) if len(positive) else 1.0
