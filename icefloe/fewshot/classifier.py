"""From embeddings and support sets to a classified image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from icefloe.fewshot.advice import advise, label_next
from icefloe.fewshot.grid import Grid
from icefloe.fewshot.intervals import count_intervals, resampled_counts
from icefloe.fewshot.prototypes import (
    Float64Array,
    distinct,
    probabilities,
    prototypes,
    squared_distances,
)
from icefloe.fewshot.result import ClassCount, Classification, LeaveOneOut
from icefloe.fewshot.rule import Rule
from icefloe.fewshot.sets import UNSURE, SupportSet, SupportSets
from icefloe.fewshot.space import Space
from icefloe.fewshot.temperature import LeftOut, fit_temperature, leave_one_out
from icefloe.scoring.calibration import confidence_bins
from icefloe.statistics.interval import Interval
from icefloe.statistics.rates import Rate
from icefloe.typing import FloatArray

REACH = 0.99
"""Share of the support image's chips within reach of a prototype, where no support can be left out."""


@dataclass(frozen=True, eq=False)
class Classifier:
    """Prototypes of support sets, and the temperature that fits their supports.

    Attributes
    ----------
    sets
        Those that have chips.
    space
        Where chips are compared.
    supports : tuple of float64 arrays, shape (n_c, F)
        Distinct vectors of each set, in that space.
    left_out
        Leave-one-out distances of the supports.
    temperature
        In units of a squared distance.
    reach
        Squared distance to the nearest prototype beyond which a chip lies far from every set: farther than
        any support, left out, from its own.
    rule
        When a chip is unsure, and the level of intervals.
    """

    sets: tuple[SupportSet, ...]
    space: Space
    supports: tuple[Float64Array, ...]
    left_out: LeftOut
    temperature: float
    reach: float
    rule: Rule

    @classmethod
    def fit(cls, embeddings: FloatArray, sets: SupportSets, grid: Grid, rule: Rule) -> Classifier:
        """Of the support image's chips.

        Parameters
        ----------
        embeddings : float32, shape (N, F)
            All chips of the image that the supports are of.
        sets
            Support sets; those without chips are no class.
        grid
            Grid of that image, of N chips.
        rule
            When a chip is unsure, and the level of intervals.

        Raises
        ------
        IcefloeError
            If fewer than two sets have chips, or a chip is outside the grid.
        """
        sets.require_on(grid)
        used = sets.require_classes()
        space = Space.of(embeddings)
        vectors = space.vectors(embeddings)
        supports = tuple(distinct(vectors[list(one.chips)]) for one in used)
        left_out = leave_one_out(supports)
        if left_out.is_honest:
            reach = left_out.farthest
        else:
            nearest = squared_distances(vectors, prototypes(supports)).min(axis=1)
            reach = float(np.quantile(nearest, REACH))
        return cls(used, space, supports, left_out, fit_temperature(left_out), reach, rule)

    def classify(
        self,
        embeddings: FloatArray,
        grid: Grid,
        constant: NDArray[np.bool_],
        *,
        is_support_image: bool,
    ) -> Classification:
        """Give every chip of an image its class.

        Parameters
        ----------
        embeddings : float32, shape (N, F)
            The image's chips, embedded as the supports were.
        grid
            Where they are.
        constant : bool, shape (N,)
            Chips of one value.
        is_support_image
            Whether the supports are of this image.
        """
        vectors = self.space.vectors(embeddings)
        distances = squared_distances(vectors, prototypes(self.supports))
        likely = probabilities(distances, self.temperature)
        nearest = distances.argmin(axis=1)
        is_unsure = 1 - likely.max(axis=1) > self.rule.max_risk
        far = np.flatnonzero(distances.min(axis=1) > self.reach)
        labelled = [chip for one in self.sets for chip in one.chips] if is_support_image else []
        notes = advise(self.sets, self.left_out, nearest, constant, far, is_support_image=is_support_image)
        return Classification(
            grid=grid,
            classes=self._counts(vectors, nearest, is_unsure),
            nearest=tuple(nearest.tolist()),
            unsure=tuple(np.flatnonzero(is_unsure).tolist()),
            probabilities=tuple(tuple(row) for row in np.round(likely, 6).tolist()),
            temperature=self.temperature,
            check=self._check(),
            rule=self.rule,
            is_support_image=is_support_image,
            far=len(far) / len(nearest),
            far_chips=tuple(far.tolist()),
            label_next=label_next(vectors, likely, labelled, np.flatnonzero(constant)),
            notes=notes,
        )

    def _counts(
        self, vectors: Float64Array, nearest: NDArray[np.intp], is_unsure: NDArray[np.bool_]
    ) -> tuple[ClassCount, ...]:
        n, n_classes, rule = len(nearest), len(self.sets), self.rule
        counts = np.bincount(np.where(is_unsure, n_classes, nearest), minlength=n_classes + 1)
        resampled = resampled_counts(
            vectors, self.supports, self.temperature, rule.max_risk, rule.n_resamples, rule.seed
        )
        bounds = count_intervals(counts, resampled, rule.confidence)
        named = [(one.name, one.style, len(one.chips)) for one in self.sets]
        return tuple(
            ClassCount(
                name=name,
                style=style,
                n_supports=n_supports,
                count=Interval(mean=count, n=n, low=low, high=high),
                fraction=Interval(mean=count / n, n=n, low=low / n, high=high / n),
            )
            for (name, style, n_supports), count, (low, high) in zip(
                [*named, (UNSURE, None, 0)], counts.tolist(), bounds.tolist(), strict=True
            )
        )

    def _check(self) -> LeaveOneOut:
        left_out = self.left_out
        n_classes = len(self.sets)
        confusion = np.zeros((n_classes, n_classes), int)
        singles = tuple(self.sets[index].name for index in left_out.singles)
        if not left_out.is_honest:
            return LeaveOneOut(
                right=Rate(hits=0, total=0),
                ece=None,
                plain_ece=None,
                reliability=(),
                confusion=tuple(map(tuple, confusion.tolist())),
                singles=singles,
            )
        np.add.at(confusion, (left_out.classes, left_out.distances.argmin(axis=1)), 1)
        fitted, plain = (
            confidence_bins(left_out.classes, probabilities(left_out.distances, temperature).T)
            for temperature in (self.temperature, 1.0)
        )
        observed, predicted = fitted.curve()
        return LeaveOneOut(
            right=Rate(hits=int(np.trace(confusion)), total=len(left_out.classes)),
            ece=fitted.expected_calibration_error,
            plain_ece=plain.expected_calibration_error,
            reliability=tuple(zip(predicted.tolist(), observed.tolist(), strict=True)),
            confusion=tuple(map(tuple, confusion.tolist())),
            singles=singles,
        )
