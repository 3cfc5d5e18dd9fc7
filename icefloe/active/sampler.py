"""Which images of a predicted dataset to label: a strategy's favourites, kept apart in time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator

from icefloe.active.plan import LabellingPlan
from icefloe.active.region import Region
from icefloe.active.strategies import Candidates, strategy
from icefloe.datasets.dataset import natural_key
from icefloe.ensemble.prediction import SCORES
from icefloe.ensemble.predictions import PredictionSet
from icefloe.errors import IcefloeError
from icefloe.result import Result
from icefloe.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class SamplerConfig(BaseModel):
    """How images are chosen for labelling.

    Attributes
    ----------
    strategy
        Name of a strategy; `icefloe.active.strategies.STRATEGIES` has them.
    k
        Number of images to choose.
    spread
        How far apart in time images of one dataset are chosen, as a part of n / k frames (n images, k to
        choose), from labelled images, too. The gap is halved as often as it takes to find k. 0: no gap.
    labelling
        How those chosen are labelled: by one person or two, with the pre-segmentation or without.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    strategy: str = "uncertainty-typical"
    k: int = Field(default=2, ge=1)
    spread: float = Field(default=0.5, ge=0, le=1)
    labelling: LabellingPlan = LabellingPlan()

    @field_validator("strategy")
    @classmethod
    def _exists(cls, name: str) -> str:
        return strategy(name).name


class Selected(BaseModel):
    """One image to label.

    Attributes
    ----------
    dataset, stem
        Dataset of the image, and its file name without ending.
    score
        Its priority when it was chosen; the strategy says in what unit.
    strategy
        Name of the strategy that chose it, such as `mean-uq`.
    rank
        Rank in the order of choice, from 1.
    reason
        Why it was chosen, in words.
    regions
        What of it is to be labelled; none: all of it.
    """

    model_config = ConfigDict(frozen=True)

    dataset: str
    stem: str
    score: float
    strategy: str
    rank: int
    reason: str
    regions: tuple[Region, ...] = ()

    @property
    def key(self) -> str:
        """The sample key, such as `D3/stack_7`."""
        return f"{self.dataset}/{self.stem}"


class Selection(Result):
    """The images to label.

    Attributes
    ----------
    items
        Images to label, in the order of choice.
    strategy
        Name of the strategy that chose them.
    requested
        Number of images that were asked for.
    available
        Number of images without a label then.
    """

    items: tuple[Selected, ...]
    strategy: str
    requested: int
    available: int

    def sentence(self) -> str:
        """What was chosen, in words."""
        if not self.items:
            return "Nothing to label: every image has a label."
        keys = ", ".join(item.key for item in self.items)
        short = f" ({self.requested} were asked for)" if len(self.items) < self.requested else ""
        count = f"{len(self.items)} of {self.available} unlabelled images"
        return f"{count} chosen by {self.strategy}{short}: {keys}."

    def table(self) -> Table:
        """One row an image: rank, score and reason."""
        rows = [
            {"rank": item.rank, "image": item.key, "score": item.score, "why": item.reason}
            for item in self.items
        ]
        return Table.of(rows, {"score": ".4g"}, ("rank", "image", "score", "why"))

    def plot(self, ax: Axes) -> None:
        """Every image's score, in the order of choice."""
        ax.barh([item.key for item in self.items], [item.score for item in self.items])
        ax.invert_yaxis()
        ax.set_xlabel(f"score by {self.strategy}")


def select(
    predictions: PredictionSet,
    config: SamplerConfig,
    rng: np.random.Generator,
    labelled: Collection[str] = (),
    excluded: Collection[str] = (),
) -> Selection:
    """Choose images to label, all that there are if they are fewer than asked for.

    Parameters
    ----------
    predictions
        Predictions of one dataset or several; labelled images among them count for diversity and spread.
    config
        How images are chosen: strategy, number and spread.
    rng
        Random generator, the only source of randomness: the same state and predictions give the same
        selection.
    labelled
        Sample keys that have a label, or wait for one, and are not chosen.
    excluded
        Sample keys that are not chosen either but have no label, so nothing keeps away from them.

    Raises
    ------
    IcefloeError
        If a score is not a finite number.
    """
    chooser = strategy(config.strategy)
    candidates, positions, datasets = _candidates(predictions)
    labelled, excluded = set(labelled), set(excluded)
    chosen = [row for row, key in enumerate(candidates.keys) if key in labelled]
    taken = np.array([key in labelled or key in excluded for key in candidates.keys])
    available = int((~taken).sum())
    gaps = _gaps(datasets, config)
    selected = []
    count = min(config.k, available)
    for rank in range(1, count + 1):
        priorities = chooser.priorities(candidates, chosen, count + 1 - rank, rng)
        free = _far_enough(positions, datasets, gaps, chosen, ~taken)
        row = int(np.argmax(np.where(free, priorities, -np.inf)))
        taken[row] = True
        chosen.append(row)
        dataset, stem = candidates.keys[row].split("/", 1)
        reason = chooser.explain(candidates, row)
        selected.append(
            Selected(
                dataset=dataset,
                stem=stem,
                score=float(priorities[row]),
                strategy=chooser.name,
                rank=rank,
                reason=reason,
            )
        )
    return Selection(items=tuple(selected), strategy=chooser.name, requested=config.k, available=available)


def _candidates(predictions: PredictionSet) -> tuple[Candidates, NDArray[np.int64], NDArray[np.str_]]:
    """Candidates in time order, however the table is sorted, with positions in time and dataset names."""
    rows = predictions.rows
    order = sorted(range(len(rows)), key=lambda row: (natural_key(rows[row].dataset), rows[row].index))
    scores = {name: predictions.column(name)[order] for name in SCORES}
    keys = tuple(predictions.keys[row] for row in order)
    features = predictions.features[order].astype(np.float64)
    finite = np.isfinite(np.column_stack([*scores.values(), features])).all(axis=1)
    if not finite.all():
        raise IcefloeError(
            f"{keys[int(np.argmin(finite))]}: a score is not a finite number. Predict the images again."
        )
    positions = np.array([rows[row].index for row in order], dtype=np.int64)
    return Candidates(keys, scores, features), positions, np.array([rows[row].dataset for row in order])


def _gaps(datasets: NDArray[np.str_], config: SamplerConfig) -> NDArray[np.float64]:
    """Wished distance of each image to chosen ones of its dataset, in frames; shape (N,)."""
    names, which, counts = np.unique(datasets, return_inverse=True, return_counts=True)
    return (config.spread * counts / config.k)[which] if len(names) else np.zeros(0)


def _far_enough(
    positions: NDArray[np.int64],
    datasets: NDArray[np.str_],
    gaps: NDArray[np.float64],
    chosen: Sequence[int],
    free: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Free images that keep the gap to those chosen, or half of it, or a quarter ...; shape (N,)."""
    distance = np.full(len(positions), np.inf)
    for row in chosen:
        apart = np.where(datasets == datasets[row], np.abs(positions - positions[row]), np.inf)
        distance = np.minimum(distance, apart)
    far = free & (distance >= gaps)
    while not far.any():
        gaps = np.where(gaps > 1, gaps / 2, 0)
        far = free & (distance >= gaps)
    return far
