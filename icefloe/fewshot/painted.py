"""Classes of chips as maps of pixels, in the form of an ensemble's prediction."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from icefloe.ensemble.prediction import MAPS, Prediction
from icefloe.fewshot.grid import Grid
from icefloe.fewshot.prototypes import Float64Array, probabilities, squared_distances
from icefloe.scoring.uncertainty import predictive_entropy
from icefloe.typing import FloatArray

N_RESAMPLED = 20
"""Prototype sets of drawn supports whose disagreement is a chip's uncertainty."""

THRESHOLD = 0.5
"""The nearest of two prototypes has at least this probability, at any temperature."""


def resampled_prototypes(supports: Sequence[Float64Array], seed: int = 0) -> Float64Array:
    """Prototypes of supports drawn anew: n - 1 of a set's n with replacement, as for the counts' intervals.

    A set of one stays as it is, so it shows no disagreement of its own.

    Parameters
    ----------
    supports : sequence of float64 arrays, shape (n_c, F)
        Vectors of each of C sets.
    seed
        Seed of the draws.

    Returns
    -------
    float64, shape (N_RESAMPLED, C, F)
    """
    rng = np.random.default_rng(seed)
    return np.stack(
        [
            np.stack([of_set[_drawn(len(of_set), rng)].mean(axis=0) for of_set in supports])
            for _ in range(N_RESAMPLED)
        ]
    )


def painted_prediction(
    vectors: Float64Array,
    grid: Grid,
    prototypes: Float64Array,
    resampled: Float64Array,
    temperature: float,
    features: FloatArray,
    *,
    keep_members: bool = False,
    uncalibrated: bool = False,
) -> Prediction:
    """The prediction of an image whose chips are compared with prototypes.

    Probability, entropy and class are those of the prototypes; `std`, `mutual_information` and
    `variation_ratio` tell how far other draws of the supports disagree. Pixels in the image's margins, which
    belong to no chip, are as the nearest chip.

    Parameters
    ----------
    vectors : float64, shape (N, F)
        The chips'.
    grid
        Where they are.
    prototypes : float64, shape (C, F)
        One of each class.
    resampled : float64, shape (M, C, F)
        Prototypes of supports drawn anew.
    temperature
        In units of a squared distance.
    features : float32, shape (F',)
        What tells the image from others.
    keep_members
        Keep the probabilities by each of the `resampled`, too.
    uncalibrated
        Keep the probability at temperature 1, too.
    """
    distances = squared_distances(vectors, prototypes)
    mean = _map(probabilities(distances, temperature), grid)
    members = np.stack(
        [_map(probabilities(squared_distances(vectors, one), temperature), grid) for one in resampled]
    )
    entropy = predictive_entropy(mean)
    spread = Prediction.from_members(members, THRESHOLD, features)
    # Of chips, and by the prototypes themselves, not by the mean of what was drawn.
    chips = replace(
        spread,
        mean=mean,
        entropy=entropy,
        mutual_information=np.minimum(spread.mutual_information, entropy),
        mask=distances.argmin(axis=1).astype(np.uint8).reshape(grid.rows, grid.columns),
        member_probabilities=members if keep_members else None,
        uncalibrated=_map(probabilities(distances, 1.0), grid) if uncalibrated else None,
        n_members=0,
    )
    painted: dict[str, Any] = {name: _painted(getattr(chips, name), grid) for name in MAPS}
    return replace(chips, **painted)


def _drawn(n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return rng.integers(n, size=max(n - 1, 1))


def _map(likely: Float64Array, grid: Grid) -> FloatArray:
    """Of chips, (N, C): class 1's probability of two classes, (rows, columns), or (C, rows, columns)."""
    by_class = np.ascontiguousarray(likely.T, np.float32).reshape(-1, grid.rows, grid.columns)
    return by_class[1] if len(by_class) == 2 else by_class


def _painted(of_chips: NDArray[Any] | None, grid: Grid) -> NDArray[Any] | None:
    """Values of chips, (..., rows, columns), at the image's pixels, (..., H, W)."""
    if of_chips is None:
        return None
    rows = np.clip((np.arange(grid.height) - grid.top) // grid.edge, 0, grid.rows - 1)
    columns = np.clip((np.arange(grid.width) - grid.left) // grid.edge, 0, grid.columns - 1)
    return of_chips[..., rows[:, None], columns]
