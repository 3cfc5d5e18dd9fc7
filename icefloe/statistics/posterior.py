"""What few images say of a mean change: the posterior of two versions' mean difference in a score.

With y_i the difference on image i, challenger minus champion, both judged by members not trained on it,

    y_i ~ Normal(m + b, v),     v ~ scaled-inverse-chi-squared(spread.weight, spread.scale^2),
    m ~ Normal(centre, t),      t ~ scaled-inverse-chi-squared(weight, scale^2),
    b ~ Normal(bias, judge^2),

m the mean change of the whole versions, and b how far the judges, a part of the members trained on a part of
the labels, are from them. So m has Student's t distribution before an image is seen, with tails that yield to
what is seen; v is what carries two images, whose own scatter says next to nothing (with a flat prior of both,
this would be the t test, which two images leave without power). v and t are integrated over numerically.
Gelman et al. (Bayesian Data Analysis, 3rd ed.), 3.3 and 5.4.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import scipy  # loads its parts when they are used
from numpy.typing import ArrayLike, NDArray

from icefloe.statistics.predictive import SpreadPrior

Array = NDArray[np.float64]

_GRID_POINTS = 64
_REACH = 1e4
"""Of the grid of variances, above and below what prior and images say."""

_NEGLIGIBLE = 1e-8
"""Weight beside the largest."""


@dataclass(frozen=True)
class ChangePrior:
    """What is known of a change before its images are looked at.

    Attributes
    ----------
    centre, scale, weight
        The mean change has Student's t distribution with `weight` degrees of freedom, about `centre`.
    spread
        Of the images' differences about their mean.
    bias, judge
        Mean and standard deviation of how far the judges are from the whole versions.
    """

    centre: float
    scale: float
    weight: float
    spread: SpreadPrior
    bias: float = 0.0
    judge: float = 0.0

    def judged_by_part(self, share: float) -> "ChangePrior":
        """Of a mean over images of which only a share, in [0, 1], has such judges, the others the whole."""
        return replace(self, bias=share * self.bias, judge=share * self.judge)

    def learned(self, variances: Iterable[tuple[float, float]]) -> "ChangePrior":
        """With the typical spread that earlier comparisons had, beside the stated one.

        Parameters
        ----------
        variances
            Variance of the images' differences of each comparison, and its degrees of freedom, >= 0.

        Returns
        -------
        ChangePrior
            How much one comparison's spread differs from the next, `spread.weight`, stays.
        """
        # The logarithm of a variance with d degrees of freedom scatters by about 2 / d; the stated scale
        # counts as one comparison of many images.
        weight = self.spread.weight
        logs, precisions = [np.log(self.spread.scale**2)], [weight / 2]
        for variance, freedom in variances:
            if freedom > 0 and variance > 0:
                logs.append(np.log(variance))
                precisions.append(1 / (2 / weight + 2 / freedom))
        scale = float(np.exp(np.average(logs, weights=precisions) / 2))
        return replace(self, spread=replace(self.spread, scale=scale))


class ChangePosterior:
    """Distribution of a mean change, given the differences on a few images.

    Parameters
    ----------
    differences : float64, shape (n,)
        New minus old, of n >= 1 images.
    prior
        What was known before.
    n_effective
        How many independent images they are worth; None: all of them.
    """

    def __init__(self, differences: ArrayLike, prior: ChangePrior, n_effective: float | None = None) -> None:
        y = np.asarray(differences, dtype=np.float64)
        n, worth = len(y), n_effective or len(y)
        squares = float(((y - y.mean()) ** 2).sum())
        v = _grid(prior.spread.scale**2, squares / max(n - 1, 1))[:, None]
        t = _grid(prior.scale**2, float(y.mean() - prior.centre - prior.bias) ** 2)[None]
        error = v / worth + prior.judge**2
        seen = y.mean() - prior.bias
        log = (
            _log_inverse_chi_squared(v, prior.spread.scale**2, prior.spread.weight)
            + _log_inverse_chi_squared(t, prior.scale**2, prior.weight)
            - 0.5 * ((n - 1) * np.log(v) + squares / v)
            - 0.5 * (np.log(t + error) + (seen - prior.centre) ** 2 / (t + error))
        )
        weights = np.exp(log - log.max())
        counted = weights > _NEGLIGIBLE  # most of the grid is not, and would take most of the time
        self._weights: Array = weights[counted] / weights[counted].sum()
        variance = 1 / (1 / t + 1 / error)
        self._centres: Array = (variance * (prior.centre / t + seen / error))[counted]
        self._deviations: Array = np.sqrt(variance)[counted]

    @property
    def mean(self) -> float:
        """Expected change."""
        return float(self._weights @ self._centres)

    def above(self, change: float) -> float:
        """Probability that the mean change is above `change`."""
        z = (self._centres - change) / self._deviations
        return float(self._weights @ scipy.special.ndtr(z))

    def interval(self, probability: float) -> tuple[float, float]:
        """The interval that holds the change with a probability, the rest being equal on both sides."""
        far = 40 * float(self._deviations.max())
        low, high = float(self._centres.min()) - far, float(self._centres.max()) + far
        tail = (1 - probability) / 2

        def quantile(q: float) -> float:
            return float(scipy.optimize.brentq(lambda x: self.above(x) - (1 - q), low, high, xtol=1e-9))

        return quantile(tail), quantile(1 - tail)


def _grid(stated: float, seen: float) -> Array:
    """Variances, in geometric steps."""
    return np.geomspace(stated / _REACH, max(stated, seen) * _REACH, _GRID_POINTS)


def _log_inverse_chi_squared(variance: Array, scale_squared: float, weight: float) -> Array:
    """Up to a constant, of the variance's logarithm, in which the grid is even."""
    return np.asarray(-0.5 * weight * (np.log(variance) + scale_squared / variance))
