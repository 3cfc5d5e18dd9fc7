"""What makes an image worth a label: one small class per idea, chosen by name."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import scipy  # loads its parts when they are used, and reading settings uses none
from numpy.typing import NDArray

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
        Encoder features of each image, averaged over pixels and members; no unit.
    """

    keys: tuple[str, ...]
    scores: Mapping[str, FloatVector]
    features: NDArray[np.float64]


class Strategy(ABC):
    """Says which image should be labelled next; the sampler asks it once a pick."""

    name: ClassVar[str]

    @abstractmethod
    def priorities(
        self, candidates: Candidates, chosen: Sequence[int], wanted: int, rng: np.random.Generator
    ) -> FloatVector:
        """Priority of each image as the next to be labelled; the largest is taken, the first among equals.

        Parameters
        ----------
        candidates
            N images to choose among, labelled ones included.
        chosen
            Rows that have a label or were picked before; a strategy may keep away from them.
        wanted
            How many images are still to be picked, this one included.
        rng
            Random generator, the only source of randomness.

        Returns
        -------
        float64, shape (N,)
            Finite priorities, in the unit of the strategy's score.
        """

    @abstractmethod
    def explain(self, candidates: Candidates, row: int) -> str:
        """In words, what spoke for the image in `row`."""


class Random(Strategy):
    """Each image with the same chance: the paper's way, and the baseline."""

    name = "random"

    def priorities(
        self, candidates: Candidates, chosen: Sequence[int], wanted: int, rng: np.random.Generator
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
        self, candidates: Candidates, chosen: Sequence[int], wanted: int, rng: np.random.Generator
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
        self, candidates: Candidates, chosen: Sequence[int], wanted: int, rng: np.random.Generator
    ) -> FloatVector:
        return candidates.scores[self.column]

    def explain(self, candidates: Candidates, row: int) -> str:
        score = candidates.scores[self.column]
        rank = 1 + int((score > score[row]).sum())
        return f"{self.quantity} {score[row]:.4g}, rank {rank} of {len(score)} images"


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
    Sener and Savarese 2018, with a weight). Features are standardised, lest a channel rule by its scale.
    """

    name = "uncertainty-diversity"

    def priorities(
        self, candidates: Candidates, chosen: Sequence[int], wanted: int, rng: np.random.Generator
    ) -> FloatVector:
        uncertainty = candidates.scores[MeanUncertainty.column]
        if not chosen:
            return uncertainty
        features = _standardised(candidates.features)
        distances = np.linalg.norm(features[:, None, :] - features[None, list(chosen), :], axis=2)
        weighted: FloatVector = uncertainty * distances.min(axis=1)
        return weighted

    def explain(self, candidates: Candidates, row: int) -> str:
        uncertainty = candidates.scores[MeanUncertainty.column]
        rank = 1 + int((uncertainty > uncertainty[row]).sum())
        return (
            f"mean uncertainty {uncertainty[row]:.4g} (rank {rank} of {len(uncertainty)} images), "
            "times how far its features are from the nearest labelled or picked image"
        )


class UncertaintyTypical(Strategy):
    """Typical images of the most uncertain kinds: one a cluster that none labelled or picked is in.

    Encoder features fall into as many clusters (Ward) as there will be labels; the cluster with the largest
    sum of UQ comes first, and in it the image nearest to its others. With few labels typical images teach
    more than extreme ones, and a first version's uncertainty is no guide within a cluster (TypiClust:
    Hacohen, Dekel and Weinshall 2022, whose clusters are ranked by their size).
    """

    name = "uncertainty-typical"

    def priorities(
        self, candidates: Candidates, chosen: Sequence[int], wanted: int, rng: np.random.Generator
    ) -> FloatVector:
        features = _standardised(candidates.features)
        if len(features) == 1 or not features.size:
            return candidates.scores[MeanUncertainty.column]
        tree = scipy.cluster.hierarchy.linkage(features, "ward")
        clusters = scipy.cluster.hierarchy.fcluster(tree, len(chosen) + wanted, "maxclust") - 1
        uncertainty = np.bincount(clusters, candidates.scores[MeanUncertainty.column])
        uncertainty[clusters[list(chosen)]] = 0  # they have their label
        together = clusters[:, None] == clusters[None, :]
        apart = scipy.spatial.distance.squareform(scipy.spatial.distance.pdist(features))
        distance = (apart * together).sum(axis=1) / together.sum(axis=1)
        # Whole numbers put clusters in order, fractions the images of each.
        priorities: FloatVector = scipy.stats.rankdata(uncertainty, "dense")[clusters] + 1 / (1 + distance)
        return priorities

    def explain(self, candidates: Candidates, row: int) -> str:
        uncertainty = candidates.scores[MeanUncertainty.column]
        return (
            f"typical of a kind of images without a label; mean uncertainty {uncertainty[row]:.4g}, "
            f"on average {uncertainty.mean():.4g}"
        )


def _standardised(features: NDArray[np.float64]) -> NDArray[np.float64]:
    spread = features.std(axis=0)
    moving = spread > 0
    centred = features[:, moving] - features[:, moving].mean(axis=0)
    scaled: NDArray[np.float64] = centred / spread[moving]
    return scaled


STRATEGIES: dict[str, type[Strategy]] = {
    member.name: member
    for member in (
        Random,
        ForegroundRandom,
        MeanUncertainty,
        Entropy,
        MutualInformation,
        UncertaintyDiversity,
        UncertaintyTypical,
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
