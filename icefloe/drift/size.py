"""Comparison of experiments at equal sizes of the foreground.

As a crystal melts or grows, an ensemble's uncertainty changes: in one experiment several times more than
between experiments. Compared as they come, that trend counts as error, and an experiment seen at other sizes
looks different. So images are compared where the sizes overlap, the trend common to all taken off.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MARGIN = 0.15
"""Largest distance of an image from the benchmark's sizes, in units of the logarithm of the area."""

_RIDGE = 0.02  # sizes that vary less than this cannot show a trend


@dataclass(frozen=True)
class SizedValues:
    """A quantity over an experiment's images.

    Attributes
    ----------
    values : float64, shape (n, L)
        Transformed values of n images.
    log_size : float64, shape (n,)
        Natural logarithm of the predicted foreground's share of the image; NaN where not known.
    """

    values: Array
    log_size: Array


def at_equal_size(
    reference: Sequence[SizedValues], new: SizedValues, min_images: int
) -> tuple[list[Array], Array, bool]:
    """Values as they would be at the reference's mean size.

    The trend is a straight line in the logarithm of the size, one slope for all experiments, fitted to what
    varies within them: each experiment counts the same, and differences between experiments do not enter.

    Parameters
    ----------
    reference : sequence of SizedValues
        The benchmark's K experiments.
    new : SizedValues
        The one compared with them. Its images beyond the reference's sizes by more than `MARGIN` are left
        out, because the trend there is not known.
    min_images : int
        With fewer images of an overlapping size, everything is returned as it is.

    Returns
    -------
    reference : list of float64, shape (n, L)
        Adjusted values of the K experiments.
    new : float64, shape (n, L)
        Adjusted values of the other one.
    bool
        Whether they were adjusted.
    """
    sizes = [experiment.log_size for experiment in reference]
    known = np.concatenate(sizes)
    inside = (new.log_size >= known.min() - MARGIN) & (new.log_size <= known.max() + MARGIN)
    if not np.isfinite(known).all() or np.count_nonzero(inside) < min_images:
        return [experiment.values for experiment in reference], new.values, False
    new = SizedValues(new.values[inside], new.log_size[inside])
    slope = _common_slope([*reference, new])
    middle = float(np.mean([size.mean() for size in sizes]))
    *adjusted, last = (e.values - (e.log_size - middle)[:, None] * slope for e in (*reference, new))
    return adjusted, last, True


def _common_slope(experiments: Sequence[SizedValues]) -> Array:
    """Slope of each coordinate over the logarithm of the size, shape (L,)."""
    products, squares = 0.0, _RIDGE**2
    for experiment in experiments:
        size = experiment.log_size - experiment.log_size.mean()
        products = products + size @ (experiment.values - experiment.values.mean(axis=0)) / len(size)
        squares += float(size @ size) / len(size)
    return np.asarray(products / squares)
