"""What the prediction of Dice reads of an experiment, beside the truth."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from icefloe.drift.benchmark import Benchmark
from icefloe.drift.gate import check
from icefloe.drift.ice import ICE
from icefloe.drift.predicted_dice import PredictedDice, image_features
from icefloe.ensemble.rows import ImageRow, columns, in_time_order
from studies.gate.design import thinned
from studies.gate.measure import TRUE_DICE

Array = NDArray[np.float64]

UNFITTED = replace(ICE, dice_file=None)
"""Melting ice as the gate sees it before there is a fit."""


@dataclass(frozen=True, eq=False)
class KnownDice:
    """Images of one experiment whose mask is not empty.

    Attributes
    ----------
    features : float64, shape (n, 4)
        What the models read.
    dice : float64, shape (n,)
        The truth.
    """

    features: Array
    dice: Array


def known_dice(benchmark: Benchmark, rows: Sequence[ImageRow], n_images: int) -> KnownDice | None:
    """Of an experiment's images, evenly spaced; None where no mask holds anything."""
    chosen = in_time_order(thinned(rows, min(n_images, len(rows))))
    features = image_features(benchmark.rows, chosen, check(benchmark, chosen, domain=UNFITTED).evidence)
    if features is None:
        return None
    dice = columns(chosen, [TRUE_DICE])[:, 0]
    usable = np.isfinite(features).all(axis=1) & np.isfinite(dice)
    return KnownDice(features[usable], dice[usable]) if usable.any() else None


@dataclass(frozen=True, eq=False)
class Judged:
    """A dataset's predicted Dice, and the truth of its images by stem."""

    predicted: PredictedDice
    truth: dict[str, float]


def judge(benchmark: Benchmark, rows: Sequence[ImageRow], n_images: int) -> Judged | None:
    """As the gate reports it, of images evenly spaced; None where it has too few to judge."""
    chosen = thinned(rows, min(n_images, len(rows)))
    predicted = check(benchmark, chosen).predicted
    if predicted is None:
        return None
    return Judged(predicted, {row.stem: row.values[TRUE_DICE] for row in chosen if TRUE_DICE in row.values})
