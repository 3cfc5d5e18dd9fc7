"""Coverage and width of intervals for areas, over random divisions of experiments into two parts.

Calibrated on one part, verified on the other. Experiments of one kind are exchangeable, so the mean over
divisions must come out at the stated level or a little above it: what is verified is that the whole chain
does what the theory says. What a single calibration gives scatters about that mean, and is shown too.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from icefloe.scoring.conformal import hierarchical_quantile
from icefloe.scoring.uncertainty import MINIMUM_FOREGROUND
from icefloe.statistics.interval import Interval
from icefloe.statistics.repetitions import over_seeds
from studies.uncertainty.measure import Measured

Float64Array = NDArray[np.float64]

LEVELS = (0.8, 0.9, 0.95)
N_DIVISIONS = 200
WITHIN = 0.02
"""How far from its level coverage may be to be called right."""


Scores: TypeAlias = Sequence[Float64Array]
"""Of each experiment its frames' scores."""


def by_frame(scores: Scores, level: float) -> float:
    """Quantile that takes frames for independent: split conformal on all of them."""
    return hierarchical_quantile(list(np.concatenate(scores)[:, None]), level)


def normal(scores: Scores, level: float) -> float:
    """That of a normal distribution: no calibration at all."""
    return float(stats.norm.ppf((1 + level) / 2))


@dataclass(frozen=True)
class Method:
    """A way to an interval: centre -+ quantile x scale.

    Attributes
    ----------
    name
        In tables.
    scale
        Attribute or score of `Frame`; empty: every frame's is 1.
    quantile
        Of the scores of some experiments, at a level.
    """

    name: str
    scale: str
    quantile: Callable[[Scores, float], float]

    def scales(self, experiments: Sequence[Measured]) -> list[Float64Array]:
        """Of each experiment its frames' scales."""
        return [e.column(self.scale) if self.scale else np.ones(len(e.frames)) for e in experiments]

    def scores(self, experiments: Sequence[Measured]) -> list[Float64Array]:
        """Of each experiment its frames' |true - expected| / scale."""
        return [
            np.abs(e.column("true") - e.column("expected")) / scale
            for e, scale in zip(experiments, self.scales(experiments), strict=True)
        ]


OURS = Method("conformal, by experiment", "open_share", hierarchical_quantile)
METHODS = (
    OURS,
    Method("conformal, by frame", "open_share", by_frame),
    Method("conformal, scaled by UQ", "uq_mean", hierarchical_quantile),
    Method("conformal, scaled by the members' spread", "member_spread", hierarchical_quantile),
    Method("conformal, not scaled", "", hierarchical_quantile),
    Method("members' spread, taken as normal", "member_spread", normal),
)


def intraclass_correlation(scores: Scores) -> float:
    """Share of the scores' variance that lies between experiments, ICC(1) of a one-way analysis of variance.

    0: frames of one experiment are as good as frames of several; 1: one frame says all of its experiment.

    Parameters
    ----------
    scores
        Of each experiment, all of equally many frames, at least two.
    """
    table = np.stack(list(scores))
    n = table.shape[1]
    between = n * table.mean(axis=1).var(ddof=1)
    within = table.var(axis=1, ddof=1).mean()
    return float((between - within) / (between + (n - 1) * within))


@dataclass(frozen=True)
class CoverageRow:
    """One method, level and number of experiments calibrated on.

    Attributes
    ----------
    coverage
        Share of frames whose true area lies in its interval, mean over divisions.
    lowest, highest
        5 % and 95 % quantile of the coverage over divisions: what a single calibration may give.
    width
        Mean of the intervals' widths, as a share of the image.
    relative_width
        Median of the width over the expected area.
    """

    method: str
    level: float
    n_calibration: int
    coverage: float
    lowest: float
    highest: float
    width: float
    relative_width: float

    @property
    def is_right(self) -> bool:
        """Whether coverage is within two points of its level."""
        return abs(self.coverage - self.level) <= WITHIN

    def to_dict(self) -> dict[str, Any]:
        """Plain types, for JSON."""
        return asdict(self)


def divide(
    experiments: Sequence[Measured],
    method: Method,
    n_calibration: int,
    rng: np.random.Generator,
    levels: Sequence[float] = LEVELS,
    n_divisions: int = N_DIVISIONS,
) -> list[CoverageRow]:
    """Calibrate on some experiments, verify on all others, again and again.

    Parameters
    ----------
    experiments
        N of one kind.
    method
        Of making intervals.
    n_calibration
        Experiments to calibrate on, fewer than N.
    rng
        Of the divisions.
    levels, n_divisions
        Stated coverages, and how often to divide.
    """
    scores, scales = method.scores(experiments), method.scales(experiments)
    expected = [e.column("expected") for e in experiments]
    found: dict[float, list[tuple[float, float, float]]] = {level: [] for level in levels}
    for _ in range(n_divisions):
        order = rng.permutation(len(experiments))
        calibration = [scores[k] for k in order[:n_calibration]]
        of_rest = [
            np.concatenate([values[k] for k in order[n_calibration:]])
            for values in (scores, expected, scales)
        ]
        for level in levels:
            quantile = method.quantile(calibration, level)
            width = _widths(of_rest[1], of_rest[2], quantile)
            relative = width / np.maximum(of_rest[1], MINIMUM_FOREGROUND)
            found[level].append(
                (float(np.mean(of_rest[0] <= quantile)), float(width.mean()), float(np.median(relative)))
            )
    rows = []
    for level, values in found.items():
        coverage, width, relative_width = np.array(values).T
        low, high = np.quantile(coverage, (0.05, 0.95))
        rows.append(
            CoverageRow(
                method.name,
                level,
                n_calibration,
                float(coverage.mean()),
                float(low),
                float(high),
                float(width.mean()),
                float(relative_width.mean()),
            )
        )
    return rows


def share_over_experiments(holds: Sequence[NDArray[np.bool_]]) -> Interval:
    """Mean over experiments of the share of their frames of which something holds; its 95 % t interval.

    The interval is over experiments and lies within [0, 1]; one experiment has none: its frames don't tell
    how another would fare.
    """
    estimate = over_seeds([float(frames.mean()) for frames in holds])
    return (
        estimate.model_copy(update={"low": max(estimate.low, 0.0), "high": min(estimate.high, 1.0)})
        if len(holds) > 1
        else estimate
    )


def _widths(expected: Float64Array, scale: Float64Array, quantile: float) -> Float64Array:
    if not np.isfinite(quantile):
        return np.ones_like(expected)
    return np.minimum(expected + quantile * scale, 1) - np.maximum(expected - quantile * scale, 0)


@dataclass(frozen=True)
class Verification:
    """Coverage on experiments that took no part in the calibration, at one level.

    Attributes
    ----------
    where
        Which experiments.
    n_experiments, n_images
        How many.
    coverage
        Share of frames covered, over experiments.
    width
        Mean width, as a share of the image.
    """

    where: str
    level: float
    n_experiments: int
    n_images: int
    coverage: Interval
    width: float

    def to_dict(self) -> dict[str, Any]:
        """Plain types, for JSON."""
        return asdict(self) | {"coverage": self.coverage.model_dump()}


def verify(
    where: str, calibration: Sequence[Measured], experiments: Sequence[Measured], level: float
) -> Verification:
    """Calibrate our intervals on some experiments, and see how they fare on others of whatever kind."""
    quantile = hierarchical_quantile(OURS.scores(calibration), level)
    covered = [scores <= quantile for scores in OURS.scores(experiments)]
    widths = [
        _widths(e.column("expected"), scale, quantile)
        for e, scale in zip(experiments, OURS.scales(experiments), strict=True)
    ]
    coverage = share_over_experiments(covered)
    return Verification(
        where,
        level,
        len(experiments),
        sum(len(c) for c in covered),
        coverage,
        float(np.mean(np.concatenate(widths))),
    )
