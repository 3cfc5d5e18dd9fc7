"""Guarantees of an ensemble on new images: intervals for areas, and where it abstains.

Both rest on `conformal.hierarchical_quantile` over experiments that no member was trained on, and hold for
new experiments of the same kind, on average over them. They are plain numbers in `ensemble.yaml`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from icefloe.ensemble.prediction import Prediction
from icefloe.ensemble.samples import LabelledSample
from icefloe.errors import IcefloeError
from icefloe.scoring.conformal import (
    area_interval,
    area_scores,
    class_areas,
    experiments_needed,
    hierarchical_quantile,
    highest_safe_doubt,
)
from icefloe.typing import IGNORE

if TYPE_CHECKING:
    from icefloe.ensemble.ensemble import Ensemble

LEVELS = (0.5, 0.68, 0.8, 0.9, 0.95, 0.99)
"""Coverage that intervals are stored for."""

LEVEL = 0.9
"""Coverage where none is asked for."""

MAX_ERROR = 0.005
"""Share of an image's pixels that may be wrong without a warning."""

Origin = Literal["simulated", "new", "trained on"]
"""Of an experiment calibrated on; `trained on`: held-out frames of one whose other frames moved weights."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CalibrationExperiment(_Record):
    """One experiment that was calibrated on, and how many of its frames."""

    name: str
    origin: Origin
    n_images: int


class AreaQuantile(_Record):
    """Half an interval's width in units of the area's uncertainty; None if `level` cannot be promised."""

    level: float
    quantile: float | None


class AreaInterval(_Record):
    """The share of an image that a class covers: expected, and within which limits, all in [0, 1]."""

    name: str
    level: float
    expected: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.name} {self.expected:.1%} [{self.low:.1%}, {self.high:.1%}]"


class Guarantees(_Record):
    """Guarantees for a random frame of a new experiment.

    Attributes
    ----------
    experiments
        Names of the experiments that the promises were calibrated on.
    areas
        Class name -> quantiles at `LEVELS`, in the order of the mask's values; each class for itself.
    max_error, confidence
        With probability `confidence` no more than a share `max_error` of an image's pixels is wrong and not
        abstained from.
    max_doubt
        Pixels whose `Prediction.doubt` reaches it are abstained from. None: no pixel need be; 0: all are, as
        nothing can be promised of fewer.
    """

    experiments: tuple[CalibrationExperiment, ...] = Field(min_length=1)
    areas: dict[str, tuple[AreaQuantile, ...]]
    max_error: float
    confidence: float
    max_doubt: float | None

    def area_intervals(self, prediction: Prediction, level: float = LEVEL) -> tuple[AreaInterval, ...]:
        """Of each class but the background; [0, 1] if the level cannot be promised.

        Raises
        ------
        IcefloeError
            If there is no quantile of this level.
        """
        intervals = []
        for name, expected, uncertainty in zip(self.areas, *class_areas(prediction.mean), strict=True):
            low, high = area_interval(expected, uncertainty, self.quantile(name, level))
            intervals.append(AreaInterval(name=name, level=level, expected=expected, low=low, high=high))
        return tuple(intervals)

    def quantile(self, name: str, level: float) -> float:
        """Half the width of a class's interval in units of its uncertainty; errors as in `area_intervals`."""
        for stored in self.areas[name]:
            if np.isclose(stored.level, level):
                return np.inf if stored.quantile is None else stored.quantile
        levels = ", ".join(f"{stored.level:g}" for stored in self.areas[name])
        raise IcefloeError(f"Level {level:g}: intervals were calibrated for {levels}. Choose one of them.")

    def abstained(self, prediction: Prediction) -> NDArray[np.bool_]:
        """Pixels where the ensemble abstains, bool of shape (H, W)."""
        return prediction.doubt >= (np.inf if self.max_doubt is None else self.max_doubt)

    def sentences(self, level: float = LEVEL) -> list[str]:
        """What is promised and what is not, in sentences."""
        origins = [experiment.origin for experiment in self.experiments]
        kinds = {
            "simulated": "simulated",
            "new": "labelled, never trained on",
            "trained on": "held-out frames of experiments trained on",
        }
        counts = [f"{origins.count(origin)} {kind}" for origin, kind in kinds.items() if origin in origins]
        lines = [
            f"Calibrated on {len(origins)} experiments ({', '.join(counts)}). What follows holds on average "
            "over new experiments of these kinds: not for a single experiment, and not for another kind."
        ]
        if np.isfinite([self.quantile(name, level) for name in self.areas]).all():
            lines.append(
                f"With at least {level:.0%} probability the true area lies in the interval given for it."
            )
        else:
            lines.append(
                f"A {level:.0%} interval needs at least {experiments_needed(level)} experiments; "
                "with fewer it is 0 to 1 and says nothing."
            )
        if self.max_doubt == 0:
            lines.append("Every pixel is abstained from: nothing can be promised for a smaller share.")
        else:
            lines.append(
                f"With at least {self.confidence:.0%} probability no more than {self.max_error:.1%} of an "
                "image's pixels are wrong and not abstained from."
            )
        if "trained on" in origins:
            lines.append(
                "Frames of experiments trained on are easier than those of new ones: "
                "with them in the calibration, intervals may be too narrow."
            )
        return lines


@dataclass(frozen=True)
class ExperimentSamples:
    """Images of one experiment that is calibrated on."""

    name: str
    origin: Origin
    samples: Sequence[LabelledSample]


@dataclass(frozen=True)
class ExperimentScores:
    """Scores of one experiment's frames that a calibration needs.

    Attributes
    ----------
    experiment
        Name of the experiment.
    areas : float64, shape (n, C - 1)
        `conformal.area_scores` of each frame.
    safe_doubts : float64, shape (n,)
        `conformal.highest_safe_doubt` of each frame.
    """

    experiment: CalibrationExperiment
    areas: NDArray[np.float64]
    safe_doubts: NDArray[np.float64]


def score_experiment(
    ensemble: "Ensemble",
    experiment: ExperimentSamples,
    max_error: float = MAX_ERROR,
) -> ExperimentScores:
    """Predict an experiment's images and keep what a calibration needs.

    Raises
    ------
    IcefloeError
        If an image cannot be used, or its mask does not fit it; the message names the sample.
    """
    areas, safe_doubts = [], []
    for sample, prediction in ensemble.predict(experiment.samples):
        mask = sample.reference()
        try:
            areas.append(area_scores(mask, prediction.mean))
        except IcefloeError as error:
            raise IcefloeError(f"{sample.key}: {error}") from error
        counted = mask != IGNORE
        wrong = prediction.mask[counted] != mask[counted]
        safe_doubts.append(highest_safe_doubt(prediction.doubt[counted], wrong, max_error))
    return ExperimentScores(
        CalibrationExperiment(name=experiment.name, origin=experiment.origin, n_images=len(areas)),
        np.array(areas),
        np.array(safe_doubts),
    )


def fit_guarantees(
    scores: Sequence[ExperimentScores],
    classes: Sequence[str],
    max_error: float = MAX_ERROR,
    confidence: float = LEVEL,
) -> Guarantees:
    """Quantiles over experiments.

    Parameters
    ----------
    scores
        One an experiment, taken with this `max_error`.
    classes
        Class names by mask value, background first.
    max_error, confidence
        Error share and its level, as in `Guarantees`.

    Raises
    ------
    IcefloeError
        If there is no experiment.
    """
    if not scores:
        raise IcefloeError(
            "There is no experiment to calibrate on. Name datasets with labels, or simulate some."
        )
    areas = {
        name: tuple(
            AreaQuantile(
                level=level, quantile=_finite(hierarchical_quantile([s.areas[:, c] for s in scores], level))
            )
            for level in LEVELS
        )
        for c, name in enumerate(classes[1:])
    }
    safe = -hierarchical_quantile([-s.safe_doubts for s in scores], confidence)
    return Guarantees(
        experiments=tuple(s.experiment for s in scores),
        areas=areas,
        max_error=max_error,
        confidence=confidence,
        max_doubt=0.0 if safe == -np.inf else _finite(safe),
    )


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
