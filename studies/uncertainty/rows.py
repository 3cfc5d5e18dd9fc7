"""Rows of the study's tables, from experiments measured."""

from collections.abc import Sequence

import numpy as np

from icefloe.scoring.conformal import hierarchical_quantile
from icefloe.scoring.selective import RiskCoverage, risk_coverage
from icefloe.scoring.uncertainty import MINIMUM_FOREGROUND
from icefloe.statistics.interval import Interval
from icefloe.statistics.repetitions import share_over_repetitions
from studies.kit.study import Record
from studies.uncertainty.design import (
    IMAGE_SCORES,
    IN_USE,
    LEVELS,
    N_DIVISIONS,
    PIXEL_SCORES,
    Float64Array,
    Method,
)
from studies.uncertainty.measure import DOUBTS, MeasuredExperiment

WITHIN = 0.02
"""How far from its level coverage may be to be called right."""

PARTS = ("entropy", "aleatoric_entropy", "mutual_information", "aleatoric_boundary", "epistemic_boundary")
Experiments = Sequence[MeasuredExperiment]


def _pooled(experiments: Experiments, name: str) -> Float64Array:
    """One of the numbers of all frames."""
    return np.concatenate([e.column(name) for e in experiments])


class Coverage(Record):
    """One method, level and number of experiments calibrated on.

    Attributes
    ----------
    coverage
        Share of frames whose true area lies in its interval, mean over random divisions; its ends are the 5 %
        and 95 % quantile over divisions: what a single calibration may give.
    width
        Mean of the intervals' widths, as a share of the image.
    relative_width
        Median of the width over the expected area.
    """

    method: str
    level: float
    n_calibration: int
    coverage: Interval
    width: float
    relative_width: float

    @property
    def off(self) -> float:
        """How far coverage is from its level."""
        return abs(self.coverage.mean - self.level)

    @property
    def is_right(self) -> bool:
        """Whether that is within two points."""
        return self.off <= WITHIN

    @property
    def informative_width(self) -> float | None:
        """The relative one; None where the interval is the whole image, which says nothing."""
        return self.relative_width if self.width < 1 else None


def divide(
    experiments: Experiments,
    method: Method,
    n_calibration: int,
    rng: np.random.Generator,
    n_divisions: int = N_DIVISIONS,
) -> list[Coverage]:
    """Calibrate on some experiments, verify on all others, again and again; a row for each of `LEVELS`.

    Experiments of one kind are exchangeable, so the mean over divisions must come out at the stated level or
    a little above it: what is verified is that the whole chain does what the theory says.
    """
    of_experiments = (
        method.scores(experiments),
        method.scales(experiments),
        [e.column("expected") for e in experiments],
    )
    found: dict[float, list[tuple[float, float, float]]] = {level: [] for level in LEVELS}
    for _ in range(n_divisions):
        order = rng.permutation(len(experiments))
        calibration = [of_experiments[0][k] for k in order[:n_calibration]]
        scores, scales, expected = (
            np.concatenate([values[k] for k in order[n_calibration:]]) for values in of_experiments
        )
        for level, values in found.items():
            quantile = method.quantile(calibration, level)
            width = _widths(expected, scales, quantile)
            relative = np.median(width / np.maximum(expected, MINIMUM_FOREGROUND))
            values.append((float(np.mean(scores <= quantile)), float(width.mean()), float(relative)))

    def row(level: float) -> Coverage:
        covered, width, relative = np.array(found[level]).T
        low, high = np.quantile(covered, (0.05, 0.95))
        return Coverage(
            method=method.name,
            level=level,
            n_calibration=n_calibration,
            coverage=Interval(mean=float(covered.mean()), low=low, high=high, n=n_divisions),
            width=float(width.mean()),
            relative_width=float(relative.mean()),
        )

    return [row(level) for level in LEVELS]


def _widths(expected: Float64Array, scale: Float64Array, quantile: float) -> Float64Array:
    if not np.isfinite(quantile):
        return np.ones_like(expected)
    return np.minimum(expected + quantile * scale, 1) - np.maximum(expected - quantile * scale, 0)


class Verification(Record):
    """Coverage on experiments that took no part in the calibration, at one level.

    Attributes
    ----------
    group, n_experiments, n_images
        Name of the group of experiments, and numbers of experiments and frames in it.
    coverage, width
        Share of frames covered, over experiments; mean width, as a share of the image.
    """

    group: str
    level: float
    n_experiments: int
    n_images: int
    coverage: Interval
    width: float


def verify(group: str, calibration: Experiments, experiments: Experiments, level: float) -> Verification:
    """Calibrate the intervals in use on some experiments, and see how they fare on others of any kind."""
    quantile = hierarchical_quantile(IN_USE.scores(calibration), level)
    scales = np.concatenate(IN_USE.scales(experiments))
    return Verification(
        group=group,
        level=level,
        n_experiments=len(experiments),
        n_images=len(scales),
        coverage=share_over_repetitions([scores <= quantile for scores in IN_USE.scores(experiments)]),
        width=float(np.mean(_widths(_pooled(experiments, "expected"), scales, quantile))),
    )


class Decomposition(Record):
    """Uncertainty of a group of experiments, mean over images, entropies in thousandths of a nat.

    Attributes
    ----------
    entropy, aleatoric_entropy, mutual_information
        The total, its aleatoric and its epistemic part.
    aleatoric_boundary, epistemic_boundary
        Both parts per length of boundary; see `prediction.SCORES`.
    error
        Mean share of wrong pixels.
    """

    group: str
    n_images: int
    entropy: float
    aleatoric_entropy: float
    mutual_information: float
    aleatoric_boundary: float
    epistemic_boundary: float
    error: float

    @property
    def epistemic_share(self) -> float:
        """Of the total."""
        return self.mutual_information / max(self.entropy, 1e-9)

    @classmethod
    def of(cls, group: str, experiments: Experiments) -> "Decomposition":
        """Mean over all frames of some experiments."""
        error = _pooled(experiments, "error")
        parts = {name: 1e3 * float(_pooled(experiments, name).mean()) for name in PARTS}
        return cls(group=group, n_images=len(error), error=float(error.mean()), **parts)


class Ranking(Record):
    """How well scores rank the pixels or images of one group, all on one loss.

    Attributes
    ----------
    unit
        `pixels` (loss: wrong or not) or `images` (loss: 1 - Dice).
    random, oracle
        AURC of a score that knows nothing, and of one that knows the loss.
    aurc
        Score -> area under its risk-coverage curve.
    """

    group: str
    unit: str
    n: int
    random: float
    oracle: float
    aurc: dict[str, float]

    @property
    def best(self) -> str:
        """The score with the least area."""
        return min(self.aurc, key=self.aurc.__getitem__)

    def gain(self, score: str) -> float:
        """Where a score stands between chance (0) and oracle (1)."""
        possible = self.random - self.oracle
        return (self.random - self.aurc[score]) / possible if possible > 0 else np.nan

    @classmethod
    def of(cls, group: str, unit: str, experiments: Experiments) -> "Ranking":
        """Of every score."""
        curves = risk_curves(unit, experiments)
        first = next(iter(curves.values()))
        return cls(
            group=group,
            unit=unit,
            n=len(first.risk),
            random=first.random,
            oracle=first.aurc - first.excess,
            aurc={name: curve.aurc for name, curve in curves.items()},
        )


def risk_curves(unit: str, experiments: Experiments) -> dict[str, RiskCoverage]:
    """Score -> risk-coverage curve of the images of some experiments, or of the pixels drawn from them."""
    if unit == "images":
        loss = 1 - _pooled(experiments, "dice")
        return {
            title: risk_coverage(_pooled(experiments, name), loss) for name, title in IMAGE_SCORES.items()
        }
    frames = [frame for e in experiments for frame in e.frames]
    wrong = np.concatenate([frame.pixels["wrong"] for frame in frames])
    scores = {name: np.concatenate([frame.pixels[name] for frame in frames]) for name in PIXEL_SCORES}
    return {name: risk_coverage(values, wrong) for name, values in scores.items()}


class Abstention(Record):
    """What abstaining does on experiments that the threshold was not calibrated on.

    Attributes
    ----------
    kept_promise
        Share of images in which no more than the tolerated share of pixels is wrong and kept, over
        experiments.
    before
        The same share where nothing is abstained from.
    abstained
        Mean share of pixels abstained from.
    """

    group: str
    n_experiments: int
    n_images: int
    kept_promise: Interval
    before: float
    abstained: float

    @classmethod
    def of(
        cls,
        group: str,
        calibration: Experiments,
        experiments: Experiments,
        max_error: float,
        confidence: float,
    ) -> "Abstention":
        """Calibrate on some experiments, as `fit_guarantees` does, and see how others fare."""
        max_doubt = highest_doubt(calibration, confidence)
        shares = [np.interp(max_doubt, DOUBTS, f.abstained) for e in experiments for f in e.frames]
        return cls(
            group=group,
            n_experiments=len(experiments),
            n_images=len(shares),
            kept_promise=share_over_repetitions([e.column("safe_doubt") >= max_doubt for e in experiments]),
            before=float((_pooled(experiments, "error") <= max_error).mean()),
            abstained=float(np.mean(shares)),
        )


def highest_doubt(calibration: Experiments, confidence: float) -> float:
    """`Guarantees.max_doubt` of experiments, as a number."""
    return -hierarchical_quantile([-e.column("safe_doubt") for e in calibration], confidence)
