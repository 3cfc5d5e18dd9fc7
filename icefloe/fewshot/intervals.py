"""How far counts would move with other supports and other chips of the same kind: a bootstrap."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from icefloe.fewshot.prototypes import Float64Array
from icefloe.typing import FloatArray

RESAMPLES = 200
_AT_ONCE = 2**18
"""Numbers that are worked on at a time: 2 MB, which a processor's cache holds."""


def resampled_counts(
    vectors: FloatArray | Float64Array,
    supports: Sequence[Float64Array],
    temperature: float,
    max_risk: float,
    n_resamples: int = RESAMPLES,
    seed: int = 0,
) -> NDArray[np.int64]:
    """Counts of each class, and of unsure chips, with supports and chips drawn anew.

    From a set of n supports n - 1 are drawn with replacement, so that the prototype varies as much as the
    mean of n independent supports does (McCarthy and Snowden 1985); n of n would vary too little, by a
    quarter for 4. A set of one stays as it is. As many chips as there are are drawn with replacement. The
    temperature stays.

    Parameters
    ----------
    vectors : shape (N, F)
        All chips'.
    supports : sequence of float64 arrays, shape (n_c, F)
        Distinct vectors of each of C sets.
    temperature
        As fitted.
    max_risk
        A chip is unsure where 1 - its highest probability is more than this.
    n_resamples
        B.
    seed
        Seed of all draws.

    Returns
    -------
    int64, shape (B, C + 1)
        Unsure chips last; each row adds up to N.
    """
    rng = np.random.default_rng(seed)
    n_chips, n_classes = len(vectors), len(supports)
    joint = np.concatenate(supports)
    # Distances don't depend on the origin, and their rounding errors are least at the supports' middle.
    middle = joint.mean(axis=0)
    joint = joint - middle
    weights = np.stack([_weights(supports, rng) for _ in range(n_resamples)])
    norms = np.einsum("bcs,st,bct->cb", weights, joint @ joint.T, weights, optimize=True)
    by_class = np.ascontiguousarray(weights.transpose(1, 2, 0))
    counts = np.zeros((n_resamples, n_classes + 1), np.int64)
    step = max(1, _AT_ONCE // (n_resamples * n_classes))
    for begin in range(0, n_chips, step):
        part = (vectors[begin : begin + step].astype(np.float64) - middle) @ joint.T
        logits = np.empty((n_classes, len(part), n_resamples))
        for one, of_class, norm in zip(logits, by_class, norms, strict=True):
            # Without the chip's own square, which is the same for all classes.
            np.subtract(2 * (part @ of_class), norm, out=one)
            one /= temperature
        _add_counts(counts, logits, max_risk)
    drawn: NDArray[np.int64] = rng.multinomial(n_chips, counts / n_chips)
    return drawn


def count_intervals(
    counts: NDArray[np.int64], resampled: NDArray[np.int64], confidence: float
) -> Float64Array:
    """Percentile intervals of how many chips are of each class, and how many are unsure.

    An unsure chip is of some class, too. So a class's low end is that of its sure chips, as if all unsure
    ones were of other classes, and its high end that of its sure chips and all unsure ones. The count itself
    is never left out.

    Parameters
    ----------
    counts : int64, shape (C + 1,)
        Counts as found.
    resampled : int64, shape (B, C + 1)
        From `resampled_counts`.
    confidence
        Level, in (0, 1).

    Returns
    -------
    float64, shape (C + 1, 2)
        Low and high.
    """
    tail = (1 - confidence) / 2
    at_most = resampled.copy()
    at_most[:, :-1] += resampled[:, -1:]
    low = np.quantile(resampled, tail, axis=0)
    high = np.quantile(at_most, 1 - tail, axis=0)
    return np.stack([np.minimum(low, counts), np.maximum(high, counts)], axis=1)


def _add_counts(counts: NDArray[np.int64], logits: Float64Array, max_risk: float) -> None:
    """Add each resample's counts of chips by class; `logits`, shape (C, n, B), are overwritten.

    The highest of softmax(x) is 1 / sum(exp(x - max(x))).
    """
    n_classes = len(logits)
    highest = logits.max(axis=0)
    outcome = np.full(highest.shape, n_classes, np.uint8)
    for index in reversed(range(n_classes)):  # the first of equals, as argmax has it
        outcome[logits[index] == highest] = index
    logits -= highest
    np.exp(logits, out=logits)
    outcome[1 - 1 / logits.sum(axis=0) > max_risk] = n_classes
    for index in range(n_classes + 1):
        counts[:, index] += np.count_nonzero(outcome == index, axis=0)


def _weights(supports: Sequence[Float64Array], rng: np.random.Generator) -> Float64Array:
    """Share of each support, of all sets together, in each class's prototype; shape (C, S)."""
    sizes = [len(of_set) for of_set in supports]
    weights = np.zeros((len(sizes), sum(sizes)))
    begin = 0
    for index, size in enumerate(sizes):
        drawn = max(size - 1, 1)
        weights[index, begin : begin + size] = rng.multinomial(drawn, np.full(size, 1 / size)) / drawn
        begin += size
    return weights
