"""Which property of the acquisition moved, read off the pattern of all effects together.

A cause of strength s moves the quantities by mu_c(s), known from simulated experiments with that cause alone
(`attribution.yaml`; `studies.gate.fit` makes it). The effects e that the gate measured are then

    e ~ t_nu( mu_c(s),  D R D + diag(tau_c(s)^2) ),

D the gate's own standard deviations, so that few images or a young benchmark make it careful, R the
correlation of quantities between experiments, tau what a cause does differently from one experiment to the
next. The likelihood is averaged over the strengths. Beside the causes stands "several or unknown": effects as
large as causes make them, in no particular pattern. A quantity that was not measured is left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from scipy import stats

Array = NDArray[np.float64]

MODEL_FILE = Path(__file__).with_name("attribution.yaml")
UNKNOWN = "unknown"
GROUPS: Mapping[str, tuple[str, ...]] = {
    "dose or noise": ("dose",),
    "contrast or defocus": ("contrast", "defocus"),
    "magnification": ("magnification",),
    "gain or X-rays": ("gain", "xrays"),
    "shape of the crystals": ("shape",),
}
"""Causes by what a microscopist would look at."""

_FREEDOM = 5.0
_STRENGTHS = np.linspace(0.05, 1.0, 20)
_CLEAR = 0.5


class CauseModel(BaseModel):
    """What one cause does to the quantities.

    Attributes
    ----------
    strengths : shape (S,)
        As of `icefloe.simulate.standard.shifted_spec`.
    effects, scatter : shape (S, Q)
        Mean effect, and its standard deviation between experiments beyond that of experiments without a
        cause; logarithms.
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
    """Content of `attribution.yaml`.

    Attributes
    ----------
    source
        How it was fitted.
    quantities
        Names of the Q quantities, all compared as ratios.
    correlation : shape (Q, Q)
        Between experiments without a cause.
    causes
        By name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    quantities: tuple[str, ...]
    correlation: tuple[tuple[float, ...], ...]
    causes: dict[str, CauseModel]

    @classmethod
    @cache
    def stored(cls) -> "AttributionModel":
        """The one that comes with the package."""
        return cls.model_validate(yaml.safe_load(MODEL_FILE.read_text(encoding="utf-8")))

    def probabilities(self, effects: Mapping[str, tuple[float, float]]) -> dict[str, float]:
        """Probability of every cause and of `UNKNOWN`, all alike beforehand; `effects` as of `attribute`."""
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
    return float(stats.multivariate_t.logpdf(difference, shape=scale, df=_FREEDOM))


@dataclass(frozen=True)
class Attribution:
    """Causes by probability.

    Attributes
    ----------
    probabilities
        Cause, or `UNKNOWN` for several at once or another one: probability; highest first, summing to 1.
    ratios
        Quantity: new / benchmark, for the words.
    """

    probabilities: Mapping[str, float]
    ratios: Mapping[str, float]

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of `dataclasses.asdict`, through JSON."""
        return cls(dict(data["probabilities"]), dict(data["ratios"]))

    @property
    def groups(self) -> dict[str, float]:
        """Probability of each of `GROUPS` and of `UNKNOWN`, highest first."""
        sums = {
            group: sum(self.probabilities.get(cause, 0.0) for cause in causes)
            for group, causes in GROUPS.items()
        }
        sums[UNKNOWN] = self.probabilities.get(UNKNOWN, 0.0)
        return dict(sorted(sums.items(), key=lambda item: -item[1]))

    @property
    def group(self) -> str:
        """The group that is more likely than all else together; `UNKNOWN` where none is."""
        name, probability = next(iter(self.groups.items()))
        return name if probability > _CLEAR else UNKNOWN

    @property
    def cause(self) -> str:
        """The likeliest cause of the group; `UNKNOWN` where that is."""
        causes = GROUPS.get(self.group, (UNKNOWN,))
        return max(causes, key=lambda cause: self.probabilities.get(cause, 0.0))

    def sentence(self) -> str:
        """What moved, for the person at the microscope."""
        if self.group == UNKNOWN:
            named = [name for name in self.groups if name != UNKNOWN][:2]
            return (
                "What moved is not clear: several properties at once, or one that was never simulated; "
                f"look at {named[0]} and {named[1]} first."
            )
        return f"{self._words()} (probability {self.groups[self.group]:.0%})."

    def _words(self) -> str:
        ratio = self.ratios.get
        noise = ratio("noise", 1.0)
        if self.cause == "dose":
            dose = noise**-2
            times = f"about 1/{1 / dose:.2g} of" if dose < 1 else f"about {dose:.2g} times"
            return f"The images are {'noisier' if dose < 1 else 'less noisy'}: {times} the benchmark's dose"
        if self.cause == "contrast":
            return (
                "The phases differ less or otherwise in brightness: contrast across the boundary is "
                f"{ratio('boundary_contrast', 1.0):.2g} times the benchmark's"
            )
        if self.cause == "defocus":
            return (
                f"Edges look different, their sharpness is {ratio('boundary_sharpness', 1.0):.2g} times the "
                "benchmark's: check the focus"
            )
        if self.cause == "magnification":
            return (
                "Noise and edges changed together as with another magnification: compare the pixel sizes "
                f"(by the noise, at equal dose: {1 / noise:.2g} times the benchmark's)"
            )
        if self.cause == "gain":
            return (
                f"Columns or rows differ {ratio('lines', 1.0):.2g} times as much as the benchmark's: check "
                "the gain reference, or the camera is another"
            )
        if self.cause == "xrays":
            return (
                f"Single bright pixels are {ratio('spikes', 1.0):.2g} times as frequent as in the benchmark: "
                "X-rays or hot pixels"
            )
        return (
            f"The crystals' outline is another: elongation {ratio('boundary_elongation', 1.0):.2g} times, "
            f"facets {ratio('boundary_facets', 1.0):.2g} times the benchmark's"
        )

    def to_markdown(self) -> str:
        """The sentence and a table of the causes."""
        rows = ["several or unknown" if name == UNKNOWN else name for name in self.probabilities]
        return "\n".join(
            [
                f"**What moved.** {self.sentence()}",
                "",
                "| cause | " + " | ".join(rows) + " |",
                "|---|" + "---|" * len(rows),
                "| probability | " + " | ".join(f"{p:.0%}" for p in self.probabilities.values()) + " |",
            ]
        )


def attribute(
    effects: Mapping[str, tuple[float, float]], model: AttributionModel | None = None
) -> Attribution:
    """Causes of the effects that the gate measured.

    Parameters
    ----------
    effects
        Quantity: logarithm of the ratio new / benchmark, and its standard deviation between experiments;
        quantities that the model doesn't know are ignored.
    model
        Another than the stored one.
    """
    model = model or AttributionModel.stored()
    known = {name: effect for name, effect in effects.items() if name in model.quantities}
    ranked = sorted(model.probabilities(known).items(), key=lambda item: -item[1])
    return Attribution(dict(ranked), {name: float(np.exp(shift)) for name, (shift, _) in known.items()})
