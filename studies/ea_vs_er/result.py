"""Scores of all ensembles, what they say to the paper's claims, and the page's tables."""

from collections.abc import Mapping
from functools import cached_property
from itertools import groupby
from typing import Any, ClassVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pydantic import Field

from icefloe.evaluation.scores import BinnedCurve
from icefloe.scoring.baselines import BASELINES
from icefloe.statistics.interval import Interval
from icefloe.statistics.repetitions import over_seeds
from icefloe.training.config import TrainingConfig
from studies.ea_vs_er import figures
from studies.ea_vs_er.claims import HERE, HOLDS, NOT, UNDECIDED, Effect, verdict
from studies.ea_vs_er.design import er_name
from studies.ea_vs_er.published import RESULTS, published
from studies.ea_vs_er.scoring import Fitted
from studies.kit.study import Record, StudyResult

MASK_SCORES = {"iou": "IoU", "dice": "Dice", "pca": "pCA"}
SCORES = {**MASK_SCORES, "brier": "Brier", "mae": "MAD", "ece": "ECE", "uq": "UQ"}


class DatasetOrigin(Record):
    """Where a dataset comes from, and by what it departs from the standard ones."""

    name: str
    source: str
    departs_by: tuple[str, ...] = ()


class HeldOutImages(Record):
    """A test set: images that nothing is trained on, and how many of them show different things."""

    name: str
    images: tuple[str, ...]
    n_different: int


class LabelledSubset(Record):
    """Images labelled for one version of one seed's networks."""

    version: str
    dataset: str
    seed: int
    images: tuple[str, ...]


class TrainedNetwork(Record):
    """A network of one version; `refused` is why pruning would leave it out of an ensemble."""

    version: str
    network: str
    val_pca: float
    val_iou: float
    best_epoch: int
    refused: str | None


class Score(Record):
    """One pooled score of one kind of ensembles, or of what takes no learning, on one test set.

    Attributes
    ----------
    ensemble, test, metric
        Name of the kind of ensembles, test set, and score (a key of `PooledScores.pooled`).
    per_seed
        One number a seed; a single one where there is one ensemble, or no learning.
    single
        The score of each ensemble by itself, for the figures.
    """

    ensemble: str
    test: str
    metric: str
    per_seed: tuple[float, ...]
    single: tuple[float, ...] = ()

    @property
    def interval(self) -> Interval:
        """Mean over ensembles, and its interval over seeds."""
        return over_seeds(self.per_seed)


class Diversity(Record):
    """How alike pairs of T1's networks of one kind err on one test set."""

    test: str
    pairs: str
    disagreement: Interval
    double_fault: Interval
    error_correlation: Interval
    q_statistic: Interval


class Reliability(Record):
    """T1's reliability curve on one test set, and the paper's accuracy by predicted probability."""

    ensemble: str
    test: str
    calibration: BinnedCurve
    accuracy: BinnedCurve


class PairMatrix(Record):
    """Of every pair of T1's networks, in their order; null where a network never errs."""

    test: str
    disagreement: tuple[tuple[float, ...], ...]
    error_correlation: tuple[tuple[float | None, ...], ...]


class EaVsErResult(StudyResult):
    """Ensembles of architectures against ensembles of seeds.

    Attributes
    ----------
    architectures, n_seeds, size, n_choices, weights
        What was compared: networks, how many of them make an ensemble, how many EAs one seed makes, and
        kinds of first weights.
    training, n_labels
        How networks were trained; number of images labelled of each arriving dataset.
    datasets, train, validation, tests, labelled_subsets
        Where images come from; their keys, by use.
    networks, scores
        Every network of every version; scores of the EA of every version, of everything else of T1, and of
        what takes no learning.
    effects, fits, diversity, reliability, pair_matrices
        What the claims speak of; of each kind of T1's ensembles the mean temperature (geometric) and
        threshold; and how T1's networks err.
    examples
        Test set -> the image that is shown of it (`figures.Example`); not in JSON.
    """

    name: ClassVar[str] = "ea-vs-er"
    title: ClassVar[str] = "Ensembles of architectures against ensembles of seeds"
    folder: ClassVar[str] = "ea_vs_er"
    words: ClassVar[Mapping[str, Any]] = {
        "holds": HOLDS,
        "here": HERE,
        "no": NOT,
        "undecided": UNDECIDED,
        "metrics": SCORES,
        "published": published,
    }

    architectures: tuple[str, ...]
    n_seeds: int
    size: int
    n_choices: int
    weights: tuple[str, ...]
    n_labels: int
    training: TrainingConfig
    datasets: tuple[DatasetOrigin, ...]
    train: tuple[str, ...]
    validation: tuple[str, ...]
    tests: tuple[HeldOutImages, ...]
    labelled_subsets: tuple[LabelledSubset, ...]
    networks: tuple[TrainedNetwork, ...]
    scores: tuple[Score, ...]
    effects: tuple[Effect, ...]
    fits: dict[str, Fitted]
    diversity: tuple[Diversity, ...]
    reliability: tuple[Reliability, ...] = ()
    pair_matrices: tuple[PairMatrix, ...] = ()
    examples: dict[str, Any] = Field({}, exclude=True)

    @property
    def test_names(self) -> list[str]:
        """Test sets, the standard one first."""
        return [test.name for test in self.tests]

    @property
    def compared(self) -> list[str]:
        """The ensembles of one size: T1's EA, then every ER."""
        return ["EA-T1", *map(er_name, self.architectures)]

    @property
    def versions(self) -> list[str]:
        """The EA's."""
        return list(dict.fromkeys(s.ensemble for s in self.scores if s.ensemble.startswith("EA-")))

    @cached_property
    def _scores(self) -> dict[tuple[str, str, str], Score]:
        return {(score.ensemble, score.test, score.metric): score for score in self.scores}

    def score(self, ensemble: str, test: str, metric: str) -> Score:
        """One score."""
        return self._scores[ensemble, test, metric]

    def score_in_words(self, ensemble: str, test: str, metric: str) -> str:
        """A score with half its interval; nothing where there is none, as of the UQ of a network alone."""
        score = self._scores.get((ensemble, test, metric))
        if score is None or (metric == "uq" and ensemble.startswith("one ")):
            return ""
        return score.interval.plus_minus(3 if metric in MASK_SCORES else 4)

    def rows(self, test_index: int) -> dict[str, str]:
        """Row of a test set's scores -> name: ensembles, what takes no learning, the paper's others."""
        names = dict.fromkeys(score.ensemble for score in self.scores)
        absent = [name for name in RESULTS if name not in names and published(name, test_index)]
        rows = {f"*{name}*" if name in BASELINES else name: name for name in names}
        return rows | {f"{name}, not run here": name for name in absent}

    def members_brier(self, ensemble: str, test: str) -> Interval:
        """Mean Brier score of an ensemble's members: its own, and their ambiguity."""
        brier, ambiguity = (self.score(ensemble, test, metric).per_seed for metric in ("brier", "ambiguity"))
        return over_seeds(np.add(brier, ambiguity))

    @cached_property
    def verdicts(self) -> dict[tuple[str, str], str]:
        """Claim and test set -> word."""
        grouped = groupby(self.effects, key=lambda effect: (effect.claim, effect.test))
        return {which: verdict(list(effects)) for which, effects in grouped}

    def sentence(self) -> str:
        """How many claims hold where."""
        words = list(self.verdicts.values())
        return (
            f"Of {len(words)} claims on single test sets {words.count(HOLDS) + words.count(HERE)} hold, "
            f"{words.count(NOT)} are contradicted and {words.count(UNDECIDED)} are undecided."
        )

    @property
    def contradicted(self) -> dict[str, list[str]]:
        """Claim -> test sets on which it is contradicted, where there is one."""
        against: dict[str, list[str]] = {}
        for (claim, test), word in self.verdicts.items():
            if word == NOT:
                against.setdefault(claim, []).append(test)
        return against

    def plot(self, ax: Axes) -> None:
        """IoU of T1 on the standard test set."""
        figures.draw_scores(ax, self, 0, "iou", self.compared)

    def figures(self) -> dict[str, Figure]:
        """By the names in the text."""
        drawn = {"versions": figures.versions_figure(self)}
        if any(score.single for score in self.scores):
            drawn["scores"] = figures.scores_figure(self)
        if self.reliability:
            drawn["calibration"] = figures.calibration_figure(self)
        if self.pair_matrices:
            drawn["diversity"] = figures.diversity_figure(self)
        if self.examples:
            drawn["maps"] = figures.maps_figure(self.examples)
        return drawn
