"""Which parts of images are worth a label: tiles, ranked by a strategy, several images a round."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import ClassVar

import numpy as np

from icefloe.active.region import Region
from icefloe.errors import IcefloeError
from icefloe.typing import FloatArray

TILES_ALONG = 4
"""Tiles along an image's longer side: each a sixteenth of a square image, one stroke or two to correct."""

TILES_A_LAP = 2
"""Tiles that an image gives before the next one's turn: neighbours on one boundary teach the same."""


@dataclass(frozen=True)
class Candidate:
    """A tile of an image, and how much the members disagree in it.

    Attributes
    ----------
    key
        Sample key of the image, such as `D3/stack_7`.
    region
        The tile.
    disagreement
        Standard deviation over members, mean over the tile's pixels, in [0, 0.5].
    """

    key: str
    region: Region
    disagreement: float


@dataclass(frozen=True)
class Proposal:
    """A region to label.

    Attributes
    ----------
    key, region
        Sample key of the image, and the part of it to label.
    score
        Its priority; the strategy says in what unit.
    reason
        Why it was chosen, in words.
    """

    key: str
    region: Region
    score: float
    reason: str


class RegionStrategy(ABC):
    """Says how much a tile is worth a label."""

    name: ClassVar[str]

    @abstractmethod
    def score(self, candidate: Candidate, rng: np.random.Generator) -> float:
        """Priority of a tile; the largest is labelled first."""

    @abstractmethod
    def explain(self, candidate: Candidate) -> str:
        """In words, what spoke for the tile."""


class RandomRegions(RegionStrategy):
    """Each tile with the same chance: the control."""

    name = "random-regions"

    def score(self, candidate: Candidate, rng: np.random.Generator) -> float:
        return float(rng.random())

    def explain(self, candidate: Candidate) -> str:
        return "drawn at random, each tile with the same chance"


class UncertainRegions(RegionStrategy):
    """Tiles where the members disagree most first: the stretches of boundary that they draw differently."""

    name = "uncertain-regions"

    def score(self, candidate: Candidate, rng: np.random.Generator) -> float:
        return candidate.disagreement

    def explain(self, candidate: Candidate) -> str:
        return f"the members disagree here, by {candidate.disagreement:.4g} on average over the tile"


REGION_STRATEGIES: dict[str, type[RegionStrategy]] = {
    member.name: member for member in (RandomRegions, UncertainRegions)
}


def tiles(shape: tuple[int, int], along: int = TILES_ALONG) -> list[Region]:
    """An image's tiles, row by row: about square, `along` of them along the longer side, together all of it.

    Parameters
    ----------
    shape
        (H, W) of the image.
    along
        Number of tiles along its longer side; at most one a pixel.
    """
    side = max(shape) / along
    rows, columns = (
        np.linspace(0, length, min(length, max(1, round(length / side))) + 1).round().astype(int).tolist()
        for length in shape
    )
    return [
        Region(top=top, left=left, height=bottom - top, width=right - left)
        for top, bottom in pairwise(rows)
        for left, right in pairwise(columns)
    ]


def candidates_of(key: str, disagreement: FloatArray, along: int = TILES_ALONG) -> list[Candidate]:
    """The tiles of one image; its maps need not be kept for `propose_regions`.

    Parameters
    ----------
    key
        Sample key.
    disagreement : float32, shape (H, W)
        Standard deviation over members at each pixel, as `Prediction.std`.
    along
        Number of tiles along the longer side.

    Raises
    ------
    IcefloeError
        If a value is not finite, as with a single member.
    """
    if not np.isfinite(disagreement).all():
        raise IcefloeError(
            f"{key}: where the members disagree is not known. Predict it with two members or more."
        )
    height, width = disagreement.shape
    found = []
    for tile in tiles((height, width), along):
        inside = disagreement[tile.top : tile.top + tile.height, tile.left : tile.left + tile.width]
        found.append(Candidate(key, tile, float(inside.mean(dtype=np.float64))))
    return found


def propose_regions(
    candidates: Iterable[Candidate],
    k: int,
    strategy: RegionStrategy,
    rng: np.random.Generator,
    labelled: Mapping[str, Collection[Region]] | None = None,
) -> tuple[Proposal, ...]:
    """The `k` tiles to label next, fewer if there are no more, the most valuable first.

    An image gives its best `TILES_A_LAP` tiles, then waits until every other image has given as many: so a
    round has several images.

    Parameters
    ----------
    candidates
        Tiles of any number of images, those of each image together; labelled ones may be among them.
    k
        Number of tiles to propose.
    strategy
        What makes a tile worth a label.
    rng
        Random generator, the only source of randomness.
    labelled
        Regions by sample key that have a label or wait for one; a tile that overlaps one is not proposed.
    """
    taken = labelled or {}
    ranked = []
    for key, of_image in groupby(candidates, key=lambda candidate: candidate.key):
        free = [c for c in of_image if not any(_overlap(c.region, other) for other in taken.get(key, ()))]
        scored = sorted(((strategy.score(c, rng), c) for c in free), key=lambda pair: -pair[0])
        ranked += [(place // TILES_A_LAP, score, c) for place, (score, c) in enumerate(scored)]
    ranked.sort(key=lambda each: (each[0], -each[1]))
    return tuple(
        Proposal(candidate.key, candidate.region, score, strategy.explain(candidate))
        for _, score, candidate in ranked[:k]
    )


def _overlap(one: Region, other: Region) -> bool:
    return (
        one.top < other.top + other.height
        and other.top < one.top + one.height
        and one.left < other.left + other.width
        and other.left < one.left + one.width
    )
