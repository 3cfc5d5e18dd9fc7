"""Predictive test: could the mean of a new experiment be that of another experiment of the same kind?

Frames of one experiment resemble each other far more than frames of two experiments, so comparing frames with
frames (a rank or permutation test over images) raises far more alarms than it states (docs/gate.md). Here
the unit is the experiment. With y_k the mean of a quantity in experiment k,

    y_k ~ Normal(mu, v + s_k^2),      v ~ scaled-inverse-chi-squared(weight, scale^2),      mu flat,

v the variance between experiments, s_k^2 the squared error of the mean that the correlated frames leave. A
new experiment is judged by its posterior-predictive p-value, integrated over v numerically. Where s_k = 0
this is the normal-inverse-chi-squared model of Gelman et al. (Bayesian Data Analysis, 3rd ed., 3.3) and the
test is a t test with `weight + K - 1` degrees of freedom; with `weight` = 0 it would be the classical one,
which K = 2 experiments leave without power and K = 1 without meaning. The prior is what carries those; each
further experiment weighs against it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy  # loads its parts when they are used, and reading settings uses none
from numpy.typing import ArrayLike, NDArray

from icefloe.statistics.autocorrelation import lag_one_correlation

Alternative = Literal["greater", "two-sided"]
Array = NDArray[np.float64]

_GRID_POINTS = 192


@dataclass(frozen=True)
class SpreadPrior:
    """Prior of the variation between experiments of one kind.

    Attributes
    ----------
    scale : float
        Typical standard deviation between experiments, > 0.
    weight : float
        Number of experiments that the prior counts as, > 0: its degrees of freedom.
    dimensions : float
        Number of coordinates that vary independently, >= 1, for a quantity with several. `scale` is then the
        root of the variances' sum over coordinates.
    """

    scale: float
    weight: float
    dimensions: float = 1.0


@dataclass(frozen=True)
class ExperimentMean:
    """Mean of a quantity over an experiment's images.

    Attributes
    ----------
    mean : float64, shape (L,)
        L = 1 for a single number.
    squared_error : float
        Variance of the mean, summed over coordinates.
    n_images, n_effective : int, float
        Images, and how many independent ones they are worth.
    """

    mean: Array
    squared_error: float
    n_images: int
    n_effective: float


@dataclass(frozen=True)
class PredictiveTest:
    """The new experiment against the predictive distribution.

    Attributes
    ----------
    statistic : float
        Distance from the reference mean in predictive standard deviations (signed when L = 1).
    p_value : float
        Probability that another experiment of the reference's kind lies this far out.
    effect, low, high : float
        New experiment minus reference mean with its 95 % interval; for L > 1 the length of the difference, no
        interval below zero.
    critical : float
        The effect at which `p_value` equals the level asked for; two-sided, the upper one.
    """

    statistic: float
    p_value: float
    effect: float
    low: float
    high: float
    critical: float


def experiment_means(series: Sequence[ArrayLike]) -> list[ExperimentMean]:
    """Means of several experiments' images, with errors that allow for the correlation of neighbours in time.

    Frames are taken as a first-order autoregression, n / n_eff = 1 + 2 sum_j (1 - j / n) r^j, with the
    lag-one correlation r and the variance within experiments pooled over all experiments given: ten frames
    are too few to estimate their own (`lag_one_correlation`). r is limited to 1 - 2 / n: slower variation
    than the series lasts is variation between experiments.

    Parameters
    ----------
    series : sequence of arrays, shape (n_k,) or (n_k, L)
        Per-image values in time order, one array per experiment; n_k >= 1.

    Returns
    -------
    list of ExperimentMean
        Mean and squared error of each experiment, in the order given.
    """
    values = [_columns(images) for images in series]
    residuals = [v - v.mean(axis=0) for v in values]
    total = sum(float((r**2).sum()) for r in residuals)
    freedom = sum(len(r) - 1 for r in residuals)
    variance = total / freedom if freedom else 0.0
    typical = sum(len(r) for r in residuals) / len(residuals)
    r = lag_one_correlation(residuals, by_pairs=True, highest=max(1 - 2 / typical, 0.0)) if freedom else 0.0
    means = []
    for v in values:
        n = len(v)
        lags = np.arange(1, n)
        n_effective = n / (1 + 2 * float(((1 - lags / n) * r**lags).sum()))
        # Correlated residuals understate the variance they scatter with: E[sum of squares] = n - n / n_eff.
        inflation = (n - 1) / (n - n / n_effective) if n > 1 else 1.0
        means.append(ExperimentMean(v.mean(axis=0), variance * inflation / n_effective, n, n_effective))
    return means


def course_means(series: Sequence[ArrayLike]) -> list[ExperimentMean]:
    """Means of several experiments whose images follow a course, such as that of melting, with their errors.

    What changes smoothly from image to image is no error of the mean: another experiment of the same kind
    takes nearly the same course, and by how much the means of whole courses differ is what the prior of the
    spread says. Counted as correlated error, as by `experiment_means`, it would be counted twice. So the
    error is what the scatter between neighbours leaves, by their mean squared difference (J. von Neumann,
    Ann. Math. Stat. 12, 367, 1941), pooled over experiments; images far apart in time differ by the course,
    too, which widens the error of short series.

    Parameters
    ----------
    series : sequence of arrays, shape (n_k,) or (n_k, L)
        Per-image values in time order, one array per experiment; n_k >= 1.

    Returns
    -------
    list of ExperimentMean
        Mean and squared error of each experiment, in the order given.
    """
    values = [_columns(images) for images in series]
    squares = sum(float((np.diff(v, axis=0) ** 2).sum()) for v in values)
    pairs = sum(len(v) - 1 for v in values)
    variance = squares / (2 * pairs) if pairs else 0.0
    return [ExperimentMean(v.mean(axis=0), variance / len(v), len(v), float(len(v))) for v in values]


def _columns(images: ArrayLike) -> Array:
    """Per-image values as (n, L)."""
    values = np.asarray(images, dtype=np.float64)
    return values.reshape(len(values), -1)


class Predictive:
    """Predictive distribution of a new experiment's mean, given the reference experiments and the prior.

    Parameters
    ----------
    reference : float64, shape (K, L)
        Means of K >= 1 reference experiments.
    squared_errors : float64, shape (K,)
        Squared standard error of each mean, summed over its L coordinates.
    prior : SpreadPrior
        Prior of the variation between experiments.
    """

    def __init__(self, reference: ArrayLike, squared_errors: ArrayLike, prior: SpreadPrior) -> None:
        y = np.asarray(reference, dtype=np.float64)
        y = y.reshape(len(y), -1)
        errors = np.asarray(squared_errors, dtype=np.float64)
        d, scale2 = prior.dimensions, prior.scale**2
        observed = float(((y - y.mean(axis=0)) ** 2).sum()) / max(len(y) - 1, 1)
        v = np.geomspace(scale2 * 1e-4, max(scale2, observed) * 1e4, _GRID_POINTS)
        variance = v[:, None] + errors  # (G, K)
        precision = 1 / variance
        total = precision.sum(axis=1)
        centre = (precision @ y) / total[:, None]  # (G, L)
        scatter = (precision * ((y[None] - centre[:, None]) ** 2).sum(axis=2)).sum(axis=1)
        # The prior counts independent coordinates as the data do: `weight` experiments of `d` coordinates
        # each.
        log_prior = -0.5 * d * prior.weight * (np.log(v) + scale2 / v)
        log_likelihood = -0.5 * d * (np.log(variance).sum(axis=1) + np.log(total) + scatter)
        log_posterior = log_prior + log_likelihood
        weights = np.exp(log_posterior - log_posterior.max())
        self._weights = weights / weights.sum()
        self._centre, self._centre_variance, self._between = centre, 1 / total, v
        self._dimensions = d
        self.mean: Array = self._weights @ centre

    def _squared_sd(self, squared_error: ArrayLike, *, between: bool = True) -> Array:
        error = np.asarray(squared_error, dtype=np.float64)[..., None]
        return np.asarray(error + self._centre_variance + (self._between if between else 0.0))

    def p_value(
        self, mean: ArrayLike, squared_error: ArrayLike, alternative: Alternative = "two-sided"
    ) -> Array:
        """Posterior-predictive p-values of new experiments.

        Parameters
        ----------
        mean : float64, shape (..., L)
            Means of new experiments.
        squared_error : float64, shape (...)
            Squared standard error of each mean, summed over its L coordinates.
        alternative : "greater" or "two-sided"
            "greater" needs L = 1.

        Returns
        -------
        float64, shape (...)
            p-value of each new experiment, in [0, 1].
        """
        difference = np.asarray(mean, dtype=np.float64)[..., None, :] - self._centre  # (..., G, L)
        variance = self._squared_sd(squared_error)
        if alternative == "greater":
            tail = scipy.stats.norm.sf(difference[..., 0] / np.sqrt(variance))
        else:
            d = self._dimensions
            tail = scipy.stats.chi2.sf(d * (difference**2).sum(axis=-1) / variance, d)
        return np.asarray(tail @ self._weights)

    def sd(self, squared_error: float) -> float:
        """Standard deviation of a new experiment's mean; for L > 1 over all coordinates."""
        return float(np.sqrt(self._weights @ self._squared_sd(squared_error)))

    def test(self, new: ExperimentMean, alternative: Alternative, level: float) -> PredictiveTest:
        """Judge one new experiment; `level` is the false-alarm probability that `critical` belongs to."""
        difference = new.mean - self.mean
        scalar = len(difference) == 1
        length = float(difference[0]) if scalar else float(np.sqrt((difference**2).sum()))
        direction = np.ones(1) if scalar or length == 0 else difference / length
        sd = self.sd(new.squared_error)

        def excess(effect: float) -> float:
            p = self.p_value(self.mean + effect * direction, new.squared_error, alternative)
            return float(p) - level

        def below(bound: float, probability: float) -> float:
            # Given v, the true difference is normal around the observed one.
            centres = (new.mean - self._centre) @ direction
            error = np.sqrt(
                self._squared_sd(new.squared_error, between=False) / (1 if scalar else self._dimensions)
            )
            return float(scipy.stats.norm.cdf((bound - centres) / error) @ self._weights) - probability

        far = abs(length) + 1e3 * sd
        low, high = (float(scipy.optimize.brentq(below, -far, far, args=(q,))) for q in (0.025, 0.975))
        return PredictiveTest(
            statistic=length / sd,
            p_value=float(self.p_value(new.mean, new.squared_error, alternative)),
            effect=length,
            low=low if scalar else max(low, 0.0),
            high=high,
            critical=float(scipy.optimize.brentq(excess, 0.0, far)),
        )
