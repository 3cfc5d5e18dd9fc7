"""A class without supports: where its chips go, and whether anything says so."""

from collections.abc import Sequence

import numpy as np

from benchmarks.fewshot.draws import QUICK, draws, likely, of_scene, others
from benchmarks.fewshot.scenes import Scene
from icefloe.fewshot.classifier import Classifier
from icefloe.fewshot.sets import SupportSets
from icefloe.tables import Table
from icefloe.typing import FloatArray

SUPPORTS_A_CLASS = 5


def missing_table(scenes: Sequence[tuple[Scene, FloatArray]], missing: Sequence[str], n_draws: int) -> Table:
    """Classes in turn without supports, and with some.

    Parameters
    ----------
    scenes
        Images with the embeddings of their chips, all of the same classes.
    missing
        Classes to leave without supports.
    n_draws
        Of supports, for each image.
    """
    rows: list[dict[str, object]] = []
    for name in missing:
        for without in ((), (name,)):
            found = [
                _outcome(scene, embeddings, sets, name)
                for scene, embeddings in scenes
                for sets in draws(scene, SUPPORTS_A_CLASS, n_draws, without)
            ]
            rows.append(
                {"class": name, "its supports": "none" if without else f"{SUPPORTS_A_CLASS}"}
                | {key: float(np.nanmean([one[key] for one in found])) for key in found[0]}
            )
    return Table.of(rows, dict.fromkeys(rows[0], ".0%"))


def _outcome(scene: Scene, embeddings: FloatArray, sets: SupportSets, name: str) -> dict[str, float]:
    """Shares of a class's chips, and of all others, by what they count as; supports left out."""
    classifier = Classifier.fit(embeddings, sets, scene.grid, QUICK)
    result = classifier.classify(
        embeddings, scene.grid, np.zeros(scene.grid.n_chips, bool), is_support_image=True
    )
    is_far = np.isin(np.arange(scene.grid.n_chips), result.far_chips)
    values = likely(classifier, embeddings)
    found = of_scene(scene, sets)[values.argmax(axis=1)]
    found[1 - values.max(axis=1) > QUICK.max_risk] = -1
    is_own = scene.classes == scene.names.index(name)
    rest = others(scene, sets)
    own, foreign = found[is_own & rest], found[~is_own & rest]
    return {
        **{f"its chips, {other}": float(np.mean(own == place)) for place, other in enumerate(scene.names)},
        "its chips, unsure": float(np.mean(own == -1)),
        "its chips, far from every set": float(np.mean(is_far[is_own & rest])),
        "all others, far from every set": float(np.mean(is_far[~is_own & rest])),
        "all others, right and sure": float(np.mean(foreign == scene.classes[~is_own & rest])),
        "all others, unsure": float(np.mean(foreign == -1)),
        "told that a class may be missing": float(any("may be missing" in note for note in result.notes)),
    }
