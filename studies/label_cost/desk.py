"""Where one arrival's versions are judged, and its images predicted to be chosen from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from icefloe.datasets.dataset import Sample
from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.predictions import PredictionSet, Row
from icefloe.scoring.baselines import BASELINES
from icefloe.scoring.metrics import PixelScores, confusion_matrix, scores_from_confusion
from icefloe.typing import MaskArray
from studies.label_cost.arrivals import HoldOut
from studies.label_cost.labour import correction_minutes
from studies.label_cost.trial import Native, Trial
from studies.label_cost.versions import Recipe, Versions


@dataclass(frozen=True)
class Drawn:
    """What a version says of the pool: scores and features, and minutes by key to correct its masks."""

    predictions: PredictionSet
    minutes: Mapping[str, float]


@dataclass
class Desk:
    """One arrival with the versions of one seed; each version is asked once.

    Attributes
    ----------
    trial
        The arrival.
    versions
        Those trained with one seed.
    """

    trial: Trial
    versions: Versions
    _scores: dict[Recipe, PixelScores] = field(default_factory=dict, init=False)
    _drawn: dict[Recipe, Drawn] = field(default_factory=dict, init=False)

    @property
    def sides(self) -> HoldOut:
        """Pool and test images."""
        return self.trial.sides[self.versions.seed]

    def recipe(self, labelled: Sequence[Sample]) -> Recipe:
        """Of the version with those labels."""
        return Recipe.of(self.trial.arrival.standard, labelled)

    @property
    def ceiling(self) -> Recipe:
        """Of the version with every label of the pool."""
        return self.recipe(self.sides.pool)

    def scores(self, recipe: Recipe) -> PixelScores:
        """Of the test images, their pixels pooled, at native size."""
        if recipe not in self._scores:
            images = [native.image for native in self._tested]
            predictions = self.versions.ensemble(recipe).predict_images(images, self.trial.done)
            self._scores[recipe] = self._pooled([prediction.mask for prediction in predictions])
        return self._scores[recipe]

    def trivial_scores(self) -> dict[str, PixelScores]:
        """Of the test images, by what takes no learning."""
        return {
            name: self._pooled([baseline(native.image) for native in self._tested])
            for name, baseline in BASELINES.items()
        }

    def drawn(self, recipe: Recipe) -> Drawn:
        """Of the pool."""
        if recipe not in self._drawn:
            self._drawn[recipe] = self._draw(self.versions.ensemble(recipe))
        return self._drawn[recipe]

    @property
    def _tested(self) -> list[Native]:
        return [self.trial.natives[sample.key] for sample in self.sides.test]

    def _pooled(self, masks: Sequence[MaskArray]) -> PixelScores:
        confusion = [
            confusion_matrix(native.reference, mask, native.sample.n_classes)
            for native, mask in zip(self._tested, masks, strict=True)
        ]
        return scores_from_confusion(np.sum(confusion, axis=0))

    def _draw(self, ensemble: Ensemble) -> Drawn:
        rows: list[Row] = []
        features, minutes = [], {}
        pool = [self.trial.natives[sample.key] for sample in self.sides.pool]
        predictions = ensemble.predict_images([native.image for native in pool], self.trial.done)
        for native, prediction in zip(pool, predictions, strict=True):
            sample = native.sample
            row: Row = {"dataset": sample.dataset, "stem": sample.stem, "index": sample.index}
            rows.append(row | {**prediction.scores()})
            features.append(prediction.features)
            estimated = correction_minutes(native.reference, prediction.mask)
            minutes[sample.key] = self.trial.measured.get(sample.key, estimated)
        # Maps are not asked for again, so nothing is written.
        return Drawn(PredictionSet(Path(), tuple(rows), np.stack(features)), minutes)
