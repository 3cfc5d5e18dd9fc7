"""Chips that `label_next` chooses against chips drawn at random, by number of labels."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.fewshot.draws import (
    DRAWS,
    QUICK,
    Scores,
    draws,
    labelled,
    likely,
    of_scene,
    scores,
    spread,
)
from benchmarks.fewshot.scenes import Scene
from icefloe.fewshot.advice import NEXT, label_next
from icefloe.fewshot.classifier import Classifier
from icefloe.fewshot.sets import SupportSets
from icefloe.statistics.repetitions import over_seeds
from icefloe.tables import Table
from icefloe.typing import FloatArray

FIRST = 2
"""Supports a class that both begin with."""

ROUNDS = 10
"""Of as many chips as the page outlines."""

TOLD = (0, 1, 2, 4, 10)
"""Rounds that the table shows."""

Choose = Callable[[FloatArray, Classifier, list[int], NDArray[np.intp], np.random.Generator], list[int]]


def advised(
    embeddings: FloatArray,
    classifier: Classifier,
    known: list[int],
    held_out: NDArray[np.intp],
    rng: np.random.Generator,
) -> list[int]:
    """The chips that the advice names."""
    vectors = classifier.space.vectors(embeddings)
    return list(label_next(vectors, likely(classifier, embeddings), known, held_out))


def at_random(
    embeddings: FloatArray,
    classifier: Classifier,
    known: list[int],
    held_out: NDArray[np.intp],
    rng: np.random.Generator,
) -> list[int]:
    """Any chips."""
    free = np.setdiff1d(np.arange(len(embeddings)), [*known, *held_out.tolist()])
    chosen: list[int] = rng.permutation(free)[:NEXT].tolist()
    return chosen


CHOICES: dict[str, Choose] = {"label next": advised, "at random": at_random}


@dataclass(frozen=True, eq=False)
class Curves:
    """Scores on chips that are held out, by number of labels.

    Attributes
    ----------
    labels
        Numbers of labels, after each round.
    scores
        Choice -> of every draw, after each round.
    """

    labels: tuple[int, ...]
    scores: dict[str, list[list[Scores]]]


def measure_choices(scene: Scene, embeddings: FloatArray, n_draws: int = DRAWS) -> Curves:
    """Both choices from the same supports, scored on the same half of the chips, which neither may label."""
    found: dict[str, list[list[Scores]]] = {name: [] for name in CHOICES}
    for seed, sets in enumerate(draws(scene, FIRST, n_draws)):
        held_out = _half(scene, sets, np.random.default_rng([99, seed]))
        for name, choose in CHOICES.items():
            found[name].append(
                _rounds(scene, embeddings, sets, held_out, choose, np.random.default_rng([98, seed]))
            )
    first = FIRST * len(scene.names)
    return Curves(tuple(first + NEXT * done for done in range(ROUNDS + 1)), found)


def _half(scene: Scene, sets: SupportSets, rng: np.random.Generator) -> NDArray[np.intp]:
    """Half of each class's chips that have no label yet."""
    free = np.setdiff1d(np.arange(scene.grid.n_chips), labelled(sets))
    parts = []
    for position in range(len(scene.names)):
        of_class = rng.permutation(free[scene.classes[free] == position])
        parts.append(of_class[: -(-len(of_class) // 2)])
    return np.concatenate(parts)


def _rounds(
    scene: Scene,
    embeddings: FloatArray,
    sets: SupportSets,
    held_out: NDArray[np.intp],
    choose: Choose,
    rng: np.random.Generator,
) -> list[Scores]:
    scored = []
    for done in range(ROUNDS + 1):
        classifier = Classifier.fit(embeddings, sets, scene.grid, QUICK)
        found = of_scene(scene, sets)[likely(classifier, embeddings).argmax(axis=1)]
        scored.append(scores(scene.classes[held_out], found[held_out], len(scene.names)))
        if done < ROUNDS:
            chosen = choose(embeddings, classifier, labelled(sets), held_out, rng)
            for chip in chosen:
                sets = sets.assigned(scene.names[scene.classes[chip]], [chip], scene.grid)
    return scored


def choice_table(curves: Curves) -> Table:
    """Means over draws of both choices, and their difference with its 95 % t interval."""
    rows = []
    for position in TOLD:
        row: dict[str, object] = {"labels": curves.labels[position]}
        for what, told in (("accuracy", "accuracy"), ("balanced", "balanced accuracy")):
            values = {
                name: np.array([getattr(one[position], what) for one in found])
                for name, found in curves.scores.items()
            }
            row |= {f"{told}, {name}": spread(of_choice).text(2) for name, of_choice in values.items()}
            less = values["label next"] - values["at random"]
            row[f"{told}, difference"] = over_seeds(less).text(signed=True)
        rows.append(row)
    return Table.of(rows)
