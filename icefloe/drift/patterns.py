"""The fitted model of attribution: the effect of each cause on the quantities.

A cause of strength s moves the quantities by mu_c(s), known from simulated experiments with that cause alone.
The effects e that the gate measured are then

    e ~ t_nu( mu_c(s),  D R D + diag(tau_c(s)^2) ),

D the gate's own standard deviations, so that few images or a young benchmark make it careful, R the
correlation of quantities between experiments, tau what a cause does differently from one experiment to the
next. The likelihood is averaged over the strengths. "Several or unknown" is one more cause: effects as
large as causes make them, in no particular pattern. A quantity that was not measured is left out.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import scipy  # loads its parts when they are used, and reading settings uses none
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

Array = NDArray[np.float64]

UNKNOWN = "unknown"
"""Several causes at once, or one that the model does not know."""

_FREEDOM = 5.0
_STRENGTHS = np.linspace(0.05, 1.0, 20)


class CauseModel(BaseModel):
    """Effects of one cause on the quantities.

    Attributes
    ----------
    strengths : tuple of float, shape (S,)
        Strengths of the simulated experiments it was fitted on; 1 is the strongest.
    effects, scatter : tuple of tuples of float, shape (S, Q)
        Mean effect, and its standard deviation between experiments beyond that of experiments without a
        cause; natural logarithms.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    strengths: tuple[float, ...]
    effects: tuple[tuple[float, ...], ...]
    scatter: tuple[tuple[float, ...], ...]

    def at(self, strength: float) -> tuple[Array, Array]:
        """Effects and scatter, (Q,) each, between the strengths; at strength 0 there is neither."""
        known = np.array([0.0, *self.strengths])
        tables = (np.vstack([np.zeros(len(t[0])), t]) for t in (self.effects, self.scatter))
        effect, scatter = (np.array([np.interp(strength, known, c) for c in t.T]) for t in tables)
        return effect, scatter


class AttributionModel(BaseModel):
    """Content of a domain's model file.

    Attributes
    ----------
    source : str
        Date and command of the fit.
    quantities : tuple of str, shape (Q,)
        Names of the quantities, all compared as ratios.
    correlation : tuple of tuples of float, shape (Q, Q)
        Between experiments without a cause.
    causes : dict of str to CauseModel
        Fitted model of each cause, by the cause's name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    quantities: tuple[str, ...]
    correlation: tuple[tuple[float, ...], ...]
    causes: dict[str, CauseModel]

    @classmethod
    @cache
    def load(cls, path: Path) -> "AttributionModel":
        """Read a model file; each file is read once."""
        return cls.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))

    def probabilities(self, effects: Mapping[str, tuple[float, float]]) -> dict[str, float]:
        """Probability of every cause and of `UNKNOWN`; all have the same prior probability.

        Parameters
        ----------
        effects : mapping of str to (float, float)
            Quantity: logarithm of the ratio new / benchmark, and its standard deviation between experiments.
        """
        use = [i for i, name in enumerate(self.quantities) if name in effects]
        e, sd = np.array([effects[self.quantities[i]] for i in use]).T
        common = np.array(self.correlation)[np.ix_(use, use)] * np.outer(sd, sd)
        weights = {}
        for cause, model in self.causes.items():
            curve = [tuple(a[use] for a in model.at(strength)) for strength in _STRENGTHS]
            logs = [_log_density(e - effect, common + np.diag(scatter**2)) for effect, scatter in curve]
            weights[cause] = float(np.logaddexp.reduce(logs)) - np.log(len(logs))
        size2 = np.mean([np.square(m.effects).mean(axis=0) for m in self.causes.values()], axis=0)[use]
        weights[UNKNOWN] = _log_density(e, common + np.diag(size2))
        total = float(np.logaddexp.reduce(list(weights.values())))
        return {cause: float(np.exp(w - total)) for cause, w in weights.items()}


def _log_density(difference: Array, scale: Array) -> float:
    return float(scipy.stats.multivariate_t.logpdf(difference, shape=scale, df=_FREEDOM))
