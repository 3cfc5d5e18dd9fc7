"""Which experiments are simulated: worlds with a first version each, and experiments that arrive there."""

from dataclasses import dataclass
from typing import get_args

import numpy as np

from icefloe.imaging.augment import Augmentation
from icefloe.imaging.preprocess import Preprocessing
from icefloe.models.spec import MemberSpec
from icefloe.simulate.spec import ExperimentSpec
from icefloe.simulate.standard import Cause, random_standard_spec, shifted_spec, standard_datasets
from icefloe.training.config import RetrainingConfig, TrainingConfig

PURPOSE = 0
"""Of the draws that the page is made of; those of `FITTED` chose the priors of the promotion gate."""

FITTED = 9

CAUSES: tuple[Cause, ...] = get_args(Cause)
N_STANDARD, N_LABELS = 2, 8
"""Experiments that a first version is trained on, and labelled images of each."""

N_NEW_LABELS = 2
"""Labelled images of an experiment that arrives."""

N_TRUTH = 8
"""Other images of each experiment, on which the truth is measured."""

PACES = (0.5, 1.0, 2.0, 4.0)
"""Factors on the learning rate of a retraining: versions that forget must be among those judged."""

TRAINING = TrainingConfig(
    members=tuple(
        MemberSpec(encoder="efficientnet-lite0", weights="imagenet", decoder_channels=(24, 16, 8), seed=seed)
        for seed in range(3)
    ),
    preprocessing=Preprocessing(size=64),
    augmentation=Augmentation(rotation_deg=15, scale=0.3, shift=0.05),
    epochs=15,
    batch_size=8,
    draws_per_epoch=32,
    learning_rate=3e-3,
    averaging=0.1,
    freeze_statistics=True,
    retraining=RetrainingConfig(epochs=5, patience=5, learning_rate=5e-4, new_data_weight=4),
)
"""Light enough for two hundred retrainings in an hour; weights of ImageNet have seen no simulation, so that
what arrives is as far from what is known as a real experiment."""


@dataclass(frozen=True)
class World:
    """A study that begins with standard experiments and a first version.

    Attributes
    ----------
    seed
        Seed of its experiments and trainings.
    """

    seed: int

    def specs(self) -> list[ExperimentSpec]:
        """The standard experiments."""
        rng = np.random.default_rng(self.seed)
        return [random_standard_spec(rng) for _ in range(N_STANDARD)]


@dataclass(frozen=True)
class Arrival:
    """An experiment that arrives in a world.

    Attributes
    ----------
    world
        Where it arrives.
    number
        Of the arrival in its world, from 0.
    seed
        Seed of its properties and its simulation.
    """

    world: World
    number: int
    seed: int

    @property
    def name(self) -> str:
        """Unique in a plan."""
        return f"{self.world.seed:x}-{self.number}"

    def conditions(self) -> tuple[ExperimentSpec, str, float]:
        """Its specification, in what it departs from the standard, and the pace of its retraining.

        One in five departs in nothing, so that a retraining gains little; two in one cause, by a strength of
        .25 to 1; two in several, as the simulated D3, D4 or D5.
        """
        rng = np.random.default_rng(self.seed)
        pace = float(rng.choice(PACES))
        kind = rng.random()
        if kind < 1 / 5:
            return random_standard_spec(rng), "nothing", pace
        if kind < 3 / 5:
            cause, strength = CAUSES[rng.integers(len(CAUSES))], float(rng.uniform(0.25, 1.0))
            return shifted_spec(cause, strength, rng), f"{cause} {strength:.2f}", pace
        shifted = standard_datasets(int(rng.integers(2**31)))[rng.integers(2, 5)]
        return shifted.spec, f"as {shifted.name}", pace


def plan(purpose: int, seed: int, n_worlds: int, n_arrivals: int) -> list[Arrival]:
    """`n_arrivals` in each of `n_worlds` worlds; plans that differ in `purpose` or `seed` share no draw."""
    root = np.random.SeedSequence(seed, spawn_key=(purpose, 14))
    worlds, arrivals = (
        child.generate_state(n, np.uint64)
        for child, n in zip(root.spawn(2), (n_worlds, n_worlds * n_arrivals), strict=True)
    )
    return [
        Arrival(World(int(world)), number, int(arrivals[index * n_arrivals + number]))
        for index, world in enumerate(worlds)
        for number in range(n_arrivals)
    ]
