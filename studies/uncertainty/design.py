"""What is compared: ways to an interval for the area, and scores that may rank errors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from icefloe.scoring.conformal import hierarchical_quantile
from studies.uncertainty.measure import MeasuredExperiment

Float64Array = NDArray[np.float64]

LEVELS = (0.8, 0.9, 0.95)
N_DIVISIONS = 200
FEW = (2, 5, 9, 20, 50, 100)
"""Experiments to calibrate on, besides half of all."""

N_SHIFTED = 8
"""Experiments of each cause, at full strength."""

N_EXAMPLES = 4
FRESH = "fresh experiments"
"""What the simulated standard experiments are called."""

UQ = "std (UQ)"
IMAGE_SCORES = {
    "uq_mean": UQ,
    "uq_boundary": "std per boundary",
    "uq_foreground": "std per foreground",
    "entropy": "entropy",
    "mutual_information": "mutual information",
    "aleatoric_boundary": "aleatoric per boundary",
    "epistemic_boundary": "epistemic per boundary",
    "doubt": "doubt",
}
"""Score of an image -> its name in tables."""

PIXEL_SCORES = ("doubt", "1 - max p", "entropy", "aleatoric entropy", "mutual information", UQ)

FrameScores: TypeAlias = Sequence[Float64Array]
"""Of each experiment its frames' scores."""


def by_frame(scores: FrameScores, level: float) -> float:
    """Quantile that takes frames for independent: split conformal on all of them."""
    return hierarchical_quantile(list(np.concatenate(scores)[:, None]), level)


def normal(scores: FrameScores, level: float) -> float:
    """That of a normal distribution: no calibration at all."""
    return float(stats.norm.ppf((1 + level) / 2))


@dataclass(frozen=True)
class Method:
    """A way to an interval: centre -+ quantile x scale.

    Attributes
    ----------
    name
        Name of the method in tables and figures.
    scale
        Name of one of the numbers of `MeasuredFrame`; empty: the scale is 1.
    quantile
        Function from scores of experiments and a level to their quantile.
    """

    name: str
    scale: str
    quantile: Callable[[FrameScores, float], float]

    def scales(self, experiments: Sequence[MeasuredExperiment]) -> list[Float64Array]:
        """Of each experiment its frames' scales."""
        return [e.column(self.scale) if self.scale else np.ones(len(e.frames)) for e in experiments]

    def scores(self, experiments: Sequence[MeasuredExperiment]) -> list[Float64Array]:
        """Of each experiment its frames' |true - expected| / scale."""
        off = [np.abs(e.column("true") - e.column("expected")) for e in experiments]
        return [error / scale for error, scale in zip(off, self.scales(experiments), strict=True)]


IN_USE = Method("conformal, by experiment", "open_share", hierarchical_quantile)
METHODS = (
    IN_USE,
    Method("conformal, by frame", "open_share", by_frame),
    Method("conformal, scaled by UQ", "uq_mean", hierarchical_quantile),
    Method("conformal, scaled by the members' spread", "member_spread", hierarchical_quantile),
    Method("conformal, not scaled", "", hierarchical_quantile),
    Method("members' spread, taken as normal", "member_spread", normal),
)
