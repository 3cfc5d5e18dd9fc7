"""How many chips are right with few supports: encoders and ways, and vectors that need no network."""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.neighbors import NearestCentroid

from benchmarks.fewshot.draws import (
    DRAWS,
    SUPPORTS,
    Scores,
    draws,
    labelled,
    of_scene,
    others,
    predicted,
    scores,
    spread,
)
from benchmarks.fewshot.reference import Classes
from benchmarks.fewshot.scenes import Scene
from benchmarks.fewshot.vectors import PLAIN, SPECS, embedded, title
from icefloe.fewshot.cache import Cache
from icefloe.fewshot.sets import SupportSets
from icefloe.statistics.repetitions import over_seeds
from icefloe.tables import Table
from icefloe.typing import FloatArray

Classify = Callable[[Scene, FloatArray, SupportSets], Classes]

OURS = title(SPECS[0])
"""The default."""


@dataclass(frozen=True, eq=False)
class Accuracies:
    """Scores on chips that are no supports.

    Attributes
    ----------
    scores
        (Method, supports a class) -> of every draw.
    taken
        Supports a class -> how many of each class were drawn.
    """

    scores: dict[tuple[str, int], list[Scores]]
    taken: dict[int, tuple[int, ...]]


def measure_accuracy(scene: Scene, cache: Cache | None, n_draws: int = DRAWS) -> Accuracies:
    """All methods by the same draws."""
    drawn = {n: draws(scene, n, n_draws) for n in SUPPORTS}
    found = {
        (name, n): [_score(scene, classify(scene, vectors, sets), sets) for sets in drawn[n]]
        for name, vectors, classify in _methods(scene, cache)
        for n in SUPPORTS
    }
    return Accuracies(found, {n: tuple(len(one.chips) for one in drawn[n][0].sets) for n in SUPPORTS})


def _methods(scene: Scene, cache: Cache | None) -> Iterator[tuple[str, FloatArray, Classify]]:
    for spec in SPECS:
        yield title(spec), embedded(scene, spec, cache), predicted
    for name, vectors_of in PLAIN.items():
        yield name, vectors_of(scene), nearest_centroid
    yield "all of the commonest class", np.zeros((scene.grid.n_chips, 1), np.float32), _commonest


def nearest_centroid(scene: Scene, vectors: FloatArray, sets: SupportSets) -> Classes:
    """scikit-learn's, on vectors as they are."""
    classes = np.repeat(of_scene(scene, sets), [len(one.chips) for one in sets.used])
    with warnings.catch_warnings():
        # Of one support a class, it says that there is no variance, which is not used here.
        warnings.simplefilter("ignore")
        found: Classes = NearestCentroid().fit(vectors[labelled(sets)], classes).predict(vectors)
    return found


def _commonest(scene: Scene, vectors: FloatArray, sets: SupportSets) -> Classes:
    return np.full(len(vectors), np.bincount(scene.classes).argmax())


def _score(scene: Scene, found: Classes, sets: SupportSets) -> Scores:
    rest = others(scene, sets)
    return scores(scene.classes[rest], found[rest], len(scene.names))


def accuracy_table(found: Accuracies, what: str) -> Table:
    """`accuracy` or `balanced`: mean over draws, and the range that holds 95 % of them."""
    return Table.of(
        {"vectors": name, **{_heading(n): spread(_values(found, name, n, what)).text(2) for n in SUPPORTS}}
        for name in _names(found)
    )


def difference_table(found: Accuracies, n: int) -> Table:
    """Scores less those of the default, draw by draw, with the mean's 95 % t interval."""
    rows = []
    for name in _names(found):
        less = [
            np.subtract(_values(found, name, n, what), _values(found, OURS, n, what))
            for what in ("accuracy", "balanced")
        ]
        if name != OURS:
            rows.append(
                {
                    "vectors": name,
                    "accuracy": over_seeds(less[0]).text(signed=True),
                    "balanced accuracy": over_seeds(less[1]).text(signed=True),
                }
            )
    return Table.of(rows)


def recall_table(found: Accuracies, names: tuple[str, ...]) -> Table:
    """Share of each class's chips that the default finds, mean over draws and the range of 95 % of them."""
    return Table.of(
        {
            "class": name,
            **{
                _heading(n): spread([one.recalls[position] for one in found.scores[OURS, n]]).text(2)
                for n in SUPPORTS
            },
        }
        for position, name in enumerate(names)
    )


def _names(found: Accuracies) -> list[str]:
    return list(dict.fromkeys(name for name, _ in found.scores))


def _values(found: Accuracies, name: str, n: int, what: str) -> list[float]:
    return [getattr(one, what) for one in found.scores[name, n]]


def _heading(n: int) -> str:
    return f"{n} a class"
