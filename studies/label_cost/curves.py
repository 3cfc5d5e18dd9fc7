"""Learning curves of one arrival: Dice and minutes against labels, by contender and seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studies.label_cost.desk import Desk
from studies.label_cost.replay import Outcome

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Curves:
    """What A contenders made of one arrival with S seeds, at N numbers of labels.

    Attributes
    ----------
    dataset, standard
        What arrived, and what the first version was trained on.
    contenders
        A names, the baselines first.
    labels : int, shape (N,)
        0 first.
    dice, iou : float64, shape (A, S, N)
        Of the test images; without labels the same for all contenders.
    minutes : float64, shape (A, S, N)
        To correct what the ensemble drew in the images chosen, in all.
    ceiling : float64, shape (S,)
        Dice with the whole pool labelled.
    trivial
        Dice by baseline that takes no learning, mean over the seeds' test images.
    places : int, shape (T,)
        Places in time of its images.
    picked : float64, shape (A, T)
        Share of the seeds with the image in their pool in which it was chosen; NaN where there is none.
    n_pool, n_test
        Images to choose from and to test on, mean over seeds.
    """

    dataset: str
    standard: tuple[str, ...]
    contenders: tuple[str, ...]
    labels: NDArray[np.int64]
    dice: Array
    iou: Array
    minutes: Array
    ceiling: Array
    trivial: dict[str, float]
    places: NDArray[np.int64]
    picked: Array
    n_pool: float
    n_test: float

    @classmethod
    def of(cls, outcomes: Sequence[Outcome], desks: Sequence[Desk]) -> "Curves":
        """Of one arrival: the outcomes of every seed, and each seed's desk in their order."""
        arrival = desks[0].trial.arrival
        contenders = tuple(dict.fromkeys(outcome.contender for outcome in outcomes))
        labels = sorted({outcome.labels for outcome in outcomes})
        seeds = list(dict.fromkeys(outcome.seed for outcome in outcomes))
        shape = len(contenders), len(seeds), len(labels)
        dice, iou, minutes = (np.full(shape, np.nan) for _ in range(3))
        places = [sample.index for sample in arrival.samples]
        chosen = np.zeros((len(contenders), len(places)))
        for outcome in outcomes:
            row = contenders.index(outcome.contender)
            where = row, seeds.index(outcome.seed), labels.index(outcome.labels)
            dice[where], iou[where], minutes[where] = outcome.dice, outcome.iou, outcome.minutes
            if outcome.labels == labels[-1]:
                chosen[row, [places.index(place) for place in outcome.chosen]] += 1
        offered = np.sum(
            [[sample in desk.sides.pool for sample in arrival.samples] for desk in desks], axis=0
        )
        trivial = [desk.trivial_scores() for desk in desks]
        return cls(
            dataset=arrival.dataset,
            standard=arrival.standard,
            contenders=contenders,
            labels=np.array(labels),
            dice=dice,
            iou=iou,
            minutes=minutes,
            ceiling=np.array([desk.scores(desk.ceiling).dice for desk in desks]),
            trivial={name: float(np.mean([each[name].dice for each in trivial])) for name in trivial[0]},
            places=np.array(places),
            picked=np.where(offered > 0, chosen / np.maximum(offered, 1), np.nan),
            n_pool=float(np.mean([len(desk.sides.pool) for desk in desks])),
            n_test=float(np.mean([len(desk.sides.test) for desk in desks])),
        )

    def row(self, contender: str) -> int:
        """Of a contender, in every array."""
        return self.contenders.index(contender)

    @property
    def areas(self) -> Array:
        """Area under Dice over the logarithm of labels, from the first label on, over its width.

        In [0, 1], shape (A, S); twice the labels are worth as much anywhere on the curve.
        """
        if len(self.labels) == 2:
            return self.dice[..., 1]
        position = np.log(self.labels[1:])
        return np.asarray(np.trapezoid(self.dice[..., 1:], position) / (position[-1] - position[0]))

    @property
    def asked(self) -> int:
        """Labels of a baseline that a strategy is measured by: the last number but one.

        The last leaves room to see what a strategy costs that needs more.
        """
        return int(self.labels[-2] if len(self.labels) > 2 else self.labels[-1])

    def to_dict(self) -> dict[str, Any]:
        """Every number, by the attributes' names; seeds in order."""
        return {
            "dataset": self.dataset,
            "standard": list(self.standard),
            "contenders": list(self.contenders),
            "labels": self.labels.tolist(),
            "dice": self.dice.tolist(),
            "iou": self.iou.tolist(),
            "minutes": self.minutes.tolist(),
            "ceiling": self.ceiling.tolist(),
            "trivial": self.trivial,
            "places": self.places.tolist(),
            "picked": [[None if np.isnan(share) else share for share in row] for row in self.picked.tolist()],
            "n_pool": self.n_pool,
            "n_test": self.n_test,
        }
