"""Dice of masks before anybody has labelled: an estimate with an interval, or the reason why there is none.

Four things say how far a mask is to be trusted: what the calibrated probabilities expect of it, how much the
members' masks disagree, how far the images are from the benchmark's by the gate's evidence, and how far its
size is beyond those of the benchmark (an ensemble that is sure and wrong takes the surroundings, too). From
these the 5 %, 50 % and 95 % quantiles of the error 1 - Dice are read by quantile regression (Koenker and
Bassett, Econometrica 46, 33, 1978), linear in logarithms, and the interval is widened until it covers
experiments that the regression has not seen (conformalized quantile regression; Romano, Patterson and Candes
2019, with experiments as the unit). The fit is of simulated experiments with known truth. Outside what it has
seen it says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from icefloe.drift.results import EvidenceResult
from icefloe.ensemble.rows import ImageRow, columns
from icefloe.scoring.uncertainty import MINIMUM_FOREGROUND
from icefloe.tables import MISSING, Table

Array = NDArray[np.float64]

EXPECTED_DICE = "expected_dice"
"""Column: Dice as the probabilities expect it (`icefloe.scoring.uncertainty.expected_dice`)."""

LEVEL = 0.9
FLOOR = 0.002
"""Added to errors before their logarithm: masks do not agree closer than this, whoever draws them."""

BEYOND_SIZES = "foreground beyond the benchmark's sizes"

FEATURES = (
    "expected error",
    "disagreement of the members",
    "distance from the benchmark",
    BEYOND_SIZES,
)


class DiceModel(BaseModel):
    """Quantiles of the logarithm of 1 - Dice, linear in the features.

    Attributes
    ----------
    lowest, highest : tuple of float, shape (4,)
        Range of each feature in the experiments it was fitted on.
    quantiles : tuple of tuples of float, shape (3, 5)
        Intercept and coefficients at 5, 50 and 95 %.
    margin : float
        By which the interval is widened at both ends, in units of the logarithm.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    lowest: tuple[float, ...]
    highest: tuple[float, ...]
    quantiles: tuple[tuple[float, ...], ...]
    margin: float

    def estimate(self, features: Sequence[float]) -> DiceEstimate | None:
        """The estimate where the features are in the range of the fit."""
        if outside(self, features) is not None:
            return None
        low, middle, high = sorted(
            intercept + float(np.dot(slopes, features)) for intercept, *slopes in self.quantiles
        )
        bounds = (middle, max(high + self.margin, middle), min(low - self.margin, middle))
        mean, low, high = (float(np.clip(1 + FLOOR - np.exp(bound), 0.0, 1.0)) for bound in bounds)
        return DiceEstimate(mean=mean, low=low, high=high)


class DiceModels(BaseModel):
    """Content of a domain's file: a model of one image's Dice, and one of a dataset's mean.

    Attributes
    ----------
    source : str
        How and on what they were fitted.
    image, dataset : DiceModel
        Of the Dice of an image, and of its mean over a dataset.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    image: DiceModel
    dataset: DiceModel

    @classmethod
    def load(cls, path: Path) -> DiceModels:
        """Read the file once."""
        return _load(path)


class DiceEstimate(BaseModel):
    """Estimate of a Dice, and the ends of its 90 % interval."""

    model_config = ConfigDict(frozen=True)

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.2f} ({self.low:.2f}–{self.high:.2f})"


class PredictedDice(BaseModel):
    """Predicted Dice of a dataset's masks.

    Attributes
    ----------
    dataset : DiceEstimate or None
        Of the mean over images; None where the fit does not reach.
    images : mapping of str to DiceEstimate or None
        By stem, in time order.
    reason : str
        Why there is no number for the dataset; empty if there is one.
    """

    model_config = ConfigDict(frozen=True)

    dataset: DiceEstimate | None
    images: Mapping[str, DiceEstimate | None]
    reason: str = ""

    def sentence(self) -> str:
        """The estimate, or why there is none."""
        if self.dataset is None:
            return f"Dice of its masks is not predicted: {self.reason}."
        poor = [
            stem for stem, found in self.images.items() if found is not None and found.high < self.dataset.low
        ]
        worst = f" Expected to be poorer than that: {', '.join(poor[:3])}." if poor else ""
        unknown = sum(found is None for found in self.images.values())
        left = f" {unknown} of its images are unlike those that this was fitted on." if unknown else ""
        number = f"Predicted Dice of its masks: {self.dataset}, 90 % interval, from simulated experiments."
        return f"{number}{worst}{left}"

    def table(self) -> Table:
        """A row for each image."""
        rows = tuple((stem, MISSING if e is None else str(e)) for stem, e in self.images.items())
        return Table(("image", "predicted Dice (90 % interval)"), rows, (False, True))


def predict_dice(
    models: DiceModels,
    benchmark: Sequence[ImageRow],
    rows: Sequence[ImageRow],
    evidence: Iterable[EvidenceResult],
) -> PredictedDice:
    """Predict the Dice of a dataset's masks.

    Parameters
    ----------
    models : DiceModels
        The fit.
    benchmark : sequence of ImageRow
        The benchmark's images.
    rows : sequence of ImageRow
        The dataset's images with their scores, in time order.
    evidence : iterable of EvidenceResult
        What the gate has compared and decided on; none: it could not judge.
    """
    images = image_features(benchmark, rows, evidence)
    if images is None:
        return PredictedDice(
            dataset=None,
            images={row.stem: None for row in rows},
            reason="the gate compared no evidence of the images",
        )
    usable = images[np.isfinite(images).all(axis=1)]
    found = {row.stem: models.image.estimate(tuple(values)) for row, values in zip(rows, images, strict=True)}
    if len(usable) < len(images) / 2:
        empty = "most of its masks are empty, or the members that could judge them are too few"
        return PredictedDice(dataset=None, images=found, reason=empty)
    features = tuple(usable.mean(axis=0))
    beyond = outside(models.dataset, features)
    if beyond is None:
        return PredictedDice(dataset=models.dataset.estimate(features), images=found)
    side = "above" if features[beyond] > models.dataset.highest[beyond] else "below"
    return PredictedDice(
        dataset=None,
        images=found,
        reason=f"its {FEATURES[beyond]} is {side} what the fit has seen. "
        "Check its masks, or label a few images",
    )


def image_features(
    benchmark: Sequence[ImageRow], rows: Sequence[ImageRow], evidence: Iterable[EvidenceResult]
) -> Array | None:
    """What the models read, shape (n, 4), in the order of `FEATURES`; NaN where a mask is empty.

    None where the gate compared no evidence of the images.
    """
    statistics = [result.statistic for result in evidence if result.decides and not result.of_prediction]
    if not statistics:
        return None
    expected, varied, size = columns(rows, (EXPECTED_DICE, "variation_ratio", "foreground_fraction")).T
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.log(1 - expected + FLOOR)
        disagreement = np.log(varied / np.maximum(size, MINIMUM_FOREGROUND) + FLOOR)
    distance = np.full(len(rows), np.log(np.sqrt(np.mean(np.square(statistics)))))
    known = np.maximum(columns(benchmark, ["foreground_fraction"])[:, 0], MINIMUM_FOREGROUND)
    log_size = np.log(np.maximum(size, MINIMUM_FOREGROUND))
    beyond = np.maximum(0.0, np.maximum(log_size - np.log(known.max()), np.log(known.min()) - log_size))
    return np.where(size[:, None] > 0, np.column_stack([error, disagreement, distance, beyond]), np.nan)


def outside(model: DiceModel, features: Sequence[float]) -> int | None:
    """Position of the feature farthest beyond the range of the fit; None if none is, NaN counts as beyond."""
    low, high, values = (np.asarray(v, dtype=np.float64) for v in (model.lowest, model.highest, features))
    beyond = np.nan_to_num(np.maximum(low - values, values - high), nan=np.inf)
    return int(beyond.argmax()) if beyond.max() > 0 else None


@cache
def _load(path: Path) -> DiceModels:
    return DiceModels.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
