"""What makes an image worth a label: one small class per idea, chosen by name."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist, squareform

from icefloe.errors import IcefloeError

FloatVector = NDArray[np.float64]

# An image in which the ensemble sees nothing keeps a chance: the ensemble may be wrong there.
SMALLEST_FOREGROUND = 1e-4


@dataclass(frozen=True)
class Candidates:
    """What strategies see of N predicted images, labelled ones included.

    Attributes
    ----------
    keys
        N sample keys, such as `D3/stack_7`, in time order within each dataset.
    scores
        Columns of the prediction table by name, float64, shape (N,).
    features : float64, shape (N, F)
        Pooled encoder features.
    """

    keys: tuple[str, ...]
    scores: Mapping[str, FloatVector]
    features: NDArray[np.float64]


class Strategy(ABC):
    """Says which image should be labelled next; the sampler asks it once a pick."""

    name: ClassVar[str]

    @abstractmethod
    def priorities(
        self, candidates: Candidates, chosen: Sequence[int], rng: np.random.Generator
    ) -> FloatVector:
        """Priority of each image as the next to be labelled; the largest is taken, the first among equals.

        Parameters
        ----------
        candidates
            N images.
        chosen
            Rows that have a label or were picked before; a strategy may keep away from them.
        rng
            The only source of randomness.

        Returns
        -------
        float64, shape (N,)
            Finite.
        """

    @abstractmethod
    def explain(self, candidates: Candidates, row: int) -> str:
        """In words, what spoke for the image in `row`."""


class Random(Strategy):
    """Each image with the same chance: the paper's way, and the baseline."""

    name = "random"

    def priorities(
        self, candidates: Candidates, chosen: Sequence[int], rng: np.random.Generator
    ) -> FloatVector:
        return rng.random(len(candidates.keys))

    def explain(self, candidates: Candidates, row: int) -> str:
        return "drawn at random, each image with the same chance"


class ForegroundRandom(Strategy):
    """Images with a chance proportional to their predicted foreground fraction, without replacement.

    The largest log weight plus Gumbel noise is such a draw (Gumbel-max; Efraimidis and Spirakis 2006).
    Random, but where there is something to label: a harder baseline to beat than uniform draws.
    """

    name = "foreground-random"

    def priorities(
        self, candidates: Candidates, chosen: Sequence[int], rng: np.random.Generator
    ) -> FloatVector:
        weight = np.maximum(candidates.scores["foreground_fraction"], SMALLEST_FOREGROUND)
        return np.log(weight) + rng.gumbel(size=len(weight))

    def explain(self, candidates: Candidates, row: int) -> str:
        fraction = candidates.scores["foreground_fraction"][row]
        return f"drawn at random in proportion to the predicted foreground, here {fraction:.1%} of the pixels"


class HighestScore(Strategy):
    """Largest value of one column first; its subclasses name the column."""

    column: ClassVar[str]
    quantity: ClassVar[str]

    def priorities(
        self, candidates: Candidates, chosen: Sequence[int], rng: np.random.Generator
    ) -> FloatVector:
        return candidates.scores[self.column]

    def explain(self, candidates: Candidates, row: int) -> str:
        score = candidates.scores[self.column]
        place = 1 + int((score > score[row]).sum())
        return f"{self.quantity} {score[row]:.4g}, place {place} of {len(score)} images"


class MeanUncertainty(HighestScore):
    """Largest standard deviation over members first, averaged over pixels (the paper's image UQ)."""

    name = "mean-uq"
    column = "uq_mean"
    quantity = "mean uncertainty"


class Entropy(HighestScore):
    """Largest entropy of the mean prediction first (total uncertainty, in nats)."""

    name = "entropy"
    column = "entropy"
    quantity = "mean entropy"


class MutualInformation(HighestScore):
    """Largest mutual information between prediction and member first (what labels can teach, in nats)."""

    name = "mutual-information"
    column = "mutual_information"
    quantity = "mean mutual information"


class UncertaintyDiversity(Strategy):
    """Uncertain and unlike what is labelled: k-centre greedy on encoder features, weighted by uncertainty.

    Priority is the image UQ times the distance to the nearest labelled or picked image (core-set selection,
    Sener and Savarese 2018, with a weight). The first centre is the UQ-weighted medoid: k-centre alone begins
    anywhere, and of very few labels one has to be typical (Hacohen, Dekel and Weinshall 2022).
    """

    name = "uncertainty-diversity"

    def priorities(
        self, candidates: Candidates, chosen: Sequence[int], rng: np.random.Generator
    ) -> FloatVector:
        uncertainty = candidates.scores[MeanUncertainty.column]
        distances = _distances(candidates)
        if not chosen:
            return -distances @ uncertainty
        return uncertainty * distances[:, list(chosen)].min(axis=1)

    def explain(self, candidates: Candidates, row: int) -> str:
        uncertainty = candidates.scores[MeanUncertainty.column]
        place = 1 + int((uncertainty > uncertainty[row]).sum())
        return (
            f"mean uncertainty {uncertainty[row]:.4g} (place {place} of {len(uncertainty)} images); the "
            "first image is the most typical of what is uncertain, others lie far from any labelled or picked"
        )


def _distances(candidates: Candidates) -> NDArray[np.float64]:
    """Euclidean; features are standardised, lest a channel rule by its scale; shape (N, N)."""
    features = candidates.features
    spread = features.std(axis=0)
    moving = spread > 0
    standardised = (features[:, moving] - features[:, moving].mean(axis=0)) / spread[moving]
    return squareform(pdist(standardised)) if moving.any() else np.zeros((len(features), len(features)))


STRATEGIES: dict[str, type[Strategy]] = {
    member.name: member
    for member in (
        Random,
        ForegroundRandom,
        MeanUncertainty,
        Entropy,
        MutualInformation,
        UncertaintyDiversity,
    )
}


def strategy(name: str) -> Strategy:
    """The strategy that users call `name`.

    Raises
    ------
    IcefloeError
        If there is none of that name; the message lists the names.
    """
    if name not in STRATEGIES:
        raise IcefloeError(
            f"{name!r} is not a sampling strategy. There are: {', '.join(sorted(STRATEGIES))}."
        )
    return STRATEGIES[name]()
