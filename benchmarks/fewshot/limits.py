"""Where few-shot loses: phases of superalloys, in chips of half and twice the suggested edge."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.fewshot.accuracy import nearest_centroid
from benchmarks.fewshot.draws import draws, others, predicted, scores
from benchmarks.fewshot.missing import missing_table
from benchmarks.fewshot.reference import Classes
from benchmarks.fewshot.scenes import ALLOY, Segmented, alloys
from benchmarks.fewshot.vectors import SPECS, brightness, embedded
from icefloe.errors import IcefloeError
from icefloe.fewshot.cache import Cache
from icefloe.statistics.repetitions import over_seeds
from icefloe.tables import Table

FACTORS = (2.0, 1.0, 0.5, 0.25)
"""Edge by the suggested one."""

SUPPORTS_A_CLASS = 5
PURE = 0.8
"""Share of the commonest class from which a chip is not mixed."""

RARE = "tertiary"
FEWEST = 2 * SUPPORTS_A_CLASS
"""Chips of the rare class that an image must have for its part of the table."""


@dataclass(frozen=True)
class Outcome:
    """One image at one edge; means over draws.

    Attributes
    ----------
    edge
        In px.
    mixed
        Share of mixed chips.
    accuracy, of_pure, of_mixed, of_brightness
        Share of the chips without support that is right; of those that are not mixed, and of those that are;
        and by nothing but the mean and standard deviation of grey values.
    pixels, best
        Share of the pixels that is right in the map, and if every chip were right.
    """

    edge: int
    mixed: float
    accuracy: float
    of_pure: float
    of_mixed: float
    of_brightness: float
    pixels: float
    best: float


def edge_at(image: Segmented, factor: float) -> int:
    """The suggested edge by a factor, in px."""
    return round(image.suggested_edge * factor)


def measure_edges(
    images: Sequence[Segmented], cache: Cache | None, n_draws: int
) -> dict[float, list[Outcome]]:
    """Factor -> outcome of every image; the two commoner phases have supports, the third has none."""
    return {factor: [_outcome(one, factor, cache, n_draws) for one in images] for factor in FACTORS}


def _outcome(image: Segmented, factor: float, cache: Cache | None, n_draws: int) -> Outcome:
    scene = image.cut(edge_at(image, factor))
    pixels = image.pixels(scene.grid)
    is_mixed = pixels.max(axis=1) < PURE * scene.grid.edge**2
    embeddings, plain = embedded(scene, SPECS[0], cache), brightness(scene)
    rows = []
    for sets in draws(scene, SUPPORTS_A_CLASS, n_draws, (RARE,)):
        rest = others(scene, sets)
        found = predicted(scene, embeddings, sets)
        by_brightness = nearest_centroid(scene, plain, sets)
        rows.append(
            (
                _right(scene.classes, found, rest),
                _right(scene.classes, found, rest & ~is_mixed),
                _right(scene.classes, found, rest & is_mixed),
                _right(scene.classes, by_brightness, rest),
                np.take_along_axis(pixels, found[:, None], 1).sum() / pixels.sum(),
            )
        )
    accuracy, of_pure, of_mixed, of_brightness, of_pixels = (
        np.ma.masked_invalid(rows).mean(axis=0).filled(np.nan).tolist()
    )
    best = float(pixels.max(axis=1).sum() / pixels.sum())
    mixed = float(np.mean(is_mixed))
    return Outcome(scene.grid.edge, mixed, accuracy, of_pure, of_mixed, of_brightness, of_pixels, best)


def _right(truth: Classes, found: Classes, among: np.ndarray) -> float:
    if not among.any():
        return float("nan")
    return scores(truth[among], found[among], len(ALLOY)).accuracy


def edge_table(outcomes: dict[float, list[Outcome]]) -> Table:
    """Means over images with their 95 % t intervals."""
    columns = {
        "chips right": "accuracy",
        "of chips of one phase": "of_pure",
        "of mixed chips": "of_mixed",
        "by mean and standard deviation alone": "of_brightness",
        "pixels right": "pixels",
        "pixels, if all chips were right": "best",
    }
    return Table.of(
        {
            "edge": f"{factor:g} x suggested, {np.mean([one.edge for one in of_factor]):.0f} px",
            "mixed chips": f"{np.mean([one.mixed for one in of_factor]):.0%}",
            **{
                heading: _mean([getattr(one, name) for one in of_factor]) for heading, name in columns.items()
            },
        }
        for factor, of_factor in outcomes.items()
    )


def _mean(values: list[float]) -> str | None:
    """Over the images that have such chips."""
    known = [one for one in values if not np.isnan(one)]
    return over_seeds(known).text(2) if known else None


def rare_table(images: Sequence[Segmented], cache: Cache | None, n_draws: int) -> tuple[Table, int]:
    """The rare phase with and without supports, in the smallest chips; and of how many images."""
    scenes = [image.cut(edge_at(image, FACTORS[-1])) for image in images]
    rich = [scene for scene in scenes if np.sum(scene.classes == ALLOY.index(RARE)) >= FEWEST]
    if not rich:
        raise IcefloeError(f"No image has {FEWEST} chips of {RARE}. Take more images.")
    with_vectors = [(scene, embedded(scene, SPECS[0], cache)) for scene in rich]
    return missing_table(with_vectors, [RARE], n_draws), len(rich)


def read_alloys(data: Path, n_images: int) -> list[Segmented]:
    """The first images by name, or all."""
    return list(alloys(data))[: n_images or None]
