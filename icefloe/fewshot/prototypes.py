"""Prototypes of support sets, distances to them, and probabilities (Snell et al. 2017)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from scipy.special import softmax

from icefloe.typing import FloatArray

Float64Array = NDArray[np.float64]


def distinct(vectors: FloatArray | Float64Array) -> Float64Array:
    """A set's vectors, each once, in an order of their own.

    A copy of a support says nothing new, and would vouch for it when it is left out; and the order in which
    people choose chips must not matter, not even in the last digit.

    Parameters
    ----------
    vectors : shape (n, F)
        Of one set's supports.

    Returns
    -------
    float64, shape (m, F)
        m <= n.
    """
    return np.unique(np.asarray(vectors, np.float64), axis=0)


def prototypes(supports: Sequence[Float64Array]) -> Float64Array:
    """Mean vector of each set.

    Parameters
    ----------
    supports : sequence of float64 arrays, shape (n_c, F)
        Vectors of each of C sets, at least one in each.

    Returns
    -------
    float64, shape (C, F)
    """
    return np.stack([of_set.mean(axis=0) for of_set in supports])


def squared_distances(vectors: FloatArray | Float64Array, prototypes: Float64Array) -> Float64Array:
    """Squared Euclidean distance of each of N vectors, (N, F), to each of C prototypes; shape (N, C)."""
    distances: Float64Array = cdist(np.asarray(vectors, np.float64), prototypes, "sqeuclidean")
    return distances


def probabilities(distances: Float64Array, temperature: float) -> Float64Array:
    """softmax(-d^2 / T) over the classes.

    Parameters
    ----------
    distances : float64, shape (N, C)
        Squared distances to the prototypes.
    temperature
        T, in units of a squared distance.

    Returns
    -------
    float64, shape (N, C)
        Each row adds up to 1.
    """
    return np.asarray(softmax(-distances / temperature, axis=-1))
