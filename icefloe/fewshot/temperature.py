"""What the supports say of their own prototypes: leave-one-out accuracy, and the temperature that fits it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from icefloe.fewshot.prototypes import Float64Array, prototypes, squared_distances

RANGE = (1e-3, 1e3)
"""Temperatures looked at, in units of the median squared distance to the own prototype."""


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


def leave_one_out(supports: Sequence[Float64Array]) -> LeftOut:
    """Take each support out of its set's prototype, and measure its distances to all prototypes.

    A set of one is left as it is: its support still competes for the others', but is not judged itself.

    Parameters
    ----------
    supports : sequence of float64 arrays, shape (n_c, F)
        Distinct embeddings of each of C sets.
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
    """The temperature that makes the left-out supports' sets the likeliest, with Platt's (1999) targets.

    All supports may fall to their own set. Likelihood alone would then choose T = 0, and every chip would be
    certain; but N right of N only say that the next is right with about (N + 1) / (N + 2), which is the
    target here, the rest shared among the other sets.

    Returns
    -------
    float
        T > 0, in units of a squared distance.
    """
    distances, classes = left_out.distances, left_out.classes
    n, n_classes = distances.shape
    target = np.full((n, n_classes), 1 / (n + 2) / (n_classes - 1))
    target[np.arange(n), classes] = (n + 1) / (n + 2)
    unit = _unit(distances)

    def cross_entropy(log_temperature: float) -> float:
        logits = -distances / (unit * np.exp(log_temperature))
        return float(-(target * log_softmax(logits, axis=1)).sum(axis=1).mean())

    low, high = np.log(RANGE)
    found = minimize_scalar(cross_entropy, bounds=(low, high), method="bounded", options={"xatol": 1e-4})
    return unit * float(np.exp(found.x))


def _unit(distances: Float64Array) -> float:
    """A squared distance typical of these; 1 where all are 0, as any is as good then."""
    positive = distances[distances > 0]
    return float(np.median(positive)) if len(positive) else 1.0
