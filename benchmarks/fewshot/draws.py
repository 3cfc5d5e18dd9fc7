"""Supports drawn at random, and what a classification by them is worth on all other chips."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmarks.fewshot.reference import Classes
from benchmarks.fewshot.scenes import Scene
from icefloe.fewshot.classifier import Classifier
from icefloe.fewshot.prototypes import Float64Array, probabilities, prototypes, squared_distances
from icefloe.fewshot.rule import Rule
from icefloe.fewshot.sets import SupportSets
from icefloe.statistics.interval import Interval
from icefloe.typing import FloatArray

SUPPORTS = (1, 2, 3, 5, 10)
"""Supports of each class."""

DRAWS = 50
QUICK = Rule(n_resamples=20)
"""Where the intervals are not looked at."""


@dataclass(frozen=True)
class Scores:
    """How right classes are.

    Attributes
    ----------
    accuracy
        Share of the chips.
    balanced
        Mean over classes of the share of its chips.
    recalls
        Share of each class's chips; NaN of a class without.
    """

    accuracy: float
    balanced: float
    recalls: tuple[float, ...]


def support_sets(scene: Scene, n: int, rng: np.random.Generator, without: Sequence[str] = ()) -> SupportSets:
    """So many chips of each class, or half of them where there are fewer than twice as many.

    Parameters
    ----------
    scene
        Chips and their classes.
    n
        Supports a class.
    rng
        Of the draw.
    without
        Classes that get none, and no set.
    """
    sets = SupportSets()
    for position, name in enumerate(scene.names):
        chips = np.flatnonzero(scene.classes == position)
        taken = rng.permutation(chips)[: min(n, len(chips) // 2)].tolist()
        if taken and name not in without:
            sets = sets.added(name, taken)
    return sets


def draws(scene: Scene, n: int, n_draws: int = DRAWS, without: Sequence[str] = ()) -> list[SupportSets]:
    """Draws that are the same whatever they are used for."""
    return [support_sets(scene, n, np.random.default_rng([n, seed]), without) for seed in range(n_draws)]


def labelled(sets: SupportSets) -> list[int]:
    """All chips that are supports."""
    return [chip for one in sets.sets for chip in one.chips]


def others(scene: Scene, sets: SupportSets) -> NDArray[np.bool_]:
    """Which chips are no supports; bool, shape (N,)."""
    rest = np.ones(scene.grid.n_chips, bool)
    rest[labelled(sets)] = False
    return rest


def likely(classifier: Classifier, embeddings: FloatArray, temperature: float | None = None) -> Float64Array:
    """Probabilities of all chips, shape (N, C), at the fitted temperature or another."""
    distances = squared_distances(classifier.space.vectors(embeddings), prototypes(classifier.supports))
    return probabilities(distances, temperature or classifier.temperature)


def predicted(scene: Scene, embeddings: FloatArray, sets: SupportSets) -> Classes:
    """Position in `scene.names` of each chip's most probable class."""
    classifier = Classifier.fit(embeddings, sets, scene.grid, QUICK)
    return of_scene(scene, sets)[likely(classifier, embeddings).argmax(axis=1)]


def of_scene(scene: Scene, sets: SupportSets) -> Classes:
    """Position in `scene.names` of each set that has chips."""
    return np.array([scene.names.index(one.name) for one in sets.used], np.intp)


def scores(truth: Classes, found: Classes, n_classes: int) -> Scores:
    """Of chips that are no supports."""
    recalls = [
        float(np.mean(found[truth == one] == one)) if (truth == one).any() else float("nan")
        for one in range(n_classes)
    ]
    return Scores(float(np.mean(found == truth)), float(np.nanmean(recalls)), tuple(recalls))


def spread(values: ArrayLike) -> Interval:
    """Mean over draws, and the range that holds 95 % of them: what one draw may give."""
    numbers = np.asarray(values, np.float64)
    low, high = np.quantile(numbers, (0.025, 0.975))
    return Interval(mean=float(numbers.mean()), low=float(low), high=float(high), n=len(numbers))
