"""Whether probabilities of chips that are no supports are the shares that are right."""

from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np
from numpy.typing import NDArray

from benchmarks.fewshot.draws import DRAWS, QUICK, SUPPORTS, draws, likely, others, spread
from benchmarks.fewshot.scenes import Scene
from icefloe.fewshot.classifier import Classifier
from icefloe.fewshot.prototypes import Float64Array, distinct, probabilities, prototypes, squared_distances
from icefloe.fewshot.sets import SupportSets
from icefloe.scoring.calibration import CalibrationBins, confidence_bins
from icefloe.tables import Table
from icefloe.typing import FloatArray

PUBLISHED, PLAIN, FITTED = "vectors as they are, T = 1", "T = 1", "T fitted"
"""As published; in the space in which chips are compared; and as Icefloe gives them."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """Of each draw.

    Attributes
    ----------
    bins, balanced
        (Probabilities, supports a class) -> reliability of the highest probability, of every draw; each chip
        counted once, and each class.
    unsure
        Supports a class -> share of unsure chips by the default rule, of every draw.
    sure_right
        Supports a class -> share of the others that is right; NaN where all are unsure.
    """

    bins: dict[tuple[str, int], list[CalibrationBins]]
    balanced: dict[tuple[str, int], list[CalibrationBins]]
    unsure: dict[int, list[float]]
    sure_right: dict[int, list[float]]


def measure_calibration(scene: Scene, embeddings: FloatArray, n_draws: int = DRAWS) -> Calibration:
    """Before and after the temperature is fitted."""
    found = Calibration({}, {}, {}, {})
    for n in SUPPORTS:
        for sets in draws(scene, n, n_draws):
            _measure(scene, embeddings, sets, n, found)
    return found


def _measure(scene: Scene, embeddings: FloatArray, sets: SupportSets, n: int, found: Calibration) -> None:
    rest = others(scene, sets)
    classifier = Classifier.fit(embeddings, sets, scene.grid, QUICK)
    truth = scene.classes[rest].astype(np.uint8)  # every class has a set
    by_kind = {
        PUBLISHED: _as_published(embeddings, sets),
        PLAIN: likely(classifier, embeddings, 1.0),
        FITTED: likely(classifier, embeddings),
    }
    for kind, values in by_kind.items():
        found.bins.setdefault((kind, n), []).append(confidence_bins(truth, values[rest].T))
        found.balanced.setdefault((kind, n), []).append(balanced_bins(truth, values[rest]))
    fitted = by_kind[FITTED][rest]
    is_sure = 1 - fitted.max(axis=1) <= QUICK.max_risk
    right = fitted.argmax(axis=1)[is_sure] == truth[is_sure]
    found.unsure.setdefault(n, []).append(float(np.mean(~is_sure)))
    found.sure_right.setdefault(n, []).append(float(np.mean(right)) if len(right) else float("nan"))


def balanced_bins(truth: NDArray[np.uint8], values: Float64Array) -> CalibrationBins:
    """Sums over chips, those of a class together weighing as much as those of another."""
    parts = []
    for one in np.unique(truth):
        of_class = truth == one
        bins = confidence_bins(truth[of_class], values[of_class].T)
        weight = len(truth) / np.count_nonzero(of_class)
        parts.append(
            CalibrationBins(bins.count * weight, bins.probability_sum * weight, bins.event_sum * weight)
        )
    return reduce(add, parts)


def _as_published(embeddings: FloatArray, sets: SupportSets) -> Float64Array:
    supports = [distinct(embeddings[list(one.chips)]) for one in sets.used]
    return probabilities(squared_distances(embeddings, prototypes(supports)), 1.0)


def calibration_table(found: Calibration) -> Table:
    """ECE of a draw: mean, and the range that holds 95 % of the draws; and what the default rule makes."""
    rows = []
    for n in SUPPORTS:
        sure = [one for one in found.sure_right[n] if not np.isnan(one)]
        rows.append(
            {
                "supports a class": n,
                **{f"ECE, {kind}": _ece(found.bins[kind, n]) for kind in (PUBLISHED, PLAIN, FITTED)},
                **{
                    f"classes alike, {kind}": _ece(found.balanced[kind, n])
                    for kind in (PUBLISHED, PLAIN, FITTED)
                },
                "unsure": spread(found.unsure[n]).text(2),
                "right of those that are sure": spread(sure).text(2) if sure else None,
            }
        )
    return Table.of(rows)


def _ece(of_draws: list[CalibrationBins]) -> str:
    return spread([bins.expected_calibration_error for bins in of_draws]).text(2)


def pooled(found: Calibration, kind: str, n: int) -> CalibrationBins:
    """Of all draws together."""
    return reduce(add, found.bins[kind, n])
