"""The loop, replayed: choose, label with the truth, retrain, look at images that nothing could choose."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from icefloe.active.sampler import select
from icefloe.datasets.dataset import Sample
from studies.label_cost.contenders import Contender
from studies.label_cost.desk import Desk
from studies.label_cost.versions import Recipe


@dataclass(frozen=True)
class Outcome:
    """One version on one arrival.

    Attributes
    ----------
    dataset
        That arrived.
    seed
        Of the repetition.
    contender
        Who chose.
    labels
        How many images of the dataset are labelled.
    dice, iou
        Of the test images.
    minutes
        To make all those labels by correcting what the version before each had drawn.
    chosen
        Places in time of all labelled images, in order of choice.
    """

    dataset: str
    seed: int
    contender: str
    labels: int
    dice: float
    iou: float
    minutes: float
    chosen: tuple[int, ...]


@dataclass
class _Labelling:
    """One contender at one desk: what it has chosen, and what that cost."""

    desk: Desk
    contender: Contender
    chosen: list[Sample] = field(default_factory=list)
    minutes: float = 0.0

    @property
    def recipe(self) -> Recipe:
        return self.desk.recipe(self.chosen)

    def choose(self, count: int) -> None:
        """Label `count` more images of the pool, picked with the version trained on those before."""
        drawn = self.desk.drawn(self.recipe)
        selection = select(
            drawn.predictions,
            self.contender.sampler.model_copy(update={"k": count}),
            self._rng(),
            labelled=[sample.key for sample in self.chosen],
        )
        pool = {sample.key: sample for sample in self.desk.sides.pool}
        self.chosen += [pool[item.key] for item in selection.items]
        self.minutes += sum(drawn.minutes[item.key] for item in selection.items)

    def outcome(self) -> Outcome:
        """How good the version with all labels so far is; it must be trained."""
        scores = self.desk.scores(self.recipe)
        return Outcome(
            dataset=self.desk.trial.arrival.dataset,
            seed=self.desk.versions.seed,
            contender=self.contender.name,
            labels=len(self.chosen),
            dice=scores.dice,
            iou=scores.iou,
            minutes=self.minutes,
            chosen=tuple(sample.index for sample in self.chosen),
        )

    def _rng(self) -> np.random.Generator:
        # Draws of two contenders, datasets or rounds must not be the same ones.
        words = f"{self.desk.trial.arrival.dataset} {self.contender.name} {len(self.chosen)}"
        return np.random.default_rng((self.desk.versions.seed, zlib.crc32(words.encode())))


def replay(desks: Sequence[Desk], contenders: Sequence[Contender]) -> list[Outcome]:
    """Replay the loop of one seed: every contender at every desk, side by side.

    Parameters
    ----------
    desks
        One an arrival; they share their versions.
    contenders
        Who chooses.

    Returns
    -------
    list of Outcome
        Of each contender without labels and after each round. Ceilings are trained as well.
    """
    versions = desks[0].versions
    under_way = [_Labelling(desk, contender) for desk in desks for contender in contenders]
    versions.train([*(each.recipe for each in under_way), *(desk.ceiling for desk in desks)])
    outcomes = [each.outcome() for each in under_way]
    for labels in sorted({labels for desk in desks for labels in desk.trial.labels}):
        under_way = [each for each in under_way if labels in each.desk.trial.labels]
        for each in under_way:
            each.choose(labels - len(each.chosen))
        versions.train(each.recipe for each in under_way)
        outcomes += [each.outcome() for each in under_way]
    return outcomes
