"""The study's tables, row by row: split, ranking, abstention."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from icefloe.scoring.conformal import hierarchical_quantile
from icefloe.scoring.selective import RiskCoverage, risk_coverage
from icefloe.statistics.interval import Interval
from studies.uncertainty.coverage import share_over_experiments
from studies.uncertainty.measure import DOUBTS, Measured

IMAGE_SCORES = {
    "uq_mean": "std (UQ)",
    "uq_boundary": "std per boundary",
    "uq_foreground": "std per foreground",
    "entropy": "entropy",
    "mutual_information": "mutual information",
    "aleatoric_boundary": "aleatoric per boundary",
    "epistemic_boundary": "epistemic per boundary",
    "doubt": "doubt",
}
"""Score of an image -> its name in tables."""

PIXEL_SCORES = ("doubt", "1 - max p", "entropy", "aleatoric entropy", "mutual information", "std (UQ)")


@dataclass(frozen=True)
class SplitRow:
    """Uncertainty of a group of experiments, mean over images, entropies in thousandths of a nat.

    Attributes
    ----------
    epistemic_share
        Of the total.
    aleatoric_boundary, epistemic_boundary
        Per length of boundary; see `prediction.SCORES`.
    error
        Mean share of wrong pixels.
    """

    where: str
    n_images: int
    total: float
    aleatoric: float
    epistemic: float
    epistemic_share: float
    aleatoric_boundary: float
    epistemic_boundary: float
    error: float

    @classmethod
    def of(cls, where: str, experiments: Sequence[Measured]) -> "SplitRow":
        """Mean over all frames of some experiments."""
        mean = {
            name: 1e3 * float(_column(experiments, name).mean())
            for name in (
                *("entropy", "aleatoric_entropy", "mutual_information"),
                *("aleatoric_boundary", "epistemic_boundary"),
            )
        }
        return cls(
            where=where,
            n_images=sum(len(e.frames) for e in experiments),
            total=mean["entropy"],
            aleatoric=mean["aleatoric_entropy"],
            epistemic=mean["mutual_information"],
            epistemic_share=mean["mutual_information"] / max(mean["entropy"], 1e-9),
            aleatoric_boundary=mean["aleatoric_boundary"],
            epistemic_boundary=mean["epistemic_boundary"],
            error=float(_column(experiments, "error").mean()),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain types, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class RankingRow:
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

    where: str
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
    def of(cls, where: str, unit: str, curves: Mapping[str, RiskCoverage]) -> "RankingRow":
        """Of each score's curve, all of the same items."""
        first = next(iter(curves.values()))
        return cls(
            where=where,
            unit=unit,
            n=len(first.risk),
            random=first.random,
            oracle=first.aurc - first.excess,
            aurc={name: curve.aurc for name, curve in curves.items()},
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain types, for JSON."""
        gains = {name: None if np.isnan(self.gain(name)) else self.gain(name) for name in self.aurc}
        return asdict(self) | {"gain": gains}


def pixel_curves(experiments: Sequence[Measured]) -> dict[str, RiskCoverage]:
    """Score -> curve of the pixels drawn from some experiments."""
    pixels = {
        name: np.concatenate([f.pixels[name] for e in experiments for f in e.frames])
        for name in ("wrong", *PIXEL_SCORES)
    }
    return {name: risk_coverage(pixels[name], pixels["wrong"]) for name in PIXEL_SCORES}


def image_curves(experiments: Sequence[Measured]) -> dict[str, RiskCoverage]:
    """Score -> curve of the images of some experiments."""
    loss = 1 - _column(experiments, "dice")
    return {words: risk_coverage(_column(experiments, name), loss) for name, words in IMAGE_SCORES.items()}


@dataclass(frozen=True)
class AbstentionRow:
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

    where: str
    n_experiments: int
    n_images: int
    kept_promise: Interval
    before: float
    abstained: float

    @classmethod
    def of(
        cls,
        where: str,
        calibration: Sequence[Measured],
        experiments: Sequence[Measured],
        max_error: float,
        confidence: float,
    ) -> "AbstentionRow":
        """Calibrate on some experiments, as `fit_guarantees` does, and see how others fare."""
        max_doubt = highest_doubt(calibration, confidence)
        kept = [e.column("safe_doubt") >= max_doubt for e in experiments]
        shares = [np.interp(max_doubt, DOUBTS, f.abstained) for e in experiments for f in e.frames]
        return cls(
            where=where,
            n_experiments=len(experiments),
            n_images=len(shares),
            kept_promise=share_over_experiments(kept),
            before=float((_column(experiments, "error") <= max_error).mean()),
            abstained=float(np.mean(shares)),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain types, for JSON."""
        return asdict(self) | {"kept_promise": self.kept_promise.model_dump()}


def highest_doubt(calibration: Sequence[Measured], confidence: float) -> float:
    """`Guarantees.max_doubt` of experiments, as a number."""
    return -hierarchical_quantile([-e.column("safe_doubt") for e in calibration], confidence)


def _column(experiments: Sequence[Measured], name: str) -> NDArray[np.float64]:
    return np.concatenate([e.column(name) for e in experiments])
